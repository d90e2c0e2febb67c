/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying between a domain's own pages and granted ones, or between grants.
 *
 * Both frames are held while the bytes move, and no lock is: the copy goes
 * through the direct map, where nothing can fault.
 */

#include "grant/grant.h"

#include "arch/x86_64/page_ops.h"
#include "domain/vcpu.h"
#include "grant/active.h"

/* One end of a copy. */
struct end {
    struct domain *granter; /* held; NULL: a page of the caller's own */
    struct grant_pin pin;   /* of its own page only mfn and frame */
};

/*
 * Page @g of the caller's own that needs more: it has no frame yet, or not the
 * type yet as which class pv holds what it writes.
 */
static __rare int16_t own_far(struct domain *d, uint64_t g, bool write,
                              struct grant_pin *pin)
{
    int16_t status = grant_get_frame(d, g, write, pin);

    if (status == GNTST_eagain) /* It is the caller that waits: calls again. */
        fault_repeat_call(gfn(g));
    if (!status && write && !d->pv)
        frame_put_type(pin->frame); /* Pinned, it keeps its rights anyway. */
    return status;
}

static __in_place int16_t own_open(struct domain *d,
                                   const struct gnttab_copy_ptr *ptr,
                                   bool write, bool light, struct end *end)
{
    struct grant_pin far; /* so that end->pin may stay in registers */
    int16_t status;

    if (unlikely(ptr->domid != DOMID_SELF))
        return GNTST_permission_denied;

    end->granter = NULL;
    end->pin.active = NULL;
    if (!light && likely(grant_pv_frame(d->pv, ptr->u.gmfn, write, &end->pin)))
        return GNTST_okay;
    if (light &&
        likely(light_near_frame(d->space, ptr->u.gmfn, write, &end->pin.mfn))) {
        end->pin.frame = mfn_to_frame(end->pin.mfn);
        return GNTST_okay;
    }
    status = own_far(d, ptr->u.gmfn, write, &far);
    end->pin = far;
    return status;
}

static __in_place int16_t grant_open(struct domain *d,
                                     const struct gnttab_copy_ptr *ptr,
                                     bool write, bool light, struct end *end)
{
    int16_t status;

    end->granter = domain_get_or_self(ptr->domid, d);
    if (unlikely(!end->granter))
        return GNTST_bad_domain;
    status =
        grant_pin(end->granter, ptr->u.ref, d->domid, write, light, &end->pin);
    if (unlikely(status))
        domain_put(end->granter);
    return status;
}

static __in_place int16_t end_open(struct domain *d,
                                   const struct gnttab_copy_ptr *ptr,
                                   bool is_grant, bool write, bool light,
                                   struct end *end)
{
    return is_grant ? grant_open(d, ptr, write, light, end)
                    : own_open(d, ptr, write, light, end);
}

/* What class pv writes of its own was held as writable, too. */
static __in_place void end_close(const struct domain *d, const struct end *end,
                                 bool write, bool light)
{
    if (!end->granter) {
        memory_let_go(d, end->pin.frame, write && !light);
        return;
    }
    grant_unpin(end->granter, &end->pin, write);
    domain_put(end->granter);
}

static __in_place char *end_bytes(const struct end *end, uint16_t offset)
{
    return (char *)mfn_to_virt(end->pin.mfn) + offset;
}

/* For a domain of class @light, or of class pv. */
static __in_place void copy(struct domain *d, struct gnttab_copy *op,
                            bool light)
{
    uint32_t farthest = MAX(op->source.offset, op->dest.offset);
    struct end source, dest;

    op->status = unlikely(farthest + op->len > PAGE_SIZE)
                     ? GNTST_bad_copy_arg
                     : end_open(d, &op->source, op->flags & GNTCOPY_source_gref,
                                false, light, &source);
    if (op->status)
        return;
    op->status = end_open(d, &op->dest, op->flags & GNTCOPY_dest_gref, true,
                          light, &dest);
    if (!op->status) {
        bytes_copy(end_bytes(&dest, op->dest.offset),
                   end_bytes(&source, op->source.offset), op->len);
        end_close(d, &dest, true, light);
    }
    end_close(d, &source, false, light);
}

void grant_copy(struct domain *d, struct gnttab_copy *op)
{
    copy(d, op, true);
}

void grant_copy_pv(struct domain *d, struct gnttab_copy *op)
{
    copy(d, op, false);
}
