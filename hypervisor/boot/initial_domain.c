/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building the initial domain from the first boot module.
 *
 * In class light: behind the image lie start_info and one page of boot stack;
 * the rest of its memory is there when touched.  Its own further domains it
 * builds itself, by the same functions through control_op.
 */

#include "boot/start.h"

#include <abi/cpuid.h>
#include <abi/event_channel.h>
#include <abi/start_info.h>

#include "boot/boot_info.h"
#include "boot/initial.h"
#include "control/control.h"
#include "device/pci.h"
#include "domain/memory.h"
#include "lib/elf_image.h"
#include "lib/hypercall_page.h"
#include "memory/light.h"

/*
 * Memory of the initial domain, all of it promised to it, because the others
 * depend on it; but never more than its share of a small machine.
 */
#define DEFAULT_BYTES (128UL << 20)
#define SHARE_OF_FREE 2 /* half */

/* Less than this holds no control domain at all. */
#define LEAST_BYTES (4UL << 20)

/* Thousands of guests, each with a few pages mapped: 32 MiB of addresses. */
#define GRANT_WINDOW_PAGES 8192U
#define MAPTRACK_MAX       16384U

/* For the BARs of its devices: 32 MiB. */
#define MMIO_PAGES 8192U

/* It works for all others: twice the ordinary weight. */
#define WEIGHT 512U

static uint64_t dom0_mem;
BOOT_OPTION(dom0_mem, "dom0_mem", "memory of the initial domain (128M)", NULL,
            &dom0_mem);

static uint64_t dom0_vcpus = 1;
BOOT_OPTION(dom0_vcpus, "dom0_vcpus", "virtual CPUs of the initial domain (1)",
            NULL, &dom0_vcpus);

static bool dom0_pv;
BOOT_OPTION(dom0_pv, "dom0_pv",
            "run the initial domain as class pv whatever it asks for", &dom0_pv,
            NULL);

static uint64_t choose_pages(void)
{
    uint64_t share = frame_totals().unreserved / SHARE_OF_FREE;

    if (dom0_mem)
        return pages_of(MAX(dom0_mem, LEAST_BYTES));
    return MIN(share, pages_of(DEFAULT_BYTES));
}

static uint64_t module_pages(void)
{
    uint64_t pages = 0;

    for (unsigned int i = 1; i < boot_module_count; i++)
        pages += pages_of(boot_modules[i].bytes);
    return pages;
}

static void read_image(struct elf_image *image, const struct boot_module *m)
{
    const char *wrong =
        elf_image_read(image, mfn_to_virt(maddr_to_mfn(m->start)), m->bytes);

    if (!wrong && !image->xen_notes)
        wrong = "it has no Xen notes, so it is no kernel for this interface";
    if (wrong)
        boot_fail("the first module (%s) cannot be the initial domain: %s",
                  m->string, wrong);
    if (dom0_pv)
        image->class = CAIRN_CLASS_PV;
}

static struct domain *create(const struct elf_image *image)
{
    bool pv = image->class == CAIRN_CLASS_PV;
    uint32_t vcpus_max = pv ? DOMAIN_VCPUS_MAX : LIGHT_VCPUS_MAX;
    struct domain_config config = {
        .domid = 0,
        .create =
            {
                .class = image->class,
                .rights = DOMAIN_RIGHT_CONTROL | DOMAIN_RIGHT_DEVICE |
                          DOMAIN_RIGHT_CONSOLE | DOMAIN_RIGHT_POWER,
                .vcpu_count = (uint32_t)dom0_vcpus,
                .virt_base = pv ? 0 : image->virt_base,
                .max_ports = EVTCHN_FIFO_PORTS - 1,
                .grant_frames = LIGHT_GRANT_FRAMES_MAX,
                .maptrack_max = MAPTRACK_MAX,
                .grant_window = pv ? 0 : GRANT_WINDOW_PAGES,
                .weight = WEIGHT,
            },
        .module_pages = module_pages(),
        .mmio_pages = MMIO_PAGES,
    };
    struct domain *d;
    int rc;

    if (!dom0_vcpus || dom0_vcpus > vcpus_max)
        boot_fail("dom0_vcpus= is 1 to %u", vcpus_max);
    config.create.max_pages = choose_pages();
    config.create.reserved_pages = config.create.max_pages;
    rc = domain_create(&config, &d);
    if (rc)
        boot_fail("cannot make the initial domain with %lu MiB: error %d",
                  config.create.max_pages >> 8, -rc);
    return d;
}

