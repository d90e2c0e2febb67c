/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Threads as the CPUs of one machine, each with its per-CPU variables.  An IPI
 * waits until its target takes interrupts, as one does that returns to a guest
 * or idles.
 */

#ifndef TESTS_UNIT_DOUBLES_CPUS_H
#define TESTS_UNIT_DOUBLES_CPUS_H

#include <stdbool.h>
#include <stdint.h>

#define CPUS 4U

/*
 * Run @body on each CPU, to the end of all of them; then each takes what is
 * still on its way.  CPU 0 is the caller's thread.
 */
void cpus_go(void (*body)(unsigned int cpu));

/* What a CPU does that lets interrupts in. */
void cpu_lets_in(void);

/* A number below @below, from a sequence of this CPU's own. */
uint32_t cpu_random(uint32_t below);

/* IPIs sent to all CPUs. */
uint64_t cpus_ipis(void);

#endif /* TESTS_UNIT_DOUBLES_CPUS_H */
