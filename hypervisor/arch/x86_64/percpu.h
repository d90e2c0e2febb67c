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

#include "arch/x86_64/cpu.h"

#define CPU_MAX 64U

/*
 * Offsets in an area.  Stacks are named by their tops and have an unmapped
 * page below: #MC 0x1000, NMI 0x3000, ordinary 0x6000, #DF 0xd000, #DB 0xf000.
 * The page at 0x4000 is for the way in and out under xpti; see xpti.h.
 */
#define CPU_AREA_SIZE      0x10000UL
#define CPU_AREA_MC_TOP    0x2000UL
#define CPU_AREA_NMI_TOP   0x4000UL
#define CPU_AREA_ENTRY     0x4000UL
#define CPU_AREA_ENTRY_TOP 0x5000UL
#define CPU_AREA_STACK_TOP 0xa000UL /* of the ordinary stack, 16 KiB */
#define CPU_AREA_VARS      0xa000UL /* what DEFINE_PER_CPU makes */
#define CPU_AREA_DF_TOP    0xe000UL
#define CPU_AREA_DB_TOP    0x10000UL

/* Bit i: page i of an area is mapped; the others are guards. */
#define CPU_AREA_PAGES        0xafdaU
#define CPU_AREA_PAGES_MAPPED 11U

static inline uintptr_t cpu_area(void);

#ifdef UNIT_TEST
extern char unit_test_cpu_area[CPU_AREA_SIZE];
static inline uintptr_t cpu_area(void)
{
    return (uintptr_t)unit_test_cpu_area;
}
#else
static inline uintptr_t cpu_area(void)
{
    register uintptr_t rsp __asm__("rsp");

    return rsp & ~(CPU_AREA_SIZE - 1);
}
#endif

/*
 * Per-CPU variables live in the section .percpu, which start-up copies into
 * each CPU's area.  It is linked at address 0, so the address of a variable is
 * its offset there; and that is a constant which the compiler, who takes it to
 * be near rip, must not see: hence the assembly.
 */
#ifdef UNIT_TEST
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
#else
#define DEFINE_PER_CPU(type, name)                                             \
    __attribute__((section(".percpu"), used)) type percpu_##name
#define DECLARE_PER_CPU(type, name) extern type percpu_##name
#define percpu_offset_(name)                                                   \
    ({                                                                         \
        uintptr_t offset_;                                                     \
                                                                               \
        __asm__("mov $percpu_" #name ", %k0" : "=r"(offset_));                 \
        offset_;                                                               \
    })
#define percpu_at_(name, area)                                                 \
    (*(__typeof__(&percpu_##name))((area) + CPU_AREA_VARS +                    \
                                   percpu_offset_(name)))
#define this_cpu(name)     percpu_at_(name, cpu_area())
#define per_cpu(name, cpu) percpu_at_(name, cpu_area_of(cpu))
#endif

/* The area of another CPU, and where selector 0 of its GDT is. */
uintptr_t cpu_area_of(unsigned int cpu);
uintptr_t gdt_area_of(unsigned int cpu);

/* Number of the CPU this runs on, 0 .. CPU_MAX - 1. */
DECLARE_PER_CPU(unsigned int, cpu_id);
