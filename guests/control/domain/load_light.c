/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Class light.  Right behind the image come, a page each: start_info, the
 * store's ring, the console's ring, and the stack that the guest starts on.
 * Segments get the rights that the image gives them and no more; only what the
 * file holds is copied, the rest is demand-zero.
 */

#include <stdlib.h>
#include <string.h>

#include <abi/cpuid.h>
#include <abi/light.h>
#include <abi/start_info.h>

#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/load_class.h"
#include "lib/hypercall_page.h"

/* Pages behind the image. */
enum {
    PAGE_START_INFO,
    PAGE_STORE,
    PAGE_CONSOLE,
    PAGE_STACK,
    PAGES_BEHIND_IMAGE,
};

static uint64_t first_behind(const struct elf_image *image)
{
    return (image->end + PAGE_BYTES - 1) / PAGE_BYTES;
}

bool load_light_check(const struct domain_config *config,
                      struct load_plan *plan, char error[CONFIG_ERROR_BYTES])
{
    uint64_t needed = first_behind(&plan->image.elf) + PAGES_BEHIND_IMAGE;

    if (load_max_vcpus(config) > 1)
        return load_fail(error,
                         "kernel \"%s\" is of class light: vcpus=1 is all it "
                         "can use",
                         config->kernel);
    if (plan->ramdisk.size)
        return load_fail(error,
                         "kernel \"%s\" is of class light, which has no "
                         "ramdisk",
                         config->kernel);
    if (needed > load_memory_pages(config))
        return load_fail(error,
                         "kernel \"%s\" needs %llu KiB, which do not fit in "
                         "memory=%u MiB",
                         config->kernel, (unsigned long long)needed * 4,
                         (unsigned int)config->memory_mib);

    return true;
}

/* --- Filling -------------------------------------------------------------- */

static uint32_t segment_prot(const struct elf_segment *s)
{
    if (s->execute)
        return LIGHT_PROT_execute;

    return s->write ? LIGHT_PROT_read_write : LIGHT_PROT_read;
}

struct target {
    domid_t domid;
    int rc;
};

static bool put(void *context, uint64_t paddr, const void *bytes, size_t size)
{
    struct target *t = context;

    t->rc = hv_copy_to(t->domid, paddr, bytes, size);

    return t->rc == 0;
}

static bool fill_image(domid_t domid, const struct load_plan *plan,
                       char error[CONFIG_ERROR_BYTES])
{
    const struct elf_image *image = &plan->image.elf;
    struct target t = {domid, 0};
    const char *why;

    if (!kernel_load(&plan->image, put, &t, &why))
        return load_fail(error, "\"%s\" cannot be loaded: %s",
                         plan->kernel.name, why ? why : hv_error_text(t.rc));
    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];
        uint64_t first = s->paddr / PAGE_BYTES;
        uint64_t last = (s->paddr + s->mem_bytes - 1) / PAGE_BYTES;
        int rc = s->mem_bytes ? hv_set_region(domid, first, last - first + 1,
                                              segment_prot(s))
                              : 0;

        if (rc)
            return load_fail(error, "segment %u of \"%s\" cannot be loaded: %s",
                             i, plan->kernel.name, hv_error_text(rc));
    }

    return true;
}

/* For kernels that call through a page of stubs. */
static bool fill_hypercall_page(domid_t domid, const struct elf_image *image,
                                char error[CONFIG_ERROR_BYTES])
{
    uint64_t paddr = image->hypercall_page - image->virt_base;
    uint8_t *page;
    int rc;

    if (!image->hypercall_page)
        return true;
    page = malloc(PAGE_BYTES);
    if (!page)
        return load_fail(error, "the control domain is out of memory");
    hypercall_page_fill(page);
    rc = hv_copy_to(domid, paddr, page, PAGE_BYTES);
    free(page);

    return rc == 0 ||
           load_fail(error, "its hypercall page cannot be written: %s",
                     hv_error_text(rc));
}

bool load_light_fill(struct guest *guest, const struct load_plan *plan,
                     void **state, char error[CONFIG_ERROR_BYTES])
{
    uint64_t gfn = first_behind(&plan->image.elf);

    *state = NULL;
    guest->store_gfn = gfn + PAGE_STORE;
    guest->console_gfn = gfn + PAGE_CONSOLE;

    return fill_image(guest->domid, plan, error) &&
           fill_hypercall_page(guest->domid, &plan->image.elf, error);
}

static int write_start_info(const struct guest *guest, uint64_t gfn)
{
    const struct domain_config *config = &guest->config;
    struct start_info si = {
        .magic = START_INFO_MAGIC,
        .nr_pages = load_memory_pages(config),
        .shared_info =
            (load_max_pages(config) + LIGHT_SPECIAL_SHARED_INFO) * PAGE_BYTES,
        .store_mfn = guest->store_gfn,
        .store_evtchn = guest->store_port,
        .console.domU = {.mfn = guest->console_gfn,
                         .evtchn = guest->console_port},
    };

    memcpy(si.cmd_line, config->cmdline, sizeof(si.cmd_line));

    return hv_copy_to(guest->domid, gfn * PAGE_BYTES, &si, sizeof(si));
}

/* Registers as the ABI has them: the stack's top, and start_info. */
bool load_light_start(const struct guest *guest, const struct load_plan *plan,
                      const void *state, char error[CONFIG_ERROR_BYTES])
{
    const struct elf_image *image = &plan->image.elf;
    uint64_t gfn = first_behind(image);
    int rc = write_start_info(guest, gfn + PAGE_START_INFO);

    (void)state;
    if (rc == 0)
        rc = hv_set_start(
            guest->domid, image->entry,
            image->virt_base + (gfn + PAGE_STACK + 1) * PAGE_BYTES,
            image->virt_base + (gfn + PAGE_START_INFO) * PAGE_BYTES, 0);

    return rc == 0 ||
           load_fail(error, "its start cannot be set: %s", hv_error_text(rc));
}
