/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping others' grants, and unmapping them.
 *
 * The granter's lock and the mapper's are taken one after the other, never
 * together: a handle is reserved first, then the entry pinned, then the leaf
 * written, and only a complete record becomes MAPPED.  Unmapping goes the
 * other way, and lets the frame go only when the flush is done.
 */

#include "grant/grant.h"

#include "grant/active.h"
#include "grant/leaf.h"
#include "grant/table.h"
#include "memory/space.h"

/* Pin, and write the leaf if one is wanted. */
static __in_place int16_t map_entry(struct domain *d, struct domain *granter,
                                    const struct gnttab_map_grant_ref *op,
                                    bool write, bool light,
                                    struct grant_pin *pin)
{
    int16_t status = grant_pin(granter, op->ref, d->domid, write, light, pin);

    if (unlikely(status) || !(op->flags & GNTMAP_host_map))
        return status;
    if (likely(leaf_map(d, op, pin->mfn, write, light)))
        return GNTST_okay;
    grant_unpin(granter, pin, write);
    return GNTST_general_error;
}

/* What @handle stands for, from here on; its reference to @granter stays. */
static __in_place void map_commit(struct domain *d, struct domain *granter,
                                  struct gnttab_map_grant_ref *op, mfn_t m,
                                  grant_handle_t handle, struct maptrack *track,
                                  bool light)
{
    track->granter = granter;
    track->ref = op->ref;
    track->mfn = (uint32_t)m.raw;
    track->host_addr = op->flags & GNTMAP_host_map ? op->host_addr : 0;
    track->flags = (uint8_t)op->flags;

    /* A guess at the handle by another vCPU sees all of it or nothing. */
    __atomic_store_n(&track->state, MAPTRACK_MAPPED, __ATOMIC_RELEASE);

    op->handle = handle;
    op->dev_bus_addr =
        !light || d->rights & DOMAIN_RIGHT_DEVICE ? mfn_to_maddr(m) : 0;
}

/* For a domain of class @light, or of class pv. */
static __in_place int16_t map_from(struct domain *d, struct domain *granter,
                                   struct gnttab_map_grant_ref *op, bool light)
{
    struct maptrack *track = NULL;
    grant_handle_t handle = maptrack_alloc(d->grants, &track);
    struct grant_pin pin;
    int16_t status;

    if (unlikely(handle == NO_HANDLE))
        return GNTST_no_space;
    if (op->flags & GNTMAP_readonly)
        status = map_entry(d, granter, op, false, light, &pin);
    else
        status = map_entry(d, granter, op, true, light, &pin);
    if (unlikely(status))
        maptrack_free(d->grants, handle, track);
    else
        map_commit(d, granter, op, pin.mfn, handle, track, light);
    return status;
}

/* Apart, so that class light's way stays as short as it can be. */
static __noinline int16_t map_for_pv(struct domain *d, struct domain *granter,
                                     struct gnttab_map_grant_ref *op)
{
    return map_from(d, granter, op, false);
}

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
    struct domain *granter;

    op->handle = 0;
    op->dev_bus_addr = 0;
    op->status = GNTST_bad_gntref;
    if (!(op->flags & (GNTMAP_device_map | GNTMAP_host_map)))
        return;

    /* Class light has no page table entries that a guest could name. */
    op->status = GNTST_general_error;
    if (op->flags & GNTMAP_contains_pte && !d->pv)
        return;
    /* In the record it would say that there is nothing to unmap. */
    if (op->flags & GNTMAP_host_map && !op->host_addr)
        return;
    op->status = GNTST_permission_denied;
    if ((op->flags & GNTMAP_device_map) && !d->pv &&
        !policy_allows(d, POLICY_machine_address))
        return;

    op->status = GNTST_bad_domain;
    granter = domain_get(op->dom);
    if (!granter)
        return;
    op->status = unlikely(d->pv) ? map_for_pv(d, granter, op)
                                 : map_from(d, granter, op, true);
    if (op->status)
        domain_put(granter);
}

/* A handle of which nothing is left when the flush is done. */
struct ending {
    grant_handle_t handle;
    struct maptrack *track;
};

/* Unmap what @op asks for of a MAPPED handle. */
static __in_place int16_t unmap_halves(struct domain *d, struct maptrack *track,
                                       const struct gnttab_unmap_grant_ref *op,
                                       struct tlb_batch *batch)
{
    if (op->dev_bus_addr && track->flags & GNTMAP_device_map &&
        op->dev_bus_addr != mfn_to_maddr(mfn(track->mfn)))
        return GNTST_bad_dev_addr;
    if (op->host_addr) {
        if (op->host_addr != track->host_addr || !leaf_unmap(d, track, batch))
            return GNTST_general_error;
        track->host_addr = 0;
    }
    if (op->dev_bus_addr) {
        track->flags &= (uint8_t)~GNTMAP_device_map;
        if (!op->host_addr) /* Who unmapped that may not have flushed yet. */
            tlb_batch_add_all(batch);
    }
    if (!track->host_addr && !(track->flags & GNTMAP_device_map))
        track->state = MAPTRACK_RESERVED;
    return GNTST_okay;
}

/* end->track: NULL unless the handle is at its end. */
static __in_place int16_t unmap_begin(struct domain *d,
                                      const struct gnttab_unmap_grant_ref *op,
                                      struct tlb_batch *batch,
                                      struct ending *end)
{
    struct grant_table *t = d->grants;
    struct maptrack *track;
    int16_t status;

    end->track = NULL;
    SPIN_GUARD(&t->lock);
    track = maptrack_at(t, op->handle);
    if (!track ||
        __atomic_load_n(&track->state, __ATOMIC_ACQUIRE) != MAPTRACK_MAPPED)
        return GNTST_bad_handle;
    status = unmap_halves(d, track, op, batch);
    if (track->state == MAPTRACK_RESERVED)
        *end = (struct ending){op->handle, track};
    return status;
}

void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *ops,
                 unsigned int count)
{
    struct ending endings[GRANT_UNMAP_BATCH], *end = endings;
    struct tlb_batch batch;

    leaf_batch(d, &batch);
    for (unsigned int i = 0; i < count && i < GRANT_UNMAP_BATCH; i++) {
        ops[i].status = unmap_begin(d, &ops[i], &batch, end);
        if (end->track)
            end++;
    }
    tlb_batch_flush(&batch);

    /* No CPU reaches these frames any more. */
    while (end > endings) {
        struct maptrack *track = (--end)->track;
        struct domain *granter = track->granter;

        grant_unpin_ref(granter, track->ref, maptrack_writes(track),
                        mfn_to_frame(mfn(track->mfn)));
        maptrack_free(d->grants, end->handle, track);
        domain_put(granter);
    }
}
