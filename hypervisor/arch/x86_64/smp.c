/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs asking each other. */

#include "arch/x86_64/smp.h"

#include "arch/x86_64/percpu.h"
#include "arch/x86_64/return_path.h"
#include "lib/assert.h"

unsigned int cpu_count = 1;

void cpu_kick(unsigned int cpu)
{
    per_cpu(slow_return, cpu) = true;
}

void cpus_serve(void)
{
}

void cpus_run(uint64_t cpus, void (*run)(uintptr_t arg), uintptr_t arg)
{
    assert(!(cpus & ~cpus_all()));
    if (cpus >> this_cpu(cpu_id) & 1)
        run(arg);
}
