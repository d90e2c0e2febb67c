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
    bool typed;             /* its own page is held as writable */
};

static __in_place int16_t own_open(struct domain *d,
                                   const struct gnttab_copy_ptr *ptr,
                                   bool write, struct end *end)
{
    struct grant_pin full; /* so that end->pin may stay in registers */
    int16_t status;

    if (unlikely(ptr->domid != DOMID_SELF))
        return GNTST_permission_denied;

    end->granter = NULL;
    end->typed = write && d->pv;
    if (unlikely(d->pv) && grant_pv_frame(d->pv, ptr->u.gmfn, write, &full)) {
        end->pin.frame = full.frame;
        end->pin.mfn = full.mfn;
        return GNTST_okay;
    }
    if (likely(light_near_frame(d->space, ptr->u.gmfn, write, &end->pin.mfn))) {
        end->pin.frame = mfn_to_frame(end->pin.mfn);
        return GNTST_okay;
    }
    status = grant_get_frame(d, ptr->u.gmfn, write, &full);
    if (status == GNTST_eagain) /* It is the caller that waits: calls again. */
        fault_repeat_call(gfn(ptr->u.gmfn));
    if (status)
        return status;
    /* Class light has no pages it cannot write so. */
    if (end->typed && !frame_get_type(full.frame, FRAME_WRITABLE)) {
        frame_put(full.frame);
        return GNTST_general_error;
    }
    end->pin.frame = full.frame;
    end->pin.mfn = full.mfn;
    return GNTST_okay;
}

static __in_place int16_t grant_open(struct domain *d,
                                     const struct gnttab_copy_ptr *ptr,
                                     bool write, struct end *end)
{
    int16_t status;

    end->typed = false;
    end->granter = domain_get_or_self(ptr->domid, d);
    if (unlikely(!end->granter))
        return GNTST_bad_domain;
    status = grant_pin(end->granter, ptr->u.ref, d->domid, write, &end->pin);
    if (unlikely(status))
        domain_put(end->granter);
    return status;
}

static __in_place int16_t end_open(struct domain *d,
                                   const struct gnttab_copy_ptr *ptr,
                                   bool is_grant, bool write, struct end *end)
{
    return is_grant ? grant_open(d, ptr, write, end)
                    : own_open(d, ptr, write, end);
}

static __in_place void end_close(const struct end *end, bool write)
{
    if (!end->granter) {
        if (unlikely(end->typed))
            frame_put_type(end->pin.frame);
        frame_put(end->pin.frame);
        return;
    }
    grant_unpin(end->granter, &end->pin, write);
    domain_put(end->granter);
}

static __in_place char *end_bytes(const struct end *end, uint16_t offset)
{
    return (char *)mfn_to_virt(end->pin.mfn) + offset;
}

void grant_copy(struct domain *d, struct gnttab_copy *op)
{
    struct end source, dest;

    op->status = GNTST_bad_copy_arg;
    if ((uint32_t)op->source.offset + op->len > PAGE_SIZE ||
        (uint32_t)op->dest.offset + op->len > PAGE_SIZE)
        return;

    op->status = end_open(d, &op->source, op->flags & GNTCOPY_source_gref,
                          false, &source);
    if (op->status)
        return;
    op->status =
        end_open(d, &op->dest, op->flags & GNTCOPY_dest_gref, true, &dest);
    if (!op->status) {
        bytes_copy(end_bytes(&dest, op->dest.offset),
                   end_bytes(&source, op->source.offset), op->len);
        end_close(&dest, true);
    }
    end_close(&source, false);
}
