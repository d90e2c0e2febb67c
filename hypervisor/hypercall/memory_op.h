/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: what differs between the classes. */

#pragma once

#include <abi/memory.h>

#include "hypercall/hypercall.h"

/* As in Xen: the operation below, the number of extents done above. */
#define MEMORY_CMD_BITS 6
#define MEMORY_CMD_MASK ((1U << MEMORY_CMD_BITS) - 1)

/* Whether the domid of an argument is the caller's. */
static inline bool is_caller(const struct domain *d, domid_t domid)
{
    return domid == DOMID_SELF || domid == d->domid;
}

/* What answers otherwise, or at all, in class pv. */
#define MEMORY_CMDS_PV                                                         \
    (1UL << XENMEM_increase_reservation | 1UL << XENMEM_decrease_reservation | \
     1UL << XENMEM_populate_physmap | 1UL << XENMEM_exchange |                 \
     1UL << XENMEM_machphys_mapping | 1UL << XENMEM_add_to_physmap |           \
     1UL << XENMEM_remove_from_physmap | 1UL << XENMEM_add_to_physmap_batch)
long pv_memory_op(struct domain *d, uint64_t cmd, struct guest_ptr arg);
