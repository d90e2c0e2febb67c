/* SPDX-License-Identifier: BSD-2-Clause */
/* Flushing what was gathered, on every CPU that may hold it. */

#include "memory/space.h"
#include "memory/frame.h"
#include "arch/x86_64/paging.h"
#include "memory/upcalls.h"

static __in_place void flush_here(const struct tlb_batch *batch)
{
    if (batch->count > TLB_BATCH_PAGES) {
        if (batch->space->global)
            tlb_flush_global();
        else
            tlb_flush();
        return;
    }
    for (unsigned int i = 0; i < batch->count; i++)
        tlb_flush_page(batch->va[i]);
}

/* By cpus_run().  The space may have been left since the mask was read. */
static void serve_flush(uintptr_t arg)
{
    const struct tlb_batch *batch = (const struct tlb_batch *)arg;

    if (this_cpu(loaded_space) != batch->space)
        return;
    if (upcall_cpu_idles() ||
        !frame_type_count(mfn_to_frame(this_cpu(loaded_root))))
        space_unload();
    else
        flush_here(batch);
}

static __in_place void flush(const struct tlb_batch *batch, uint64_t cpus)
{
    if (batch->count == 0)
        return;

    /*
     * The leaf was written by an instruction that is a full barrier.  A CPU
     * that is not in the mask yet will therefore read what is there now; one
     * that is not in it any more has done all it did with what was there.
     */
    cpus &= __atomic_load_n(&batch->space->live_cpus, __ATOMIC_ACQUIRE);
    if (likely(cpus == 1UL << this_cpu(cpu_id)))
        flush_here(batch);
    else if (cpus)
        cpus_run(cpus, serve_flush, (uintptr_t)batch);
}

void tlb_batch_flush(const struct tlb_batch *batch)
{
    flush(batch, ~0UL);
}

void tlb_batch_flush_cpus(const struct tlb_batch *batch, uint64_t cpus)
{
    flush(batch, cpus);
}
