/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of a class pv domain's own tables that map grants. */

#include "grant/leaf.h"

#include "arch/x86_64/paging.h"
#include "domain/pv_vcpu.h"
#include "memory/page_entry.h"

/* The guest's three bits in an entry are these of a map's flags. */
#define AVAIL_FLAG_SHIFT  16
#define AVAIL_ENTRY_SHIFT 9
#define AVAIL_MASK        7ULL

/* The entry that @host_addr names, in the current vCPU's tables. */
static bool find(uint64_t host_addr, bool is_entry, mfn_t *table,
                 unsigned int *index)
{
    if (!is_entry)
        return entry_find(current->pv->kernel_l4, host_addr, table, index);
    *table = maddr_to_mfn(host_addr);
    *index = host_addr % PAGE_SIZE / sizeof(uint64_t);
    return host_addr % sizeof(uint64_t) == 0;
}

bool leaf_map_pv(const struct domain *d, const struct gnttab_map_grant_ref *op,
                 mfn_t m)
{
    uint64_t entry =
        pte_make(m, PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX |
                        (op->flags >> AVAIL_FLAG_SHIFT & AVAIL_MASK)
                            << AVAIL_ENTRY_SHIFT);
    unsigned int index;
    mfn_t table;
    bool ok;

    if (!(op->flags & GNTMAP_readonly))
        entry |= PTE_WRITE;
    if (op->flags & GNTMAP_application_map)
        entry |= PTE_USER;
    spin_lock(&d->pv->base.lock);
    ok = find(op->host_addr, op->flags & GNTMAP_contains_pte, &table, &index) &&
         entry_map_grant(d->pv, table, index, entry) == 0;
    spin_unlock(&d->pv->base.lock);
    return ok;
}

bool leaf_unmap_pv(const struct domain *d, uint64_t host_addr, bool is_entry,
                   mfn_t m, bool write)
{
    unsigned int index;
    mfn_t table;
    bool ok;

    spin_lock(&d->pv->base.lock);
    ok = find(host_addr, is_entry, &table, &index) &&
         entry_unmap_grant(d->pv, table, index, m, write) == 0;
    spin_unlock(&d->pv->base.lock);
    return ok;
}
