/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a call is about: its caller, or with the right to that another domain.
 */

#ifndef HYPERCALL_SUBJECT_H
#define HYPERCALL_SUBJECT_H

#include <abi/domid.h>

#include "domain/policy.h"
#include "lib/compiler.h"

/*
 * The domain that @domid names, held.  -ESRCH: there is none; -EPERM: it is not
 * the caller, which may not do @operation to others.
 */
int __must_check subject_get(domid_t domid, enum policy_operation operation,
                             struct domain **subject);

#endif /* HYPERCALL_SUBJECT_H */
