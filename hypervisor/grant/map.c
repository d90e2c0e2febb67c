/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mapping others' grants, and unmapping them.
 *
 * The granter's lock and the mapper's are taken one after the other, never
 * together: a record is taken first, then the entry pinned, then the leaf
 * written, and only a complete record counts as mapped.  Unmapping frees the
 * record with the leaf, so that no other vCPU can unmap it again, and lets the
 * frame go only when the flush is done.
 */

#include "grant/grant.h"

#include "grant/active.h"
#include "grant/leaf.h"

/* What @track stands for, from here on; its reference to @granter stays. */
static __in_place void map_commit(struct domain *d, struct domain *granter,
                                  struct gnttab_map_grant_ref *op, mfn_t m,
                                  struct maptrack *track, bool light)
{
    track->granter = granter;
    track->ref = op->ref;
    track->mfn = (uint32_t)m.raw;
    track->host_addr = op->host_addr;

    /* A guess at the handle by another vCPU sees all of it or nothing. */
    __atomic_store_n(&track->flags, (uint8_t)op->flags, __ATOMIC_RELEASE);

    op->handle = track->handle;
    op->dev_bus_addr =
        !light || d->rights & DOMAIN_RIGHT_DEVICE ? mfn_to_maddr(m) : 0;
}

/* Pin, and write the leaf if one is wanted. */
static __in_place int16_t map_from(struct domain *d, struct domain *granter,
                                   struct gnttab_map_grant_ref *op, bool write,
                                   bool light)
{
    struct maptrack *track = maptrack_alloc(d->grants);
    struct grant_pin pin;
    int16_t status;

    if (unlikely(!track))
        return GNTST_no_space;
    status = grant_pin(granter, op->ref, d->domid, write, light, &pin);
    if (likely(!status)) {
        if (unlikely(!op->host_addr) ||
            likely(leaf_map(d, op, &pin, write, light))) {
            map_commit(d, granter, op, pin.mfn, track, light);
            return GNTST_okay;
        }
        grant_unpin(granter, &pin, write);
        status = GNTST_general_error;
    }
    SPIN_GUARD(&d->grants->lock);
    maptrack_free(d->grants, track);
    return status;
}

/* For a domain of class @light, or of class pv. */
static __in_place int16_t map(struct domain *d, struct gnttab_map_grant_ref *op,
                              bool light)
{
    struct domain *granter;
    int16_t status;

    if (unlikely(!(op->flags & MAPTRACK_HALVES)))
        return GNTST_bad_gntref;
    /* Class light has no page table entries that a guest could name. */
    if (light && unlikely(op->flags & GNTMAP_contains_pte))
        return GNTST_general_error;
    /* From here on, and in the record, 0 says that there is no leaf. */
    if (unlikely(!(op->flags & GNTMAP_host_map)))
        op->host_addr = 0;
    else if (unlikely(!op->host_addr))
        return GNTST_general_error;
    if (light && unlikely(op->flags & GNTMAP_device_map) &&
        !policy_allows(d, POLICY_machine_address))
        return GNTST_permission_denied;

    granter = domain_get(op->dom);
    if (unlikely(!granter))
        return GNTST_bad_domain;
    if (op->flags & GNTMAP_readonly)
        status = map_from(d, granter, op, false, light);
    else
        status = map_from(d, granter, op, true, light);
    if (unlikely(status))
        domain_put(granter);
    return status;
}

void grant_map(struct domain *d, struct gnttab_map_grant_ref *op)
{
    op->status = unlikely(d->pv) ? map(d, op, false) : map(d, op, true);
}

