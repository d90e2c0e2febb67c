/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way to change a level-1 entry: it calls nothing, so that what is
 * built on it is short, too.  It knows the domain's own frames, of the type
 * that is wanted already; whatever else there is it leaves to entry_set().
 */

#pragma once

#include "arch/x86_64/nospec.h"
#include "memory/page_entry.h"

/*
 * pv_frame(), for a domain that runs, of a frame near the last one; NULL: ask
 * that.
 */
static __in_place struct frame *pv_near_frame(const struct pv_space *s, mfn_t m)
{
    uint64_t count = s->ram.end - s->ram.first, i = m.raw - s->ram.first;
    struct frame *f;

    if (unlikely(i >= count))
        return NULL;
    f = mfn_to_frame(mfn(s->ram.first + index_nospec(i, count)));
    return likely(f->owner == s->base.owner) ? f : NULL;
}

/* Take what @e, which is present and adjusted, needs. */
static __in_place bool entry_near_get(const struct pv_space *s, uint64_t e)
{
    struct frame *f = pv_near_frame(s, pte_mfn(e));

    if (unlikely(!f) || unlikely(atomic_read(&f->refs) >= FRAME_REFS_MAX))
        return false;
    if (e & PTE_WRITE && unlikely(!frame_get_more_type(f, FRAME_WRITABLE)))
        return false;
    (void)atomic_add(&f->refs, 1); /* the owner's keeps it from the first */
    return true;
}

/*
 * Make the entry at @at, of a valid table of level 1, @e; with @keep_ad its
 * accessed and dirty bits stay.  False: nothing has changed.  The lock is held.
 */
static __in_place bool __must_check entry_near_set(struct pv_space *s,
                                                   uint64_t *at, uint64_t e,
                                                   bool keep_ad)
{
    uint64_t old = atomic_read(at);
    struct frame *f;

    if (e & PTE_PRESENT) {
        if (unlikely(e & PTE_REFUSED))
            return false;
        e = entry_adjust(1, e);
        if (old & PTE_PRESENT && !((old ^ e) & ~PTE_FREE))
            return likely(
                atomic_cmpxchg(at, &old, keep_ad ? e | (old & PTE_AD) : e));
        if (unlikely(keep_ad) || unlikely(!entry_near_get(s, e)))
            return false;
    } else if (unlikely(keep_ad)) {
        return false;
    }
    /* Only bits that nobody counts change by themselves. */
    old = atomic_exchange(at, e);
    if (!(old & PTE_PRESENT))
        return true;
    s->stale = true;
    f = mfn_to_frame(pte_mfn(old));
    if (old & PTE_WRITE)
        frame_put_type(f);
    if (likely(f->owner == s->base.owner))
        frame_put(f);
    else
        pv_drop_frame(s, f);
    return true;
}
