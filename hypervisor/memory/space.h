/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What address spaces of both classes have in common: a lock, an owner, and
 * the CPUs on which they are loaded.  It is the first member of either.
 *
 * Fields: (c) constant, (a) atomic.
 */

#pragma once

#include <abi/domid.h>

#include "arch/x86_64/percpu.h"
#include "core/lock.h"

struct space {
    struct spinlock lock; /* of rank space */
    domid_t owner;        /* (c) */
    bool global;          /* (c) it has translations that CR3 does not flush */
    uint64_t live_cpus;   /* (a) CPUs that may hold translations */
};

/* The space in this CPU's CR3; NULL: none, the hypervisor's own tables. */
DECLARE_PER_CPU(struct space *, loaded_space);

/* Its L4 table there. */
DECLARE_PER_CPU(mfn_t, loaded_root);

void space_init(struct space *s, domid_t owner);

/* Load @s by its L4 @root; what the guest runs on under xpti is @guest_root. */
void space_load(struct space *s, mfn_t root, mfn_t guest_root);

/* Load the hypervisor's own tables on this CPU: no space is loaded any more. */
void space_unload(void);
