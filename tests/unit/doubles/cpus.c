/* SPDX-License-Identifier: BSD-2-Clause */
/* The CPUs of cpus.h. */

#include "doubles/cpus.h"

#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/apic.h"
#include "arch/x86_64/regs.h"
#include "arch/x86_64/smp.h"
#include "lib/log.h"
#include "lib/atomic.h"

/* The linker names where the section begins and ends. */
extern char __start_unit_percpu[], __stop_unit_percpu[];

DEFINE_PER_CPU(unsigned int, cpu_id);
DEFINE_PER_CPU(struct cpu_counts, cpu_counts);
DEFINE_PER_CPU(bool, slow_return);
DEFINE_PER_CPU(const uint8_t *, upcall_bytes);
const uint8_t upcall_due[2];

static char *variables[CPUS];
static _Thread_local unsigned int me;
static _Thread_local uint64_t seed;
static bool interrupted[CPUS];
static unsigned int working; /* CPUs that have not come to their end */
static void (*body_of_all)(unsigned int cpu);

void lapic_send_cpu(unsigned int cpu, uint32_t command)
{
    (void)command;
    atomic_write(&interrupted[cpu], true);
}

void cpu_lets_in(void)
{
    if (atomic_exchange(&interrupted[me], false)) {
        this_cpu(cpu_counts).ipi++;
        cpu_take_ipi();
    }
    if (cpu_random(16) == 0)
        sched_yield();
}

uint32_t cpu_random(uint32_t below)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (uint32_t)(seed >> 33) % below;
}

uint64_t cpus_ipis(void)
{
    uint64_t sum = 0;

    for (unsigned int cpu = 0; cpu < CPUS; cpu++)
        sum += per_cpu(cpu_counts, cpu).ipis_sent;
    return sum;
}

static void *run(void *arg)
{
    me = (unsigned int)(uintptr_t)arg;
    seed = me + 1;
    this_cpu(cpu_id) = me;
    body_of_all(me);
    atomic_sub(&working, 1);
    while (atomic_read(&working))
        cpu_lets_in();
    cpu_lets_in();
    return NULL;
}

void cpus_go(void (*body)(unsigned int cpu))
{
    size_t size = (size_t)(__stop_unit_percpu - __start_unit_percpu);
    pthread_t thread[CPUS];

    cpu_count = CPUS;
    body_of_all = body;
    working = CPUS;
    for (unsigned int cpu = 1; cpu < CPUS; cpu++) {
        if (!variables[cpu]) {
            variables[cpu] = aligned_alloc(64, (size + 63) & ~63UL);
            memcpy(variables[cpu], __start_unit_percpu, size);
        }
    }
    for (unsigned int cpu = 1; cpu < CPUS; cpu++)
        if (pthread_create(&thread[cpu], NULL, run, (void *)(uintptr_t)cpu))
            abort();
    run(NULL);
    for (unsigned int cpu = 1; cpu < CPUS; cpu++)
        pthread_join(thread[cpu], NULL);
}

void panic(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    abort();
}

void assert_failed(const char *file, int line, const char *belief)
{
    panic("%s:%d: %s\n", file, line, belief);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

/* Last, for the compiler complains of its use once it has seen it. */
void *unit_test_percpu(void *of_first, int cpu)
{
    unsigned int n = cpu < 0 ? me : (unsigned int)cpu;

    if (n >= CPUS)
        abort();
    return n ? variables[n] + ((char *)of_first - __start_unit_percpu)
             : of_first;
}
