/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID as guests see it, through the forced-emulation prefix. */

#ifndef PV_CPUID_H
#define PV_CPUID_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/regs.h"

/*
 * If rip is at the prefix and CPUID, answer it as to a domain of @class and
 * step over.  False: it is something else.
 */
bool cpuid_emulate(struct cpu_regs *regs, uint32_t class);

/* What leaf @leaf, @subleaf says to a domain of @class. */
struct cpuid_regs cpuid_policy(uint32_t class, uint32_t leaf, uint32_t subleaf);

#endif /* PV_CPUID_H */
