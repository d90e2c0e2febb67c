/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way to change a level-1 entry: it calls nothing, so that what is
 * built on it is short, too.  It knows the domain's own frames, of the type
 * that is wanted already; whatever else there is it leaves to entry_set().
 */

#pragma once

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

/*
 * page_get_type() of a table that has that type already, and page_put_type() of
 * one that keeps it.  False: nothing has changed.  The lock is held.
 */
static __in_place bool __must_check page_near_get(struct pv_space *s, mfn_t m,
                                                  enum frame_type type)
{
    struct frame *f = pv_near_frame(s, m);
    uint32_t others;

    if (unlikely(!f) || unlikely(s->dropping != DROP_END) ||
        unlikely(atomic_read(&f->refs) >= FRAME_REFS_MAX))
        return false;
    others = (f->type_info & ~FRAME_PINNED) -
             ((uint32_t)type << FRAME_TYPE_SHIFT | FRAME_HELD) - 1;
    if (unlikely(others >= FRAME_TYPE_COUNT - 1))
        return false;
    atomic_write(&f->type_info, f->type_info + 1);
    (void)atomic_add(&f->refs, 1);
    return true;
}

static __in_place bool __must_check page_near_put(struct frame *f)
{
    if (unlikely(!(f->type_info & FRAME_HELD)) ||
        unlikely((f->type_info & FRAME_TYPE_COUNT) < 2))
        return false;
    atomic_write(&f->type_info, f->type_info - 1);
    (void)atomic_sub(&f->refs, 1); /* what holds the type holds it, too */
    return true;
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

/* Give up what an entry held of @f, which translations may still lead to. */
static __in_place void entry_near_drop(struct pv_space *s, struct frame *f,
                                       bool write)
{
    s->stale = true;
    if (write)
        frame_put_type(f);
    if (likely(f->owner == s->base.owner))
        frame_put(f);
    else
        pv_drop_frame(s, f);
}

/* Give up what was in an entry. */
static __in_place void entry_near_put(struct pv_space *s, uint64_t old)
{
    if (likely(old & PTE_PRESENT))
        entry_near_drop(s, mfn_to_frame(pte_mfn(old)), old & PTE_WRITE);
}

/* Whether @m is a valid table of level 1, and nothing waits to be dropped. */
static __in_place bool table_is_near(const struct pv_space *s, mfn_t m)
{
    const struct frame *f = pv_near_frame(s, m);

    return likely(f) && likely(frame_type(f) == FRAME_L1) &&
           likely(frame_type_count(f)) && likely(s->dropping == DROP_END);
}

/*
 * Make the entry at @at, of a valid table of level 1, @e; with @keep_ad its
 * accessed and dirty bits stay; with @expected only if it is *@expected.
 * False: nothing has changed.  The lock is held.
 */
static __in_place bool __must_check entry_near_set(struct pv_space *s,
                                                   uint64_t *at, uint64_t e,
                                                   bool keep_ad,
                                                   const uint64_t *expected)
{
    uint64_t old = expected ? *expected : atomic_read(at);

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
    if (!expected) {
        entry_near_put(s, atomic_exchange(at, e));
        return true;
    }
    if (unlikely(!atomic_cmpxchg(at, &old, e))) {
        entry_near_put(s, e);
        return false;
    }
    entry_near_put(s, old);
    return true;
}

/*
 * entry_map_grant() and entry_unmap_grant() of an entry of a valid table, with
 * a frame @f that the grant holds, too.
 */
static __in_place bool __must_check entry_near_map(struct pv_space *s,
                                                   uint64_t *at, uint64_t e,
                                                   struct frame *f)
{
    if (unlikely(atomic_read(&f->refs) >= FRAME_REFS_MAX) ||
        (e & PTE_WRITE && unlikely(!frame_get_more_type(f, FRAME_WRITABLE))))
        return false;
    (void)atomic_add(&f->refs, 1);
    entry_near_put(s, atomic_exchange(at, entry_adjust(1, e)));
    return true;
}

static __in_place bool __must_check entry_near_unmap(struct pv_space *s,
                                                     uint64_t *at, mfn_t m,
                                                     bool write)
{
    const uint64_t looked_at = PTE_MADDR_MASK | PTE_PRESENT | PTE_WRITE;
    uint64_t e = pte_make(m, PTE_PRESENT | (write ? PTE_WRITE : 0));

    if (unlikely((atomic_read(at) ^ e) & looked_at))
        return false;
    (void)atomic_exchange(at, 0); /* Only bits that nobody counts differ. */
    entry_near_drop(s, mfn_to_frame(m), write);
    return true;
}