/* Write into its memory, text too: it has not started. */
static void put(struct domain *d, uint64_t paddr, const void *from,
                uint64_t bytes)
{
    while (bytes) {
        uint64_t offset = paddr % PAGE_SIZE;
        uint64_t piece = MIN(PAGE_SIZE - offset, bytes);
        struct frame *f;
        int rc = light_get_frame(d->space, gfn(paddr >> PAGE_SHIFT),
                                 LIGHT_WRITE, true, &f);

        if (rc)
            boot_fail("d0's image does not fit at %lx: error %d", paddr, -rc);
        memcpy((char *)mfn_to_virt(frame_to_mfn(f)) + offset, from, piece);
        frame_put(f);
        paddr += piece;
        from = (const char *)from + piece;
        bytes -= piece;
    }
}

static void load_segment(struct domain *d, const struct elf_segment *s,
                         const char *file)
{
    uint64_t first = s->paddr >> PAGE_SHIFT;
    uint64_t count = pages_of(s->paddr + s->mem_bytes) - first;
    uint32_t prot = s->execute ? LIGHT_PROT_execute
                    : s->write ? LIGHT_PROT_read_write
                               : LIGHT_PROT_read;

    if (light_protect(d->space, gfn(first), count, prot, true))
        boot_fail("the initial domain's image does not fit its %lu pages",
                  d->space->layout.ram_pages);
    put(d, s->paddr, file + s->offset, s->file_bytes);
}

static void put_hypercall_page(struct domain *d, const struct elf_image *image)
{
    static uint8_t page[PAGE_SIZE];

    if (!image->hypercall_page)
        return;
    hypercall_page_fill(page);
    put(d, image->hypercall_page - image->virt_base, page, sizeof(page));
}

/* What follows the first word of a module's string. */
static const char *arguments_of(const char *string)
{
    while (*string && *string != ' ')
        string++;
    while (*string == ' ')
        string++;
    return string;
}

/* Behind the image: a page of start_info, and one of stack. */
static void start(struct domain *d, const struct elf_image *image,
                  const char *string)
{
    static struct start_info info = {
        .magic = START_INFO_MAGIC,
        .flags = SIF_PRIVILEGED | SIF_INITDOMAIN,
    };
    const struct light_layout *l = &d->space->layout;
    struct control_set_start first = {0};
    uint64_t paddr = pages_of(image->end) << PAGE_SHIFT;
    uint64_t address = image->virt_base + paddr;

    info.nr_pages = l->ram_pages;
    info.shared_info = (l->special_gfn + LIGHT_SPECIAL_SHARED_INFO)
                       << PAGE_SHIFT;
    string_copy((char *)info.cmd_line, arguments_of(string),
                sizeof(info.cmd_line));
    put(d, paddr, &info, sizeof(info));
    first.rip = image->entry;
    first.rsp = address + 2 * PAGE_SIZE;
    first.rsi = address;
    if (domain_set_start(d, &first) || domain_unpause(d))
        panic("the initial domain does not start");
}

/* Module frames belong to nobody else: they are lent for ever, read-only. */
static void show_modules(struct domain *d)
{
    uint64_t at = d->space->layout.module_gfn;

    for (unsigned int i = 1; i < boot_module_count; i++) {
        struct boot_module *m = &boot_modules[i];

        m->gfn = at;
        for (uint64_t n = 0; n < pages_of(m->bytes); n++, at++)
            if (light_map_special(d->space, gfn(at),
                                  mfn((m->start >> PAGE_SHIFT) + n), false))
                panic("module %u cannot be mapped", i);
    }
}

/* Class light: the devices are its own, and it sees the other modules. */
static void build_light(struct domain *d, const struct elf_image *image,
                        const struct boot_module *m)
{
    if (pci_assign_all(d))
        panic("no memory to assign the machine's devices");
    for (unsigned int i = 0; i < image->segment_count; i++)
        load_segment(d, &image->segment[i],
                     mfn_to_virt(maddr_to_mfn(m->start)));
    put_hypercall_page(d, image);
    show_modules(d);
    start(d, image, m->string);
}

void load_initial_domain(void)
{
    struct elf_image image;
    const struct boot_module *m;
    struct domain *d;

    if (!boot_module_count)
        boot_fail("no boot module, so no initial domain: give QEMU "
                  "-initrd control.elf, or your boot loader a module");
    m = &boot_modules[0];
    read_image(&image, m);
    d = create(&image);
    initial_domain = d;
    log_info("d0: %s, %lu MiB, %u more modules", m->string, memory_max(d) >> 8,
             boot_module_count - 1);
    if (d->pv)
        initial_pv_build(d, &image, m, arguments_of(m->string));
    else
        build_light(d, &image, m);
    boot_module_free(0);
}
