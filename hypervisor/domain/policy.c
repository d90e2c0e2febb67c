/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may do what to others. */

#include "domain/policy.h"

bool policy_allows(const struct domain *d, enum policy_operation operation)
{
    static const uint32_t right[] = {
#define POLICY_RIGHT_(name, needed) [POLICY_##name] = DOMAIN_RIGHT_##needed,
        POLICIES(POLICY_RIGHT_)
#undef POLICY_RIGHT_
    };

    assert(operation < POLICY_COUNT);
    return d->rights & right[operation];
}
