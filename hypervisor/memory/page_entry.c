/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries: what they hold, and changing one.  The processor sets accessed and
 * dirty bits behind our back, so an entry is changed by one instruction.
 */

#include "memory/page_entry.h"

#include "arch/x86_64/paging.h"

#define MFN_INVALID (PTE_MADDR_MASK >> PAGE_SHIFT)

/* Why pv_frame() does not find it. */
static int leaf_refuse(mfn_t m)
{
    if (mfn_is_ram(m))
        return -EBUSY;
    return m.raw == MFN_INVALID ? -EINVAL : -EPERM;
}

static int leaf_get(struct pv_space *s, uint64_t e, struct page_work *work)
{
    mfn_t m = pte_mfn(e);
    struct frame *f = pv_frame(s, m);

    if (unlikely(!f))
        return leaf_refuse(m);
    if (e & PTE_WRITE && !frame_get_more_type(f, FRAME_WRITABLE))
        return page_type_get(s, m, FRAME_WRITABLE, work);
    if (likely(frame_try_get(f)))
        return 0;
    if (e & PTE_WRITE)
        frame_put_type(f);
    return -EBUSY;
}

static int table_entry_get(struct pv_space *s, unsigned int level, uint64_t e,
                           struct page_work *work)
{
    int rc = page_type_get(s, pte_mfn(e), (enum frame_type)(level - 1), work);

    return rc && rc != -EAGAIN ? -EINVAL : rc;
}

int entry_get(struct pv_space *s, unsigned int level, uint64_t *e,
              struct page_work *work)
{
    int rc;

    if (!(*e & PTE_PRESENT))
        return 0;
    if (!entry_is_legal(level, *e))
        return -EINVAL;
    work->left -= PAGE_WORK_PRESENT;
    rc = level == 1 ? leaf_get(s, *e, work)
                    : table_entry_get(s, level, *e, work);
    if (!rc)
        *e = entry_adjust(level, *e);
    return rc;
}

void entry_put(struct pv_space *s, unsigned int level, uint64_t e,
               struct page_work *work)
{
    struct frame *f;

    if (!(e & PTE_PRESENT))
        return;
    f = mfn_to_frame(pte_mfn(e));
    work->left -=
        f->owner == s->base.owner ? PAGE_WORK_PRESENT : PAGE_WORK_FREE;
    if (level > 1) {
        page_put_type(s, f);
        return;
    }
    if (e & PTE_WRITE)
        frame_put_type(f);
    pv_drop_frame(s, f);
}

/* Whether an update of @old to @e, both legal, holds what it did. */
static bool holds_same(uint64_t old, uint64_t e)
{
    return old & PTE_PRESENT && !((old ^ e) & ~PTE_FREE);
}

/* @table is valid, and stays so while the lock is held. */
static bool table_is_valid(struct pv_space *s, mfn_t table, unsigned int level)
{
    const struct frame *f = pv_frame(s, table);

    return f && frame_type(f) == level && frame_type_count(f);
}

/*
 * Write @e where *@old was seen.  False: with @exact, it is not *@old any more.
 * Else only accessed and dirty bits can have changed.  *@old is what was there.
 */
static bool entry_write(uint64_t *at, uint64_t *old, uint64_t e, bool keep_ad,
                        bool exact)
{
    if (!keep_ad && !exact) {
        *old = atomic_exchange(at, e);
        return true;
    }
    while (!atomic_cmpxchg(at, old, e | (keep_ad ? *old & PTE_AD : 0)))
        if (exact)
            return false;
    return true;
}

int entry_set(struct pv_space *s, mfn_t m, unsigned int level,
              unsigned int index, uint64_t e, bool keep_ad, uint64_t *expected,
              struct page_work *work)
{
    uint64_t *at, old;
    bool same;
    int rc = page_drop(s, work);

    if (rc)
        return rc;
    if (!table_is_valid(s, m, level) ||
        (level == 4 && index - HV_L4_FIRST < HV_L4_COUNT))
        return -EINVAL;

    at = (uint64_t *)mfn_to_virt(m) + index;
    old = atomic_read(at);
    if (expected && old != *expected) {
        *expected = old;
        return -EBUSY;
    }
    work->left--;

    same = e & PTE_PRESENT && entry_is_legal(level, e) &&
           holds_same(old, entry_adjust(level, e));
    if (same)
        e = entry_adjust(level, e);
    else
        rc = entry_get(s, level, &e, work);
    if (rc)
        return rc;

    if (!entry_write(at, &old, e, keep_ad, expected) && expected) {
        *expected = old;
        if (!same)
            entry_put(s, level, e, work);
        return -EBUSY;
    }
    if (!same && old & PTE_PRESENT) {
        s->stale = true;
        entry_put(s, level, old, work);
    }
    return 0;
}

int entry_map_grant(struct pv_space *s, mfn_t table, unsigned int index,
                    uint64_t e)
{
    struct frame *f = mfn_to_frame(pte_mfn(e));
    struct page_work work = {0};
    uint64_t old;

    if (!table_is_valid(s, table, 1))
        return -EINVAL;
    if (!frame_try_get(f))
        return -EBUSY;
    if (e & PTE_WRITE && !frame_get_type(f, FRAME_WRITABLE)) {
        frame_put(f);
        return -EBUSY;
    }
    old = atomic_exchange((uint64_t *)mfn_to_virt(table) + index,
                          entry_adjust(1, e));
    if (old & PTE_PRESENT) {
        s->stale = true;
        entry_put(s, 1, old, &work);
    }
    return 0;
}

int entry_unmap_grant(struct pv_space *s, mfn_t table, unsigned int index,
                      mfn_t expected, bool write)
{
    struct page_work work = {0};
    uint64_t *at, old;

    if (!table_is_valid(s, table, 1))
        return -EINVAL;
    at = (uint64_t *)mfn_to_virt(table) + index;
    old = atomic_read(at);
    if (!(old & PTE_PRESENT) || !mfn_eq(pte_mfn(old), expected) ||
        !(old & PTE_WRITE) == write)
        return -EINVAL;
    old = atomic_exchange(at, 0);
    s->stale = true;
    entry_put(s, 1, old, &work);
    return 0;
}
