/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending the current vCPU to a handler of its own kernel, as if an exception
 * had come straight from the processor (ABI 5.1).
 */

#pragma once

#include "arch/x86_64/regs.h"

struct vcpu;

/*
 * Push the frame below the stack in @regs, with their error code if the trap
 * has one, and set them to the entry of the handler of trap @vector; the domain
 * crashes if it has none.  False: the current vCPU waits for memory, and will
 * repeat what led here, or its domain has crashed; @regs are what they were.
 */
bool bounce_trap(struct cpu_regs *regs, uint8_t vector, bool has_error_code);

/* The NMI that is pending, if @v, which is current, takes one now. */
void bounce_nmi(struct cpu_regs *regs, struct vcpu *v);

/* The same to a callback of class pv's, canonical; without an error code. */
bool bounce_callback(struct cpu_regs *regs, uint64_t address, bool mask_events);
