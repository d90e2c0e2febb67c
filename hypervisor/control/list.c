/* SPDX-License-Identifier: BSD-2-Clause */
/* What there is to say about each domain. */

#include "control/control.h"
#include "event/evtchn.h"
#include "grant/grant.h"

/* Domains described before pending work is looked at. */
#define LIST_QUANTUM 8

/* The next one; -ENODATA: there is none. */
static int list_one(struct control_op *op)
{
    struct control_list *list = &op->u.list;
    struct control_domain_info info;
    struct domain *d = domain_get_next(op->domid);

    if (!d)
        return -ENODATA;
    domain_info(d, &info);
    evtchn_counts(d, &info.ports_used, &info.ports_max);
    grant_counts(d, &info.grant_frames_used, &info.grant_frames_max,
                 &info.maptrack_used, &info.maptrack_max);
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
    int rc = 0;

    for (int n = 0; op->u.list.room && rc == 0; n++)
        rc = n < LIST_QUANTUM ? list_one(op) : -EAGAIN;
    return rc == -ENODATA ? 0 : rc;
}
