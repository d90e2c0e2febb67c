/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUs asking each other; docs/smp.md. */

#ifndef ARCH_X86_64_SMP_H
#define ARCH_X86_64_SMP_H

#include <stdint.h>

/* CPUs 0 .. cpu_count - 1 run; constant once the first guest runs. */
extern unsigned int cpu_count;

/* The mask of all of them. */
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

#endif /* ARCH_X86_64_SMP_H */
