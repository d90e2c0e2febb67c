/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries of a pv domain's page tables: what may be in one (ABI 4.2, 4.3), and
 * changing one.  The space's lock is held in all of these.
 */

#ifndef MEMORY_PAGE_ENTRY_H
#define MEMORY_PAGE_ENTRY_H

#include "memory/page_type.h"

/*
 * Take what entry @e of a table of @level needs, and adjust its bits.  Errors
 * of ABI 4.1; -EAGAIN.
 */
int __must_check entry_get(struct pv_space *s, unsigned int level, uint64_t *e,
                           struct page_work *work);
void entry_put(struct pv_space *s, unsigned int level, uint64_t e);

/*
 * Make entry @index of table @m, which is valid and held by the caller, @e;
 * with @keep_ad its accessed and dirty bits stay.  With @expected, only if it
 * is *@expected now: -EBUSY and what it is, if not.
 */
int __must_check entry_set(struct pv_space *s, mfn_t m, unsigned int level,
                           unsigned int index, uint64_t e, bool keep_ad,
                           uint64_t *expected, struct page_work *work);

/*
 * What maps @va under @l4: the L1 table and the index in it.  False: the tables
 * above it are not all there, or @va is the hypervisor's.
 */
bool __must_check entry_find(mfn_t l4, vaddr_t va, mfn_t *table,
                             unsigned int *index);

/* A grant's entry: made and unmade without the domain owning what is mapped. */
int __must_check entry_map_grant(struct pv_space *s, mfn_t table,
                                 unsigned int index, uint64_t e);
int __must_check entry_unmap_grant(struct pv_space *s, mfn_t table,
                                   unsigned int index, mfn_t expected,
                                   bool write);

#endif /* MEMORY_PAGE_ENTRY_H */
