/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An initial domain of class pv, as Xen builds its domain 0: all of its memory
 * at once, its page tables, the list of its frames; the second module is its
 * ramdisk.
 */

#include "boot/initial.h"

#include <abi/start_info.h>

#include "boot/boot_info.h"
#include "boot/start.h"
#include "control/control.h"
#include "lib/hypercall_page.h"
#include "lib/pv_layout.h"
#include "memory/frame.h"
#include "memory/pv_space.h"

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(uint64_t))

/* While it is built: where each pfn is. */
static struct {
    struct domain *domain;
    struct pv_layout layout;
    uint64_t *mfn;
    unsigned int mfn_order; /* of the frames that hold this list */
} build;

static void *page_of(uint64_t pfn)
{
    return mfn_to_virt(mfn(build.mfn[pfn]));
}

static void put(uint64_t paddr, const void *from, uint64_t bytes)
{
    while (bytes) {
        uint64_t offset = paddr % PAGE_SIZE;
        uint64_t piece = MIN(PAGE_SIZE - offset, bytes);

        memcpy((char *)page_of(paddr >> PAGE_SHIFT) + offset, from, piece);
        paddr += piece;
        from = (const char *)from + piece;
        bytes -= piece;
    }
}

static void populate(void)
{
    uint64_t pages = build.layout.nr_pages;
    struct frame *f;

    while (1UL << build.mfn_order < pages_of(pages * sizeof(uint64_t)))
        build.mfn_order++;
    f = frame_alloc_order(DOMID_XEN, build.mfn_order, FRAME_GUEST);
    if (!f)
        boot_fail("no memory to build the initial domain");
    build.mfn = mfn_to_virt(frame_to_mfn(f));
    for (uint64_t pfn = 0; pfn < pages; pfn++) {
        mfn_t m = pv_populate(build.domain->pv, pfn);

        if (mfn_eq(m, MFN_NONE))
            boot_fail("no memory for page %lu of the initial domain", pfn);
        build.mfn[pfn] = m.raw;
    }
}

static void forget_list(void)
{
    struct frame *f = mfn_to_frame(virt_to_mfn(build.mfn));

    for (uint64_t i = 0; i < 1UL << build.mfn_order; i++)
        frame_put(&f[i]);
}

static void put_image(const struct elf_image *image, const char *file)
{
    static uint8_t hypercalls[PAGE_SIZE];

    for (unsigned int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];

        put(s->paddr, file + s->offset, s->file_bytes);
    }
    if (image->hypercall_page) {
        hypercall_page_fill(hypercalls);
        put(image->hypercall_page - image->virt_base, hypercalls,
            sizeof(hypercalls));
    }
}

static void put_tables(void)
{
    static uint64_t entries[PV_TABLE_ENTRIES];
    const struct pv_layout *l = &build.layout;

    for (uint32_t i = 0; i < l->table_count; i++) {
        uint64_t pfn = pv_layout_table(l, i, build.mfn, entries);

        memcpy(page_of(pfn), entries, sizeof(entries));
    }
}

/* What no page is, behind the last one, is marked as invalid. */
static void put_list(void)
{
    const struct pv_layout *l = &build.layout;

    for (uint64_t i = 0; i < l->p2m_pages * WORDS_PER_PAGE; i++)
        ((uint64_t *)page_of(l->p2m + i / WORDS_PER_PAGE))[i % WORDS_PER_PAGE] =
            i < l->nr_pages ? build.mfn[i] : ~0UL;
}

static void put_start_info(const char *arguments)
{
    struct start_info *info = page_of(build.layout.start_info);

    pv_layout_start_info(&build.layout, build.mfn, info);
    info->shared_info = build.domain->shared_info_gfn << PAGE_SHIFT;
    info->flags |= SIF_PRIVILEGED | SIF_INITDOMAIN;
    string_copy((char *)info->cmd_line, arguments, sizeof(info->cmd_line));
}

static void start(const struct elf_image *image)
{
    const struct pv_layout *l = &build.layout;
    struct control_set_start first = {
        .rip = image->entry,
        .rsp = pv_layout_stack(l),
        .rsi = pv_layout_va(l, l->start_info),
        .l4 = build.mfn[l->l4],
    };
    int rc;

    do
        rc = control_set_start(build.domain, &first);
    while (rc == -EAGAIN);
    if (rc || domain_unpause(build.domain))
        panic("the initial domain does not start: error %d", -rc);
}

void initial_pv_build(struct domain *d, const struct elf_image *image,
                      const struct boot_module *m, const char *arguments)
{
    const struct boot_module *ramdisk =
        boot_module_count > 1 ? &boot_modules[1] : NULL;
    const char *why;

    build.domain = d;
    if (pv_layout_make(&build.layout, image, d->pv->max_pages,
                       ramdisk ? ramdisk->bytes : 0, true, &why))
        boot_fail("the initial domain cannot be built: %s", why);
    populate();
    put_image(image, mfn_to_virt(maddr_to_mfn(m->start)));
    if (ramdisk)
        put(build.layout.ramdisk << PAGE_SHIFT,
            mfn_to_virt(maddr_to_mfn(ramdisk->start)), ramdisk->bytes);
    put_list();
    put_tables();
    put_start_info(arguments);
    start(image);
    forget_list();
    if (ramdisk)
        boot_module_free(1);
}
