/* SPDX-License-Identifier: BSD-2-Clause */
/* What each CPU has counted since boot, for the debug keys. */

#ifndef ARCH_X86_64_CPU_COUNTS_H
#define ARCH_X86_64_CPU_COUNTS_H

#include <stdint.h>

#include "arch/x86_64/percpu.h"

struct cpu_counts {
    uint64_t timer, console, device, ipi, nmi, stray; /* interrupts taken */
    uint64_t ipis_sent;
    uint64_t flushes; /* of translations, asked for by any CPU, done here */
    uint64_t cr3_loads;
};

DECLARE_PER_CPU(struct cpu_counts, cpu_counts);

#endif /* ARCH_X86_64_CPU_COUNTS_H */
