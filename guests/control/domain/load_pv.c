/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Class pv: all of the domain's memory is populated, and filled as
 * lib/pv_layout.h computes where things go.  The frames of a domain are
 * anywhere, so what is written by pfn goes through the list of its mfns.
 */

#include <stdlib.h>
#include <string.h>

#include <abi/start_info.h>

#include <rt/thread.h>

#include "domain/guest.h"
#include "domain/hv.h"
#include "domain/load_class.h"
#include "lib/hypercall_page.h"

/* Of the P2M list behind the last pfn: no frame. */
#define NO_FRAME (~0ULL)

/* Written between two turns of the other threads, who serve guests. */
#define TURN_BYTES (256UL << 10)

#define WORDS_PER_PAGE (PAGE_BYTES / sizeof(uint64_t))

bool load_pv_check(const struct domain_config *config, struct load_plan *plan,
                   char error[CONFIG_ERROR_BYTES])
{
    const char *why;

    if (pv_layout_make(&plan->layout, &plan->image.elf,
                       load_memory_pages(config), plan->ramdisk.size, false,
                       &why))
        return load_fail(error,
                         "kernel \"%s\" cannot be laid out in memory=%u MiB: "
                         "%s",
                         config->kernel, (unsigned int)config->memory_mib, why);

    return true;
}

/* --- Writing by pfn ------------------------------------------------------- */

struct target {
    domid_t domid;
    const uint64_t *mfn;
    uint64_t pages;
    int rc;
};

/* Pfns from @pfn on whose frames follow one another. */
static uint64_t run_length(const struct target *t, uint64_t pfn, uint64_t max)
{
    uint64_t n = 1;

    while (n < max && pfn + n < t->pages && t->mfn[pfn + n] == t->mfn[pfn] + n)
        n++;

    return n;
}

static bool put(void *context, uint64_t paddr, const void *bytes, size_t size)
{
    struct target *t = context;
    const char *from = bytes;

    while (size && t->rc == 0) {
        uint64_t pfn = paddr / PAGE_BYTES, offset = paddr % PAGE_BYTES;
        uint64_t pages = (offset + size + PAGE_BYTES - 1) / PAGE_BYTES;
        size_t part = run_length(t, pfn, pages) * PAGE_BYTES - offset;

        if (part > size)
            part = size;
        if (part > TURN_BYTES)
            part = TURN_BYTES;
        if (size >= TURN_BYTES)
            thread_yield();
        t->rc =
            hv_copy_to(t->domid, t->mfn[pfn] * PAGE_BYTES + offset, from, part);
        paddr += part;
        from += part;
        size -= part;
    }

    return t->rc == 0;
}

/* --- Parts ---------------------------------------------------------------- */

static void put_tables(struct target *t, const struct pv_layout *l)
{
    uint64_t entries[PV_TABLE_ENTRIES];

    for (uint32_t n = 0; n < l->table_count; n++) {
        uint64_t pfn = pv_layout_table(l, n, t->mfn, entries);

        if (!put(t, pfn * PAGE_BYTES, entries, sizeof(entries)))
            return;
    }
}

static void put_p2m(struct target *t, const struct pv_layout *l)
{
    uint64_t rest[WORDS_PER_PAGE];
    size_t used = l->nr_pages * sizeof(uint64_t);

    memset(rest, 0xff, sizeof(rest));
    if (put(t, l->p2m * PAGE_BYTES, t->mfn, used))
        (void)put(t, l->p2m * PAGE_BYTES + used, rest,
                  l->p2m_pages * PAGE_BYTES - used);
}

static void put_hypercall_page(struct target *t, const struct elf_image *image)
{
    uint8_t page[PAGE_BYTES];

    if (!image->hypercall_page)
        return;
    hypercall_page_fill(page);
    (void)put(t, image->hypercall_page - image->virt_base, page, sizeof(page));
}

bool load_pv_fill(struct guest *guest, const struct load_plan *plan,
                  void **state, char error[CONFIG_ERROR_BYTES])
{
    const struct pv_layout *l = &plan->layout;
    uint64_t *mfn = malloc(l->nr_pages * sizeof(*mfn));
    struct target t = {guest->domid, mfn, l->nr_pages, 0};
    const char *why = NULL;

    *state = mfn;
    if (!mfn)
        return load_fail(error, "the control domain is out of memory");
    t.rc = hv_populate(guest->domid, 0, l->nr_pages, mfn);
    if (t.rc)
        return load_fail(error, "it cannot be given its memory: %s",
                         hv_error_text(t.rc));

    if (!kernel_load(&plan->image, put, &t, &why))
        return load_fail(error, "\"%s\" cannot be loaded: %s",
                         plan->kernel.name, why ? why : hv_error_text(t.rc));
    put_hypercall_page(&t, &plan->image.elf);
    if (plan->ramdisk.size)
        (void)put(&t, l->ramdisk * PAGE_BYTES, plan->ramdisk.data,
                  plan->ramdisk.size);
    put_p2m(&t, l);
    put_tables(&t, l);
    guest->store_gfn = mfn[l->store];
    guest->console_gfn = mfn[l->console];

    return t.rc == 0 || load_fail(error, "its memory cannot be written: %s",
                                  hv_error_text(t.rc));
}

bool load_pv_start(const struct guest *guest, const struct load_plan *plan,
                   const void *state, char error[CONFIG_ERROR_BYTES])
{
    const struct pv_layout *l = &plan->layout;
    const uint64_t *mfn = state;
    struct target t = {guest->domid, mfn, l->nr_pages, 0};
    struct start_info si = {.magic = START_INFO_MAGIC};
    struct control_domain_info info;

    t.rc = hv_info(guest->domid, &info);
    if (t.rc == 0) {
        pv_layout_start_info(l, mfn, &si);
        si.shared_info = info.shared_info * PAGE_BYTES;
        si.store_evtchn = guest->store_port;
        si.console.domU.evtchn = guest->console_port;
        memcpy(si.cmd_line, guest->config.cmdline, sizeof(si.cmd_line));
        (void)put(&t, l->start_info * PAGE_BYTES, &si, sizeof(si));
    }
    if (t.rc == 0)
        t.rc = hv_set_start(guest->domid, plan->image.elf.entry,
                            pv_layout_stack(l), pv_layout_va(l, l->start_info),
                            mfn[l->l4]);

    return t.rc == 0 ||
           load_fail(error, "its start cannot be set: %s", hv_error_text(t.rc));
}
