/* SPDX-License-Identifier: BSD-2-Clause */
/* One CPU for the units under test; it counts how often it is kicked. */

#include "arch/x86_64/smp.h"

unsigned int cpu_count = 1;
unsigned int cpu_kicks;

void cpu_kick(unsigned int cpu)
{
    (void)cpu;
    cpu_kicks++;
}

void cpus_run(uint64_t cpus, void (*run)(uintptr_t arg), uintptr_t arg)
{
    if (cpus & 1)
        run(arg);
}

void cpus_serve(void)
{
}
