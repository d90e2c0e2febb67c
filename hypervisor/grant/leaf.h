/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page that a grant is mapped at: in class light one of the grant window,
 * in class pv whatever level-1 entry the guest names.
 */

#pragma once

#include <abi/grant_table.h>

#include "domain/pv_vcpu.h"
#include "grant/active.h"
#include "memory/entry_near.h"
#include "memory/light_near.h"

/* The guest's three bits in an entry are these of a map's flags. */
#define AVAIL_FLAGS (7U << 16)
#define AVAIL_SHIFT (16 - 9)

/* The entry at a machine address, of a table that may be none. */
bool __must_check leaf_map_entry(struct pv_space *s, uint64_t address,
                                 uint64_t e);
bool __must_check leaf_unmap_entry(struct pv_space *s, uint64_t address,
                                   mfn_t m, bool write);

/* Class pv: write the entry, unwrite it.  False: there is none, or not that. */
static __in_place bool __must_check
leaf_map_pv(struct pv_space *s, const struct gnttab_map_grant_ref *op,
            const struct grant_pin *pin, bool write)
{
    uint64_t e =
        pte_make(pin->mfn, PTE_PRESENT | PTE_ACCESSED | PTE_DIRTY | PTE_NX |
                               (write ? PTE_WRITE : 0) |
                               (op->flags & AVAIL_FLAGS) >> AVAIL_SHIFT);
    uint64_t *at;

    if (unlikely(op->flags & GNTMAP_application_map))
        e |= PTE_USER;
    if (unlikely(op->flags & GNTMAP_contains_pte))
        return leaf_map_entry(s, op->host_addr, e);
    SPIN_GUARD(&s->base.lock);
    at = entry_find(current->pv->entry.kernel_l4, op->host_addr);
    return likely(at) && likely(entry_near_map(s, at, e, pin->frame));
}

static __in_place bool __must_check leaf_unmap_pv(struct pv_space *s,
                                                  const struct maptrack *track,
                                                  mfn_t m)
{
    bool write = !(track->flags & GNTMAP_readonly);
    uint64_t *at;

    if (unlikely(track->flags & GNTMAP_contains_pte))
        return leaf_unmap_entry(s, track->host_addr, m, write);
    SPIN_GUARD(&s->base.lock);
    at = entry_find(current->pv->entry.kernel_l4, track->host_addr);
    return likely(at) && likely(entry_near_unmap(s, at, m, write));
}

/* Of a domain of class @light, or of class pv: its entry may be seen anywhere.
 */
static __in_place bool __must_check leaf_unmap(const struct domain *d,
                                               const struct maptrack *track,
                                               bool light,
                                               struct tlb_batch *batch)
{
    mfn_t m = mfn(track->mfn);

    if (light)
        return likely(
            !light_unmap_granted(d->space, track->host_addr, m, batch));
    tlb_batch_add_all(batch);
    return leaf_unmap_pv(d->pv, track, m);
}

static __in_place bool __must_check
leaf_map(const struct domain *d, const struct gnttab_map_grant_ref *op,
         const struct grant_pin *pin, bool write, bool light)
{
    if (!light)
        return leaf_map_pv(d->pv, op, pin, write);
    return likely(!light_map_granted(d->space, op->host_addr, pin->mfn, write));
}

/* What batches translations of @d's space. */
static __in_place void leaf_batch(const struct domain *d, bool light,
                                  struct tlb_batch *batch)
{
    tlb_batch_init(batch, light ? &d->space->base : &d->pv->base);
}
