/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What address spaces of both classes have in common: a lock, an owner, and
 * the CPUs on which they are loaded.  It is the first member of either.
 *
 * Fields: (c) constant, (a) atomic.
 */

#pragma once

#include <abi/domid.h>

#include "arch/x86_64/smp.h"
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

/* --- Batches of flushes (tlb_batch.c) ------------------------------------ */

/*
 * Flushes gathered over an operation: every place that removes a translation
 * or takes a right from one adds it here, and flushes before it lets the
 * frame go or returns to the guest.  So an operation on many pages costs one
 * round of flushing, whatever number of CPUs must take part.
 *
 * A batch lives on the stack of the operation and is for one space.
 */

/* From here on all of the space is flushed instead of page by page. */
#define TLB_BATCH_PAGES 16U

struct tlb_batch {
    struct space *space;
    unsigned int count;
    vaddr_t va[TLB_BATCH_PAGES];
};

static inline void tlb_batch_init(struct tlb_batch *batch, struct space *s)
{
    batch->space = s;
    batch->count = 0;
}

static inline void tlb_batch_add(struct tlb_batch *batch, vaddr_t va)
{
    if (batch->count < TLB_BATCH_PAGES)
        batch->va[batch->count] = va;
    batch->count++;
}

/* Add all pages of the space. */
static inline void tlb_batch_add_all(struct tlb_batch *batch)
{
    batch->count = TLB_BATCH_PAGES + 1;
}

/*
 * The batch's end: on return no CPU holds what was added.  A CPU that idles, or
 * whose L4 table nobody refers to any more, does not hold the space at all
 * then: so are the last ones got rid of.  Locks may be held.
 */
void tlb_batch_flush(const struct tlb_batch *batch);

/* The same, on the CPUs in @cpus only. */
void tlb_batch_flush_cpus(const struct tlb_batch *batch, uint64_t cpus);
