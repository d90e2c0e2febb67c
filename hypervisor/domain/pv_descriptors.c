/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's descriptor tables: in the CPU's own GDT below ours, and in its LDT,
 * for as long as the vCPU is loaded.
 *
 * The GDT's pages are of type descriptors from the call on that names them.
 * Those of the LDT become it when the processor looks into them, since kernels
 * change them until then.
 */

#include "domain/pv_vcpu.h"

#include "arch/x86_64/paging.h"
#include "memory/page_entry.h"

static unsigned int table_pages(uint32_t entries)
{
    return (unsigned int)pages_of(entries * sizeof(uint64_t));
}

static void map_gdt(const struct pv_vcpu *p, bool loaded)
{
    for (unsigned int i = 0; i < table_pages(p->gdt_entries); i++)
        gdt_map(i, loaded ? p->gdt_frame[i] : MFN_NONE);
}

static void map_ldt(const struct pv_vcpu *p, bool loaded)
{
    for (unsigned int i = 0; i < table_pages(p->ldt_entries); i++)
        ldt_map(i, loaded ? p->ldt_frame[i] : MFN_NONE);
    if (p->ldt_entries)
        ldt_load(loaded ? p->ldt_entries : 0);
}

void pv_load_descriptors(const struct pv_vcpu *p)
{
    map_gdt(p, true);
    map_ldt(p, true);
}

void pv_unload_descriptors(const struct pv_vcpu *p)
{
    map_gdt(p, false);
    map_ldt(p, false);
}

static void drop_coming(struct pv_space *s, struct pv_vcpu *p)
    __must_hold(s->base.lock)
{
    while (p->gdt_coming_pages)
        pv_drop_type(s, &p->gdt_coming[--p->gdt_coming_pages]);
}

void pv_drop_descriptors(struct pv_space *s, struct pv_vcpu *p)
    __must_hold(s->base.lock)
{
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        pv_drop_type(s, &p->gdt_frame[i]);
    for (unsigned int i = 0; i < LDT_PAGES; i++)
        pv_drop_type(s, &p->ldt_frame[i]);
    drop_coming(s, p);
}

/*
 * Take the pages of a GDT to be, two a call: looking at all of one is half a
 * quantum.  What was begun for another list is given up.
 */
static int take_coming(struct pv_space *s, struct pv_vcpu *p,
                       const mfn_t *frames, unsigned int pages,
                       struct page_work *work) __must_hold(s->base.lock)
{
    for (unsigned int i = 0; i < p->gdt_coming_pages; i++)
        if (i == pages || !mfn_eq(p->gdt_coming[i], frames[i]))
            drop_coming(s, p);
    while (p->gdt_coming_pages < pages) {
        unsigned int i = p->gdt_coming_pages;
        int rc = work->left > 0
                     ? page_get_type(s, frames[i], FRAME_DESCRIPTORS, work)
                     : -EAGAIN;

        if (rc && rc != -EAGAIN)
            drop_coming(s, p);
        if (rc)
            return rc;
        p->gdt_coming[i] = frames[i];
        p->gdt_coming_pages++;
    }
    return 0;
}

int pv_set_gdt(struct vcpu *v, const mfn_t *frames, uint32_t entries,
               struct page_work *work)
{
    struct pv_space *s = v->domain->pv;
    struct pv_vcpu *p = v->pv;
    unsigned int pages = table_pages(entries);
    int rc;

    SPIN_GUARD(&s->base.lock);
    rc = take_coming(s, p, frames, pages, work);
    if (rc)
        return rc;
    if (v == current)
        map_gdt(p, false);
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++) {
        pv_drop_type(s, &p->gdt_frame[i]);
        if (i < pages)
            p->gdt_frame[i] = frames[i];
    }
    p->gdt_coming_pages = 0; /* Theirs are the references now. */
    p->gdt_entries = entries;
    if (v == current)
        map_gdt(p, true);
    return 0;
}

void pv_set_ldt(struct vcpu *v, uint64_t base, uint32_t entries)
{
    struct pv_space *s = v->domain->pv;
    struct pv_vcpu *p = v->pv;

    spin_lock(&s->base.lock);
    if (v == current)
        map_ldt(p, false);
    for (unsigned int i = 0; i < LDT_PAGES; i++)
        pv_drop_type(s, &p->ldt_frame[i]);
    p->ldt_base = base;
    p->ldt_entries = entries;
    if (v == current)
        map_ldt(p, true);
    spin_unlock(&s->base.lock);
}

/* Take page @i of the LDT.  -EAGAIN: the guest tries again; else it cannot. */
static int take_ldt_page(struct pv_space *s, struct pv_vcpu *p, unsigned int i)
    __must_hold(s->base.lock)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    uint64_t entry, *at;
    int rc;

    if (!mfn_eq(p->ldt_frame[i], MFN_NONE))
        return 0;
    at = entry_find(p->entry.kernel_l4, p->ldt_base + i * PAGE_SIZE);
    entry = at ? atomic_read(at) : 0;
    if (!(entry & PTE_PRESENT))
        return -EFAULT;
    rc = page_get_type(s, pte_mfn(entry), FRAME_DESCRIPTORS, &work);
    if (!rc)
        p->ldt_frame[i] = pte_mfn(entry);
    return rc;
}

bool pv_ldt_fault(struct vcpu *v, vaddr_t *va)
{
    uint64_t offset = *va - area_of(LDT_AREAS_BASE, this_cpu(cpu_id));
    struct pv_space *s = v->domain->pv;
    unsigned int i = (unsigned int)(offset / PAGE_SIZE);
    int rc;

    spin_lock(&s->base.lock);
    rc = take_ldt_page(s, v->pv, i);
    if (!rc)
        ldt_map(i, v->pv->ldt_frame[i]);
    spin_unlock(&s->base.lock);
    *va = v->pv->ldt_base + offset;
    return !rc || rc == -EAGAIN;
}
