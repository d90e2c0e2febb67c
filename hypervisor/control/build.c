/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling a domain before its first start, and looking into it later. */

#include "control/control.h"
#include "grant/grant.h"
#include "memory/light.h"

/*
 * Pages copied before pending work is looked at: 3,000 instructions each, if
 * both sides' are touched for the first time.
 */
#define COPY_QUANTUM_PAGES 8

int control_set_region(struct domain *d, struct control_set_region *op)
{
    uint64_t count = op->count < LIGHT_QUANTUM ? op->count : LIGHT_QUANTUM;
    int rc;

    if (d->started)
        return -EBUSY;
    rc = light_protect(d->space, gfn(op->gfn), count, op->prot, true);
    if (rc)
        return rc;
    op->gfn += count;
    op->count -= count;
    return op->count ? -EAGAIN : 0;
}

/*
 * What of @op lies in one page: between a frame of the other domain and the
 * caller's memory.
 */
static int copy_page(struct domain *d, struct control_copy *op, bool to)
{
    uint32_t room = (uint32_t)PAGE_SIZE - op->offset;
    uint32_t size = op->size < room ? op->size : room;
    bool text_too = to && !d->started;
    struct frame *f;
    char *there;
    int rc;

    rc = light_get_frame(d->space, gfn(op->gfn), to ? LIGHT_WRITE : LIGHT_READ,
                         text_too, &f);
    if (rc)
        return rc;
    there = (char *)mfn_to_virt(frame_to_mfn(f)) + op->offset;
    rc = to ? copy_from_guest(there, guest_ptr(op->buffer), size)
            : copy_to_guest(guest_ptr(op->buffer), there, size);
    frame_put(f);
    if (rc)
        return rc;

    op->buffer += size;
    op->size -= size;
    op->offset += size;
    if (op->offset == PAGE_SIZE) {
        op->offset = 0;
        op->gfn++;
    }
    return 0;
}

int control_copy(struct domain *d, struct control_copy *op, bool to)
{
    if (op->offset >= PAGE_SIZE || op->size > CONTROL_COPY_MAX)
        return -EINVAL;
    for (int n = 0; op->size; n++) {
        int rc = n < COPY_QUANTUM_PAGES ? copy_page(d, op, to) : -EAGAIN;

        if (rc)
            return rc;
    }
    return 0;
}

int control_seed_grant(struct domain *d, const struct control_seed_grant *op)
{
    if (op->ref >= GNTTAB_NR_RESERVED)
        return -EINVAL;
    return grant_seed(d, op->ref, op->to, gfn(op->gfn));
}
