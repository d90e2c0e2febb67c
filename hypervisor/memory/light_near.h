/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way to a page of a light space: it calls nothing, so that what is
 * built on it (grants, copies) is short, too.  Whatever is not usual it leaves
 * to light_get_frame().
 */

#pragma once

#include "arch/x86_64/paging.h"
#include "memory/light.h"

/* The software bits of a leaf; light_leaf.h says what they mean. */
#define LEAF_SOFT(n)   ((uint64_t)(n) << PTE_SOFT_LOW_SHIFT)
#define LEAF_SOFT_MASK LEAF_SOFT(3)

/* The table that a present entry points to. */
static __in_place uint64_t *table_of_entry(uint64_t entry)
{
    return mfn_to_virt(pte_mfn(entry));
}

/*
 * The leaf of page @page, any number, if it is in the gigabyte of the first L2
 * table, as most are.  False: it is not, or there is no table yet.
 */
static __in_place bool light_leaf_near(const struct light_space *s,
                                       uint64_t page, uint64_t **leaf)
{
    uint64_t number = s->first_leaf + page, entry;

    if (unlikely(page >= s->near_pages))
        return false;
    /* Indices into whole tables: in speculation, too, they stay inside. */
    entry = atomic_read(&s->first_l2[number / PT_ENTRIES % PT_ENTRIES]);
    if (unlikely(!(entry & PTE_PRESENT)))
        return false;
    *leaf = &table_of_entry(entry)[number % PT_ENTRIES];
    return true;
}

/*
 * Whether @va is in a page that the guest made a guard.  No lock: it was one
 * when it was looked at.
 */
static __in_place bool light_near_is_guard(const struct light_space *s,
                                           vaddr_t va)
{
    const uint64_t guard = LEAF_SOFT(LIGHT_PROT_guard ^ LIGHT_PROT_read_write);
    uint64_t entry;

    if (unlikely((va - s->layout.virt_base) >> PAGE_SHIFT >= s->near_pages))
        return false;
    entry = atomic_read(&s->first_l2[pt_index(va, 2)]);
    return entry & PTE_PRESENT &&
           likely(atomic_read(&table_of_entry(entry)[pt_index(va, 1)]) ==
                  guard);
}

/*
 * light_get_frame() of a page that is there already, with the right to write
 * if @write.  False: it is not, or the lock is taken: nothing has changed.
 */
static __in_place bool __must_check light_near_frame(struct light_space *s,
                                                     uint64_t g, bool write,
                                                     mfn_t *m)
{
    uint64_t needed = write ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT;
    uint64_t *at = NULL, leaf = 0;
    bool found = false;

    if (unlikely(!spin_try_lock(&s->lock)))
        return false;

    /* A dying space has no tables, perhaps. */
    if (likely(!s->dying) && light_leaf_near(s, g, &at))
        leaf = atomic_read(at);
    /* Only pages of RAM are private. */
    if (likely((leaf & (needed | LEAF_SOFT_MASK)) == needed)) {
        uint32_t *refs = &mfn_to_frame(pte_mfn(leaf))->refs;

        *m = pte_mfn(leaf);
        /* The leaf's own reference keeps it from being the first. */
        found = likely(atomic_read(refs) < FRAME_REFS_MAX);
        if (found)
            (void)atomic_add(refs, 1);
    }
    spin_unlock(&s->lock);
    return found;
}
