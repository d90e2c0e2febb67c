/* SPDX-License-Identifier: BSD-2-Clause */
/* The operations of control_op about domains. */

#include "control/control.h"

#include "domain/vcpu.h"
#include "event/evtchn.h"
#include "grant/grant.h"
#include "memory/light.h"

/* --- Making and ending other domains ------------------------------------- */

/* The subject of the operation is a name for the caller: no id is wanted. */
int control_create(struct control_op *op)
{
    struct domain_config config = {
        .domid = op->domid,
        .rights = op->u.create.rights,
        .create = op->u.create,
    };
    struct domain *d;
    int rc;

    if (op->domid != DOMID_INVALID && op->domid >= DOMAIN_MAX)
        return -EINVAL;
    if (config.rights & ~current->domain->rights)
        return -EPERM;
    rc = domain_create(&config, &d);
    if (rc)
        return rc;
    op->domid = d->domid;
    domain_put(d);
    return 0;
}

int control_destroy(domid_t domid)
{
    struct domain *d = domain_get_next(domid);
    int rc;

    if (!d)
        return -ESRCH;
    rc = d->domid == domid ? domain_destroy(d) : -ESRCH;
    domain_put(d);
    return rc;
}

/* --- Filling a domain before its first start, and looking into it later -- */

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

/* --- What there is to say about each domain ------------------------------ */

/* Domains described before pending work is looked at. */
#define LIST_QUANTUM 8

static void describe(struct domain *d, struct control_domain_info *info)
{
    domain_info(d, info);
    evtchn_counts(d, &info->ports_used, &info->ports_max);
    grant_counts(d, &info->grant_frames_used, &info->grant_frames_max,
                 &info->maptrack_used, &info->maptrack_max);
}

/* The next one; -ENODATA: there is none. */
static int list_one(struct control_op *op)
{
    struct control_list *list = &op->u.list;
    struct control_domain_info info;
    struct domain *d = domain_get_next(op->domid);

    if (!d)
        return -ENODATA;
    describe(d, &info);
    domain_put(d);
    if (copy_to_guest(guest_ptr(list->buffer), &info, sizeof(info)))
        return -EFAULT;
    op->domid = (domid_t)(info.domid + 1);
    list->buffer += sizeof(info);
    list->room--;
    list->count++;
    return 0;
}

int control_list(struct control_op *op)
{
    for (int n = 0; op->u.list.room; n++) {
        int rc = n < LIST_QUANTUM ? list_one(op) : -EAGAIN;

        if (rc)
            return rc == -ENODATA ? 0 : rc;
    }
    return 0;
}
