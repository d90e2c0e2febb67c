/* SPDX-License-Identifier: BSD-2-Clause */
/* Per-CPU variables of unit tests, in place of those of arch/x86_64/smp.h. */

#pragma once

#include <stdint.h>

extern char unit_test_cpu_area[CPU_AREA_SIZE];

static inline uintptr_t cpu_area(void)
{
    return (uintptr_t)unit_test_cpu_area;
}

/* Where threads are CPUs, doubles/cpus.c says where each has its variables. */
void *unit_test_percpu(void *of_first, int cpu) __attribute__((weak));
#define DEFINE_PER_CPU(type, name)                                             \
    __attribute__((section("unit_percpu"))) type percpu_##name
#define DECLARE_PER_CPU(type, name) extern type percpu_##name
#define percpu_at_(name, cpu)                                                  \
    (*(__typeof__(&percpu_##name))(unit_test_percpu                            \
                                       ? unit_test_percpu(&percpu_##name, cpu) \
                                       : &percpu_##name))
#define this_cpu(name)     percpu_at_(name, -1)
#define per_cpu(name, cpu) percpu_at_(name, (int)(cpu))
