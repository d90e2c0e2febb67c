/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushing what was gathered. */

#include "memory/tlb_batch.h"

#include "arch/x86_64/tlb.h"
#include "lib/atomic.h"
#include "memory/light.h"

void tlb_batch_flush(struct tlb_batch *batch)
{
    uint64_t cpus;

    if (batch->count == 0)
        return;

    /* The leaf was written by an instruction that is a full barrier. */
    cpus = atomic_read(&batch->space->live_cpus);
    if (cpus && batch->count > TLB_BATCH_PAGES) {
        tlb_flush(cpus);
    } else if (cpus) {
        for (unsigned int i = 0; i < batch->count; i++)
            tlb_flush_page(cpus, batch->va[i]);
    }
    batch->count = 0;
}
