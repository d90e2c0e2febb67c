/* SPDX-License-Identifier: BSD-2-Clause */
/* How many interrupts of each kind a CPU has taken, for the debug keys. */

#ifndef ARCH_X86_64_INTERRUPT_COUNTS_H
#define ARCH_X86_64_INTERRUPT_COUNTS_H

#include <stdint.h>

#include "arch/x86_64/percpu.h"

struct interrupt_counts {
    uint64_t timer, console, device, nmi, stray;
};

DECLARE_PER_CPU(struct interrupt_counts, interrupt_counts);

#endif /* ARCH_X86_64_INTERRUPT_COUNTS_H */
