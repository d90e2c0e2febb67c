/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page that a grant is mapped at: in class light one of the grant window,
 * in class pv whatever level-1 entry the guest names.
 */

#pragma once

#include <abi/grant_table.h>

#include "domain/domain.h"
#include "grant/table.h"
#include "memory/light.h"
#include "memory/pv_space.h"
#include "memory/space.h"

/* Class pv: write the entry, unwrite it.  False: there is none, or not that. */
bool __must_check leaf_map_pv(const struct domain *d,
                              const struct gnttab_map_grant_ref *op, mfn_t m);
bool __must_check leaf_unmap_pv(const struct domain *d, uint64_t host_addr,
                                bool is_entry, mfn_t m, bool write);

/*
 * Class light goes first, and pays nothing for the other: a domain of class pv
 * has an empty space, where nothing can be mapped.  An entry of class pv may be
 * seen at any address: all is flushed.
 */
static __in_place bool __must_check leaf_unmap(const struct domain *d,
                                               const struct maptrack *track,
                                               struct tlb_batch *batch)
{
    mfn_t m = mfn(track->mfn);

    if (likely(!light_unmap_granted(d->space, track->host_addr, m, batch)))
        return true;
    if (!d->pv)
        return false;
    tlb_batch_add_all(batch);
    return leaf_unmap_pv(d, track->host_addr,
                         track->flags & GNTMAP_contains_pte, m,
                         maptrack_writes(track));
}

static __in_place bool __must_check
leaf_map(const struct domain *d, const struct gnttab_map_grant_ref *op, mfn_t m,
         bool write, bool light)
{
    if (!light)
        return leaf_map_pv(d, op, m);
    return likely(!light_map_granted(d->space, op->host_addr, m, write));
}

/* What batches translations of @d's space. */
static __in_place void leaf_batch(const struct domain *d,
                                  struct tlb_batch *batch)
{
    tlb_batch_init(batch, unlikely(d->pv) ? &d->pv->base : &d->space->base);
}
