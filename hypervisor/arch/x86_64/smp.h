/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs: what each has for itself, and how they ask each other; docs/smp.md. */

#pragma once

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/cpu.h"

/*
 * Each CPU's own area: an aligned block of virtual addresses that holds its
 * stacks, each with an unmapped guard page below, and its per-CPU variables.
 * The stack pointer, rounded down, finds it: no segment register is needed,
 * so the guest's GS base stays loaded and NMIs are no special case.
 *
 * A vCPU never keeps a stack across a switch, so the CPU does not change
 * under a running function and the address may be computed once.
 *
 * Per-CPU variables live in the section .percpu, which start-up copies into
 * each CPU's area.  It is linked at address 0, so the address of a variable is
 * its offset there; and that is a constant which the compiler, who takes it to
 * be near rip, must not see: hence the assembly.
 */
#ifdef UNIT_TEST
#include "doubles/percpu.h"
#else
static inline uintptr_t cpu_area(void)
{
    register uintptr_t rsp __asm__("rsp");

    return rsp & ~(CPU_AREA_SIZE - 1);
}

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
#define per_cpu(name, cpu) percpu_at_(name, area_of(CPU_AREAS_BASE, cpu))
#endif

/*
 * @cpu's area at CPU_AREAS_BASE; where selector 0 of its GDT is at
 * GDT_AREAS_BASE, and of its LDT at LDT_AREAS_BASE.
 */
uintptr_t area_of(uintptr_t base, unsigned int cpu);

/* Number of the CPU this runs on, 0 .. CPU_MAX - 1. */
DECLARE_PER_CPU(unsigned int, cpu_id);

/* --- All of them -----------------------------------------------------------
 */

/* CPUs 0 .. cpu_count - 1 run; constant once the first guest runs. */
extern unsigned int cpu_count;

/* A CPU in a mask of them, and the mask of all. */
static inline uint64_t cpu_bit(unsigned int cpu)
{
    return 1ULL << cpu;
}

static inline uint64_t cpus_all(void)
{
    return ~0ULL >> (64 - cpu_count);
}

/*
 * Make @cpu, this one included, pass upcall_return_to_guest() or leave its
 * idle loop.  Cheap, does not wait.
 */
void cpu_kick(unsigned int cpu);

/*
 * @run(@arg) on each CPU of @cpus, this one included if it is named; all have
 * done it on return.  @run takes no lock, panics or waits for nothing, and is
 * short.  Locks may be held, because those who wait for them serve.
 */
void cpus_run(uint64_t cpus, void (*run)(uintptr_t arg), uintptr_t arg);

/* What others ask of this CPU: in every loop that waits for another CPU. */
void cpus_serve(void);

/*
 * Stop all other CPUs for ever, wherever they are, before the machine ends.  Of
 * several CPUs that call this one goes on; it may call it again.
 */
void cpus_stop(void);

/* The interrupts by which the above reach this CPU; exception.c. */
void cpu_take_ipi(void);
void cpu_take_nmi(void);

/* What each CPU has counted since boot, for the debug keys. */
struct cpu_counts {
    uint64_t timer, console, device, ipi, nmi, stray; /* interrupts taken */
    uint64_t ipis_sent;
    uint64_t flushes; /* of translations, asked for by any CPU, done here */
    uint64_t cr3_loads;
};

DECLARE_PER_CPU(struct cpu_counts, cpu_counts);

/*
 * How another CPU comes from real mode: in boot.S, to be copied to the page
 * where it starts, anywhere in the first MiB; it is the same wherever it lies.
 */
extern const char trampoline[], trampoline_end[];

/*
 * The stack for the next CPU to arrive, which takes it, sets 0 and calls
 * upcall_start_cpu() on it.  One that finds 0 halts.
 */
extern uint64_t trampoline_stack;

/* CR4 as cpu_enable_features() left it, but for the vCPU that is loaded. */
DECLARE_PER_CPU(uint64_t, own_cr4);
DECLARE_PER_CPU(uint64_t, loaded_cr4);

/* The same for XCR0, while CR4_OSXSAVE is on. */
DECLARE_PER_CPU(uint64_t, loaded_xcr0);

static inline void xcr0_load(uint64_t value)
{
    if (unlikely(value != this_cpu(loaded_xcr0))) {
        this_cpu(loaded_xcr0) = value;
        __asm__ __volatile__("xsetbv"
                             :
                             : "c"(0), "a"((uint32_t)value), "d"(value >> 32)
                             : "memory");
    }
}

/* @value is in force on this CPU. */
static inline void cr4_load(uint64_t value)
{
    if (unlikely(value != this_cpu(loaded_cr4))) {
        this_cpu(loaded_cr4) = value;
        write_cr4(value);
    }
}
