/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a call is about. */

#include "hypercall/hypercall.h"

int subject_get(domid_t domid, enum policy_operation operation,
                struct domain **subject)
{
    struct domain *caller = current->domain;
    struct domain *d = domain_get_or_self(domid, caller);

    if (!d)
        return -ESRCH;
    if (d != caller && !policy_allows(caller, operation)) {
        domain_put(d);
        return -EPERM;
    }
    *subject = d;
    return 0;
}
