/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling an empty domain of class light with a kernel. */

#include "domain/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/control.h>
#include <abi/cpuid.h>
#include <abi/errno.h>
#include <abi/grant_table.h>
#include <abi/light.h>
#include <abi/start_info.h>

#include <rt/event.h>

#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/modules.h"
#include "lib/elf_image.h"
#include "lib/hypercall_page.h"

#define PAGE_BYTES    4096ULL
#define PAGES_PER_MIB 256ULL

/* What a guest may use of the hypervisor's tables, as Xen's toolstack has. */
#define GUEST_PORTS_MAX    1023U
#define GUEST_GRANT_FRAMES 16U

/* Pages behind the image. */
enum {
    PAGE_START_INFO,
    PAGE_STORE,
    PAGE_CONSOLE,
    PAGE_STACK,
    PAGES_BEHIND_IMAGE,
};

static bool fail(char error[CONFIG_ERROR_BYTES], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool fail(char error[CONFIG_ERROR_BYTES], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, CONFIG_ERROR_BYTES, format, args);
    va_end(args);

    return false;
}

/* --- Checking ------------------------------------------------------------- */

static uint64_t first_behind(const struct elf_image *image)
{
    return (image->end + PAGE_BYTES - 1) / PAGE_BYTES;
}

uint64_t load_pages(const struct elf_image *image)
{
    return first_behind(image) + PAGES_BEHIND_IMAGE;
}

static bool check_class(const struct domain_config *config,
                        const struct elf_image *image,
                        char error[CONFIG_ERROR_BYTES])
{
    bool light = config->class == CONFIG_CLASS_BY_IMAGE
                     ? image->class == CAIRN_CLASS_LIGHT
                     : config->class == CONFIG_CLASS_LIGHT;

    if (light)
        return true;
    if (config->class == CONFIG_CLASS_PV)
        return fail(error, "type=\"pv\" cannot be built yet; a kernel for "
                           "class light is needed");

    return fail(error,
                "kernel \"%s\" has no Cairn class note, so it is of class pv, "
                "which cannot be built yet; type=\"light\" says that it can "
                "run as class light",
                config->kernel);
}

bool load_check(const struct domain_config *config, struct module *kernel,
                struct elf_image *image, char error[CONFIG_ERROR_BYTES])
{
    char names[128];
    const char *why;
    uint64_t needed;

    if (!module_find(config->kernel, kernel)) {
        module_names(names, sizeof(names));
        return fail(error, "kernel \"%s\" is none of the boot modules (%s)",
                    config->kernel, names);
    }
    if (elf_image_read(image, kernel->data, kernel->size, &why))
        return fail(error, "kernel \"%s\" cannot be started: %s",
                    config->kernel, why);
    if (!image->xen_notes)
        return fail(error,
                    "kernel \"%s\" has no Xen ELF notes, so it is no kernel "
                    "for this interface",
                    config->kernel);
    if (!check_class(config, image, error))
        return false;
    needed = load_pages(image);
    if (needed > config->memory_mib * PAGES_PER_MIB)
        return fail(error,
                    "kernel \"%s\" needs %llu KiB, which do not fit in "
                    "memory=%u MiB",
                    config->kernel, (unsigned long long)needed * 4,
                    (unsigned int)config->memory_mib);

    return true;
}

/* --- Creating ------------------------------------------------------------- */

static bool fail_create(const struct domain_config *config, int rc,
                        char error[CONFIG_ERROR_BYTES])
{
    struct control_host_info info;

    if (rc == -ABI_ENOMEM && hv_host_info(&info) == 0)
        return fail(error,
                    "not enough memory for \"%s\": it needs %u MiB, %llu MiB "
                    "are not promised to other domains; destroy one, or lower "
                    "memory=",
                    config->name, (unsigned int)config->memory_mib,
                    (unsigned long long)info.unreserved_pages / PAGES_PER_MIB);
    if (rc == -ABI_ENOSPC)
        return fail(error, "no domain number is free");

    return fail(error, "the domain cannot be made: %s", hv_error_text(rc));
}

bool load_create(struct guest *guest, const struct elf_image *image,
                 char error[CONFIG_ERROR_BYTES])
{
    const struct domain_config *config = &guest->config;
    uint32_t maxmem =
        config->maxmem_mib ? config->maxmem_mib : config->memory_mib;
    struct control_create create = {
        .class = CAIRN_CLASS_LIGHT,
        .vcpu_count = config->vcpus,
        .virt_base = image->virt_base,
        .reserved_pages = config->memory_mib * PAGES_PER_MIB,
        .max_pages = maxmem * PAGES_PER_MIB,
        .max_ports = GUEST_PORTS_MAX,
        .grant_frames = GUEST_GRANT_FRAMES,
        .weight = config->weight,
    };
    domid_t domid;
    int rc;

    memcpy(create.uuid, config->uuid, sizeof(create.uuid));
    rc = hv_create(&create, &domid);
    if (rc)
        return fail_create(config, rc, error);
    guest_set_domid(guest, domid);

    return true;
}

