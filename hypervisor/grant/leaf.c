/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of a class pv domain's own tables that map grants. */

#include "grant/leaf.h"

#include "arch/x86_64/paging.h"
#include "domain/pv_vcpu.h"
#include "memory/entry_near.h"

/* The guest's three bits in an entry are these of a map's flags. */
#define AVAIL_FLAG_SHIFT  16
#define AVAIL_ENTRY_SHIFT 9
#define AVAIL_MASK        7ULL

static unsigned int index_of(uint64_t address)
{
    return address % PAGE_SIZE / sizeof(uint64_t);
}

/* By its machine address; of a table that may be none. */
static bool map_entry(struct pv_space *s, uint64_t address, uint64_t e)
{
    return address % sizeof(uint64_t) == 0 &&
           !entry_map_grant(s, maddr_to_mfn(address), index_of(address), e);
}

bool leaf_map_pv(const struct domain *d, const struct gnttab_map_grant_ref *op,
                 mfn_t m)
{
    uint64_t avail = op->flags >> AVAIL_FLAG_SHIFT & AVAIL_MASK, *at;
    uint64_t e = pte_make(m, PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX |
                                 avail << AVAIL_ENTRY_SHIFT);
    struct pv_space *s = d->pv;
    bool ok;

    if (!(op->flags & GNTMAP_readonly))
        e |= PTE_WRITE;
    if (op->flags & GNTMAP_application_map)
        e |= PTE_USER;
    spin_lock(&s->base.lock);
    if (op->flags & GNTMAP_contains_pte) {
        ok = map_entry(s, op->host_addr, e);
    } else {
        at = entry_find(current->pv->entry.kernel_l4, op->host_addr);
        ok = likely(at) && likely(entry_near_map(s, at, e));
    }
    spin_unlock(&s->base.lock);
    return ok;
}

bool leaf_unmap_pv(const struct domain *d, uint64_t host_addr, bool is_entry,
                   mfn_t m, bool write)
{
    struct pv_space *s = d->pv;
    uint64_t *at;
    bool ok;

    spin_lock(&s->base.lock);
    if (is_entry) {
        ok = !entry_unmap_grant(s, maddr_to_mfn(host_addr), index_of(host_addr),
                                m, write);
    } else {
        at = entry_find(current->pv->entry.kernel_l4, host_addr);
        ok = likely(at) && likely(entry_near_unmap(s, at, m, write));
    }
    spin_unlock(&s->base.lock);
    return ok;
}
