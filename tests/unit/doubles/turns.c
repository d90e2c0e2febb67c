/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUs of turns.h. */

#include "doubles/turns.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/smp.h"

/* The linker names where the section begins and ends. */
extern char __start_unit_percpu[], __stop_unit_percpu[];

unsigned int cpu_count = 1;
unsigned int cpus_current;

static char *variables[CPU_MAX]; /* of CPU 0: as they were at first */

void cpus_make(unsigned int count)
{
    size_t size = (size_t)(__stop_unit_percpu - __start_unit_percpu);
    bool first = !variables[0];

    cpu_count = count;
    cpus_current = 0;
    for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++) {
        if (!variables[cpu])
            variables[cpu] = aligned_alloc(64, (size + 63) & ~63UL);
        if (!variables[cpu])
            abort();
    }
    if (first)
        memcpy(variables[0], __start_unit_percpu, size);
    memcpy(__start_unit_percpu, variables[0], size);
    for (unsigned int cpu = 1; cpu < CPU_MAX; cpu++)
        memcpy(variables[cpu], variables[0], size);
}

void cpu_kick(unsigned int cpu)
{
    (void)cpu;
}

void cpus_run(uint64_t cpus, void (*run)(uintptr_t arg), uintptr_t arg)
{
    unsigned int here = cpus_current;

    for (cpus_current = 0; cpus_current < cpu_count; cpus_current++)
        if (cpus >> cpus_current & 1)
            run(arg);
    cpus_current = here;
}

void cpus_serve(void)
{
}

/* Last, for the compiler complains of its use once it has seen it. */
void *unit_test_percpu(void *of_first, int cpu)
{
    unsigned int n = cpu < 0 ? cpus_current : (unsigned int)cpu;

    if (n >= CPU_MAX)
        abort();
    return n ? variables[n] + ((char *)of_first - __start_unit_percpu)
             : of_first;
}