/* Unmap what @op asks for of what is mapped. */
static __in_place int16_t unmap_halves(struct domain *d, struct maptrack *track,
                                       const struct gnttab_unmap_grant_ref *op,
                                       bool light, struct tlb_batch *batch)
{
    uint8_t left = track->flags;

    if (unlikely(op->dev_bus_addr) && left & GNTMAP_device_map &&
        op->dev_bus_addr != mfn_to_maddr(mfn(track->mfn)))
        return GNTST_bad_dev_addr;
    if (likely(op->host_addr)) {
        if (unlikely(op->host_addr != track->host_addr) ||
            unlikely(!leaf_unmap(d, track, light, batch)))
            return GNTST_general_error;
        track->host_addr = 0;
        left &= (uint8_t)~GNTMAP_host_map;
    }
    if (unlikely(op->dev_bus_addr)) {
        left &= (uint8_t)~GNTMAP_device_map;
        if (!op->host_addr) /* Who unmapped that may not have flushed yet. */
            tlb_batch_add_all(batch);
    }
    track->flags = left;
    return GNTST_okay;
}

/*
 * True: nothing of it is mapped any more.  Its record, a copy of which is @end,
 * is free; what that says it holds is to be let go of after the flush.
 */
static __in_place bool unmap_begin(struct domain *d,
                                   struct gnttab_unmap_grant_ref *op,
                                   bool light, struct tlb_batch *batch,
                                   struct maptrack *end)
{
    struct grant_table *t = d->grants;
    struct maptrack *track;

    spin_lock(&t->lock);
    track = maptrack_at(t, op->handle);
    if (track &&
        __atomic_load_n(&track->flags, __ATOMIC_ACQUIRE) & MAPTRACK_HALVES) {
        op->status = unmap_halves(d, track, op, light, batch);
        if (likely(!(track->flags & MAPTRACK_HALVES))) {
            *end = *track;
            maptrack_free(t, track);
            spin_unlock(&t->lock);
            return true;
        }
    } else {
        op->status = GNTST_bad_handle;
    }
    spin_unlock(&t->lock);
    return false;
}

/*
 * No CPU reaches the frame any more.  No lock to find the entry: what is pinned
 * stays where it is.
 */
static __in_place void let_go(const struct maptrack *end)
{
    struct domain *granter = end->granter;
    const struct grant_table *t = granter->grants;
    struct grant_pin pin = {.frame = mfn_to_frame(mfn(end->mfn))};

    if (end->ref >= atomic_read(&t->frame_count) * GRANT_ENTRIES_PER_FRAME ||
        !grant_find(t, end->ref, &pin))
        grant_not_pinned(granter);
    grant_unpin(granter, &pin, !(end->flags & GNTMAP_readonly));
    domain_put(granter);
}

/* The usual, apart because it is shorter. */
static __in_place void unmap_one(struct domain *d,
                                 struct gnttab_unmap_grant_ref *op, bool light)
{
    struct tlb_batch batch;
    struct maptrack end;

    leaf_batch(d, light, &batch);
    if (unlikely(!unmap_begin(d, op, light, &batch, &end)))
        end.granter = NULL;
    tlb_batch_flush(&batch);
    if (likely(end.granter))
        let_go(&end);
}

static __noinline void unmap_many(struct domain *d,
                                  struct gnttab_unmap_grant_ref *ops,
                                  unsigned int count)
{
    struct maptrack ends[GRANT_UNMAP_BATCH], *end = ends;
    struct tlb_batch batch;

    leaf_batch(d, !d->pv, &batch);
    for (unsigned int i = 0; i < count && i < GRANT_UNMAP_BATCH; i++)
        end += unmap_begin(d, &ops[i], !d->pv, &batch, end);
    tlb_batch_flush(&batch);
    while (end > ends)
        let_go(--end);
}

void grant_unmap(struct domain *d, struct gnttab_unmap_grant_ref *ops,
                 unsigned int count)
{
    if (unlikely(count != 1))
        unmap_many(d, ops, count);
    else if (unlikely(d->pv))
        unmap_one(d, ops, false);
    else
        unmap_one(d, ops, true);
}

void grant_undo(struct domain *d, struct maptrack *track)
{
    struct tlb_batch batch;

    /* In class pv what entries held went with the tables. */
    leaf_batch(d, true, &batch);
    if (!d->pv && track->host_addr && !leaf_unmap(d, track, true, &batch))
        panic("domain %u has lost a mapped grant", d->domid);
    tlb_batch_flush(&batch);
    let_go(track);
    d->grants->maptrack_used--;
}
