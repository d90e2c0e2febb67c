/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Each CPU's own area: an aligned block of virtual addresses that holds its
 * stacks, each with an unmapped guard page below, and its per-CPU variables.
 * The stack pointer, rounded down, finds it: no segment register is needed,
 * so the guest's GS base stays loaded and NMIs are no special case.
 *
 * A vCPU never keeps a stack across a switch, so the CPU does not change
 * under a running function and the address may be computed once.
 */

#pragma once

#include "arch/x86_64/address_map.h"

static inline uintptr_t cpu_area(void)
{
    register uintptr_t rsp __asm__("rsp");

    return rsp & ~(CPU_AREA_SIZE - 1);
}

uintptr_t cpu_area_of(unsigned int cpu);

/*
 * Per-CPU variables live in the section .percpu, which start-up copies into
 * each CPU's area.  It is linked at address 0, so the address of a variable is
 * its offset there; and that is a constant which the compiler, who takes it to
 * be near rip, must not see: hence the assembly.
 */
#define DEFINE_PER_CPU(type, name)                                             \
    __attribute__((section(".percpu"), used)) type percpu_##name
#define DECLARE_PER_CPU(type, name) extern type percpu_##name
#define percpu_at_(name, area)                                                 \
    (*({                                                                       \
        uintptr_t offset_;                                                     \
                                                                               \
        __asm__("mov $percpu_" #name ", %k0" : "=r"(offset_));                 \
        (__typeof__(&percpu_##name))((area) + CPU_AREA_VARS + offset_);        \
    }))
#define this_cpu(name)     percpu_at_(name, cpu_area())
#define per_cpu(name, cpu) percpu_at_(name, cpu_area_of(cpu))
