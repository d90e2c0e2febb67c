/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may do what to others: one table, and one function that asks it.
 *
 * A right is a bit of struct domain.rights (DOMAIN_RIGHT_*).  What a domain
 * does to itself needs none.
 */

#pragma once

#include "domain/domain.h"

/* X-macro: POLICY(operation, the right it needs), which is its value. */
#define POLICIES(POLICY)                                                       \
    POLICY(host_info, CONTROL)      /* control_op host_info */                 \
    POLICY(create, CONTROL)         /* control_op create */                    \
    POLICY(destroy, CONTROL)        /* control_op destroy */                   \
    POLICY(pause, CONTROL)          /* control_op pause, unpause */            \
    POLICY(build, CONTROL)          /* set_region, set_start, seed_grant */    \
    POLICY(copy, CONTROL)           /* control_op copy_to, copy_from */        \
    POLICY(list, CONTROL)           /* control_op list */                      \
    POLICY(shutdown, CONTROL)       /* shutdown, SCHEDOP_remote_shutdown */    \
    POLICY(log_read, CONTROL)       /* control_op log_read */                  \
    POLICY(module, CONTROL)         /* control_op module */                    \
    POLICY(set_sched, CONTROL)      /* control_op set_sched */                 \
    POLICY(debug_key, CONTROL)      /* control_op debug_key */                 \
    POLICY(other_ports, CONTROL)    /* alloc_unbound, status, reset of d */    \
    POLICY(other_memory, CONTROL)   /* memory_op's questions about d */        \
    POLICY(last_memory, CONTROL)    /* the last of the metadata reserve */     \
    POLICY(device, DEVICE)          /* device_op, all of it */                 \
    POLICY(machine_address, DEVICE) /* dev_bus_addr of a grant mapping */      \
    POLICY(machine_map, DEVICE)     /* memory_op machine_memory_map */         \
    POLICY(console, CONSOLE)        /* console_io read, unlimited write */     \
    POLICY(power, POWER)            /* its shutdown is the machine's */

enum policy_operation {
#define POLICY_ENUM_(operation, right)                                         \
    POLICY_##operation = DOMAIN_RIGHT_##right,
    POLICIES(POLICY_ENUM_)
#undef POLICY_ENUM_
};

static inline bool policy_allows(const struct domain *d,
                                 enum policy_operation operation)
{
    return d->rights & operation;
}
