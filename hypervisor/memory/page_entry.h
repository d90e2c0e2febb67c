/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of a pv domain's page tables: what may be in one, and changing one;
 * docs/abi/paging.md.  The space's lock is held in all of these.
 */

#pragma once

#include "arch/x86_64/paging.h"
#include "memory/page_type.h"

/* A page of the guest's kernel. */
#define PTE_GUEST_KERNEL (1UL << 52)

#define PTE_AD    (PTE_ACCESSED | PTE_DIRTY)
#define PTE_AVAIL (7UL << 9 | 0x7ffUL << 52) /* the processor ignores them */

/* What an entry can differ in and hold the same. */
#define PTE_FREE (PTE_AD | PTE_AVAIL | PTE_USER | PTE_NX)

/* Memory types are not the guest's, and no superpages, at any level. */
#define PTE_REFUSED (PTE_PWT | PTE_PCD | PTE_LARGE)

static inline bool entry_is_legal(unsigned int level, uint64_t e)
{
    return !(e & (level == 1 ? PTE_REFUSED : PTE_REFUSED | PTE_GLOBAL));
}

/*
 * Guests' kernels run in ring 3 as their users do.  What was a kernel's page is
 * marked, what is a user's becomes global.
 */
static inline uint64_t entry_adjust(unsigned int level, uint64_t e)
{
    if (level == 1) {
        if (!(e & PTE_USER))
            e |= PTE_GUEST_KERNEL;
        if (!(e & PTE_GUEST_KERNEL))
            e |= PTE_GLOBAL;
    } else if (level == 4) {
        e |= PTE_ACCESSED;
    }
    return e | PTE_USER;
}

/*
 * Take what entry @e of a table of @level needs, and adjust its bits; or let go
 * of it.  Errors of an entry; -EAGAIN.  The drop queue is not worked on.
 */
int __must_check entry_get(struct pv_space *s, unsigned int level, uint64_t *e,
                           struct page_work *work);
void entry_put(struct pv_space *s, unsigned int level, uint64_t e,
               struct page_work *work);

/*
 * Make entry @index of table @m @e; with @keep_ad its accessed and dirty bits
 * stay.  With @expected, only if it is *@expected now: -EBUSY and what it is,
 * if not (it differs: -EBUSY of @e itself leaves it alone).  Other errors of an
 * entry, -EINVAL also if @m is not a valid table of @level of this domain,
 * or the entry is the hypervisor's; -EAGAIN.
 *
 * What it costs is taken off @work: a caller with many stops when that is used
 * up.  The queue is worked on first, not last.
 */
int __must_check entry_set(struct pv_space *s, mfn_t m, unsigned int level,
                           unsigned int index, uint64_t e, bool keep_ad,
                           uint64_t *expected, struct page_work *work);

/*
 * The entry of level 1 that maps @va under @l4.  NULL: the tables above it are
 * not all there, or @va is no guest's.
 */
static __in_place uint64_t *entry_find(mfn_t l4, vaddr_t va)
{
    const uint64_t sign = 1UL << 47;
    uint64_t *table = mfn_to_virt(l4);

    if (unlikely(va + sign >= 2 * sign) ||
        unlikely(va - HV_VIRT_START < HV_VIRT_END - HV_VIRT_START))
        return NULL;
    _Pragma("GCC unroll 3") for (unsigned int level = 4; level > 1; level--)
    {
        uint64_t e = atomic_read(&table[pt_index(va, level)]);

        if (unlikely(!(e & PTE_PRESENT)))
            return NULL;
        table = mfn_to_virt(pte_mfn(e));
    }
    return &table[pt_index(va, 1)];
}

/*
 * A grant's entry: made and unmade without the domain owning what is mapped.
 * While it is there it holds the frame as any other entry does, beside the
 * grant; the guest can lose it in any way in which it can lose an entry.
 * Before the grant lets go of the frame, all CPUs have to be flushed.
 *
 * Map: whatever was there is replaced.  -EINVAL: no L1 table of this domain;
 * -EBUSY: the frame cannot be had.  Unmap: -EINVAL: the entry does not map
 * @expected so.
 */
int __must_check entry_map_grant(struct pv_space *s, mfn_t table,
                                 unsigned int index, uint64_t e);
int __must_check entry_unmap_grant(struct pv_space *s, mfn_t table,
                                   unsigned int index, mfn_t expected,
                                   bool write);
