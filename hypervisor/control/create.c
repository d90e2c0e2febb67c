/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and ending other domains. */

#include "control/control.h"
#include "domain/vcpu.h"

/* The subject of the operation is a name for the caller: no id is wanted. */
int control_create(struct control_op *op)
{
    struct domain_config config = {
        .domid = op->domid,
        .create = op->u.create,
    };
    struct domain *d;
    int rc;

    if (config.create.rights & ~current->domain->rights)
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
