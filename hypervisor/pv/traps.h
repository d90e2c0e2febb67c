/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a guest's exceptions: its own handlers, what is done in their
 * place, and the end of a domain that cannot go on.
 */

#pragma once

#include "domain/vcpu.h"

/*
 * Its handler of trap @vector; NULL: none.  That of #PF in class pv is
 * pv_vcpu.page_fault, and this says none: so that the short way of class light
 * ends where it looks anyway.
 */
static inline const struct trap_entry *trap_get(const struct vcpu *v,
                                                uint8_t vector)
{
    const struct trap_entry *trap =
        &v->traps[vector / TRAP_GROUP][vector % TRAP_GROUP];

    return likely(trap->address) ? trap : NULL;
}

/* -ENOMEM; -EINVAL: @address is not canonical. */
int __must_check trap_set(struct vcpu *v, uint8_t vector, uint8_t flags,
                          uint64_t address);
void trap_clear_all(struct vcpu *v);

/*
 * Send the current vCPU to a handler of its own kernel, as if an exception had
 * come straight from the processor; docs/abi/cpu.md.
 *
 * Push the frame below the stack in @regs, with their error code if the trap
 * has one, and set them to the entry of the handler of trap @vector; the domain
 * crashes if it has none.  False: the current vCPU waits for memory, and will
 * repeat what led here, or its domain has crashed; @regs are what they were.
 */
bool bounce_trap(struct cpu_regs *regs, uint8_t vector, bool has_error_code);

/* If what a program of @v's was at, with #GP, is SYSENTER: to its callback. */
bool bounce_sysenter(struct cpu_regs *regs, struct vcpu *v);

/* The NMI that is pending, if @v, which is current, takes one now. */
void bounce_nmi(struct cpu_regs *regs, struct vcpu *v);

/*
 * CPUID as guests see it, through the forced-emulation prefix.
 *
 * If rip is at the prefix and CPUID, answer it as to a domain of @class and
 * step over.  False: it is something else.
 */
bool cpuid_emulate(struct cpu_regs *regs, uint32_t class);

/* Answer it only. */
void cpuid_answer(struct cpu_regs *regs, uint32_t class);

/* Crash the current domain for the given reason and log its registers. */
void crash_with_registers(const char *fmt, ...) __printf(1, 2);