/* --- Filling -------------------------------------------------------------- */

static uint32_t segment_prot(const struct elf_segment *s)
{
    if (s->execute)
        return LIGHT_PROT_execute;

    return s->write ? LIGHT_PROT_read_write : LIGHT_PROT_read;
}

static int fill_segment(domid_t domid, const struct module *kernel,
                        const struct elf_segment *s)
{
    uint64_t first = s->paddr / PAGE_BYTES;
    uint64_t last = (s->paddr + s->mem_bytes - 1) / PAGE_BYTES;
    int rc;

    rc = hv_copy_to(domid, s->paddr, (const char *)kernel->data + s->offset,
                    s->file_bytes);
    if (rc || !s->mem_bytes)
        return rc;

    return hv_set_region(domid, first, last - first + 1, segment_prot(s));
}

static bool fill_image(domid_t domid, const struct module *kernel,
                       const struct elf_image *image,
                       char error[CONFIG_ERROR_BYTES])
{
    for (unsigned int i = 0; i < image->segment_count; i++) {
        int rc = fill_segment(domid, kernel, &image->segment[i]);

        if (rc)
            return fail(error, "segment %u of \"%s\" cannot be loaded: %s", i,
                        kernel->name, hv_error_text(rc));
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
    if (paddr % PAGE_BYTES || paddr >= image->end)
        return fail(error, "its hypercall page lies outside the image");
    page = malloc(PAGE_BYTES);
    if (!page)
        return fail(error, "the control domain is out of memory");
    hypercall_page_fill(page);
    rc = hv_copy_to(domid, paddr, page, PAGE_BYTES);
    free(page);

    return rc == 0 || fail(error, "its hypercall page cannot be written: %s",
                           hv_error_text(rc));
}

static bool make_ports(struct guest *guest, domid_t self,
                       char error[CONFIG_ERROR_BYTES])
{
    evtchn_port_t store, console;
    int rc = rt_port_alloc_unbound_in(guest->domid, self, &store);

    if (rc == 0)
        rc = rt_port_alloc_unbound_in(guest->domid, self, &console);
    if (rc)
        return fail(error, "its event channels cannot be made: %s",
                    hv_error_text(rc));
    guest->store_port = store;
    guest->console_port = console;

    return true;
}

static bool seed_grants(const struct guest *guest, domid_t self,
                        char error[CONFIG_ERROR_BYTES])
{
    int rc = hv_seed_grant(guest->domid, GNTTAB_RESERVED_CONSOLE, self,
                           guest->console_gfn);

    if (rc == 0)
        rc = hv_seed_grant(guest->domid, GNTTAB_RESERVED_XENSTORE, self,
                           guest->store_gfn);

    return rc == 0 ||
           fail(error, "its rings cannot be lent: %s", hv_error_text(rc));
}

static int write_start_info(const struct guest *guest, uint64_t max_pages,
                            uint64_t gfn)
{
    struct start_info si = {
        .magic = START_INFO_MAGIC,
        .nr_pages = guest->config.memory_mib * PAGES_PER_MIB,
        .shared_info = (max_pages + LIGHT_SPECIAL_SHARED_INFO) * PAGE_BYTES,
        .store_mfn = guest->store_gfn,
        .store_evtchn = guest->store_port,
        .console.domU = {.mfn = guest->console_gfn,
                         .evtchn = guest->console_port},
    };

    memcpy(si.cmd_line, guest->config.cmdline, sizeof(si.cmd_line));

    return hv_copy_to(guest->domid, gfn * PAGE_BYTES, &si, sizeof(si));
}

/* Registers as the ABI has them: the stack's top, and start_info. */
static bool set_start(const struct guest *guest, const struct elf_image *image,
                      char error[CONFIG_ERROR_BYTES])
{
    const struct domain_config *config = &guest->config;
    uint64_t max_pages =
        (config->maxmem_mib ? config->maxmem_mib : config->memory_mib) *
        PAGES_PER_MIB;
    uint64_t gfn = first_behind(image);
    int rc = write_start_info(guest, max_pages, gfn + PAGE_START_INFO);

    if (rc == 0)
        rc = hv_set_start(
            guest->domid, image->entry,
            image->virt_base + (gfn + PAGE_STACK + 1) * PAGE_BYTES,
            image->virt_base + (gfn + PAGE_START_INFO) * PAGE_BYTES);

    return rc == 0 ||
           fail(error, "its start cannot be set: %s", hv_error_text(rc));
}

bool load_fill(struct guest *guest, const struct module *kernel,
               const struct elf_image *image, domid_t self,
               char error[CONFIG_ERROR_BYTES])
{
    uint64_t gfn = first_behind(image);

    guest->store_gfn = gfn + PAGE_STORE;
    guest->console_gfn = gfn + PAGE_CONSOLE;

    return fill_image(guest->domid, kernel, image, error) &&
           fill_hypercall_page(guest->domid, image, error) &&
           make_ports(guest, self, error) && seed_grants(guest, self, error) &&
           set_start(guest, image, error);
}
