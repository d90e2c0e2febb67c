/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forgetting translations.  Only the first CPU runs so far, so a mask can name
 * no other; sending the request on to others is the work of SMP.
 */

#include "arch/x86_64/tlb.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/percpu.h"
#include "lib/assert.h"

static bool flush_here(uint64_t cpus)
{
    uint64_t here = 1UL << this_cpu(cpu_id);

    assert(!(cpus & ~here));
    return cpus & here;
}

void tlb_flush_page(uint64_t cpus, vaddr_t va)
{
    if (flush_here(cpus))
        __asm__ __volatile__("invlpg (%0)" : : "r"(va) : "memory");
}

void tlb_flush(uint64_t cpus)
{
    if (flush_here(cpus))
        write_cr3(read_cr3());
}
