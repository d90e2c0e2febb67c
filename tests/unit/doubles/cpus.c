/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUs of cpus.h. */

#include "doubles/cpus.h"

#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/percpu.h"
#include "arch/x86_64/smp.h"

#define VARIABLES_MAX 16U

unsigned int cpu_count = 1;
unsigned int cpus_current;

/* A variable: that of CPU 0, what it was at first, and the others'. */
static struct {
    void *first, *image, *others;
    unsigned long size;
} variables[VARIABLES_MAX];

void cpus_make(unsigned int count)
{
    cpu_count = count;
    cpus_current = 0;
    for (unsigned int i = 0; i < VARIABLES_MAX && variables[i].first; i++) {
        char *others = variables[i].others;

        memcpy(variables[i].first, variables[i].image, variables[i].size);
        for (unsigned int cpu = 1; cpu < CPU_MAX; cpu++)
            memcpy(others + cpu * variables[i].size, variables[i].image,
                   variables[i].size);
    }
}

static void *make_copies(unsigned int i, void *first, unsigned long size)
{
    char *others = malloc(CPU_MAX * size), *image = malloc(size);

    if (!others || !image)
        abort();
    variables[i].first = first;
    variables[i].size = size;
    variables[i].image = memcpy(image, first, size);
    for (unsigned int cpu = 0; cpu < CPU_MAX; cpu++)
        memcpy(others + cpu * size, first, size);
    return variables[i].others = others;
}

void *unit_test_per_cpu(void *first, unsigned long size, unsigned int cpu)
{
    unsigned int i = 0;

    if (cpu == UNIT_TEST_THIS_CPU)
        cpu = cpus_current;
    if (cpu >= CPU_MAX)
        abort();
    while (i < VARIABLES_MAX && variables[i].first &&
           variables[i].first != first)
        i++;
    if (i == VARIABLES_MAX)
        abort();
    if (!variables[i].first)
        make_copies(i, first, size);
    return cpu ? (char *)variables[i].others + cpu * size : first;
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
