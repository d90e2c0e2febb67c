/* SPDX-License-Identifier: BSD-2-Clause */
/* CPUID as guests see it, through the forced-emulation prefix. */

#pragma once

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/regs.h"

/*
 * If rip is at the prefix and CPUID, answer it as to a domain of @class and
 * step over.  False: it is something else.
 */
bool cpuid_emulate(struct cpu_regs *regs, uint32_t class);

/* Answer it only. */
void cpuid_answer(struct cpu_regs *regs, uint32_t class);
