/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flushes gathered over an operation: every place that removes a translation
 * or takes a right from one adds it here, and flushes before it lets the
 * frame go or returns to the guest.  So an operation on many pages costs one
 * round of flushing, whatever number of CPUs must take part.
 *
 * A batch lives on the stack of the operation and is for one space.
 */

#pragma once

struct space;

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
 * On return no CPU holds what was added; the batch is empty again.  A CPU that
 * idles, or whose L4 table nobody refers to any more, does not hold the space
 * at all then: so are the last ones got rid of.  Locks may be held.
 */
void tlb_batch_flush(struct tlb_batch *batch);

/* The same, on the CPUs in @cpus only. */
void tlb_batch_flush_cpus(struct tlb_batch *batch, uint64_t cpus);
