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

/* An entry of a class pv domain may be seen at any address: flush all. */
static __in_place bool __must_check leaf_unmap(const struct domain *d,
                                               const struct maptrack *track,
                                               struct tlb_batch *batch)
{
    mfn_t m = mfn(track->mfn);

    if (likely(!d->pv))
        return !light_unmap_granted(d->space, track->host_addr, m, batch);
    tlb_batch_add_all(batch);
    return leaf_unmap_pv(d, track->host_addr, track->is_entry, m,
                         track->writable);
}

static __in_place bool __must_check
leaf_map(const struct domain *d, const struct gnttab_map_grant_ref *op, mfn_t m)
{
    if (unlikely(d->pv))
        return leaf_map_pv(d, op, m);
    return likely(!light_map_granted(d->space, op->host_addr, m,
                                     !(op->flags & GNTMAP_readonly)));
}

/* What batches translations of @d's space. */
static __in_place void leaf_batch(const struct domain *d,
                                  struct tlb_batch *batch)
{
    tlb_batch_init(batch, unlikely(d->pv) ? &d->pv->base : &d->space->base);
}
