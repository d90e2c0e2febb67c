/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that the hypervisor executes in the place of guests of class pv:
 * those that ring 3 may not, and stores to page tables.
 */

#pragma once

#include "arch/x86_64/regs.h"
#include "pv/decode.h"

struct vcpu;

/* The instruction at rip, read once.  False: it is none of those. */
bool __must_check emulate_fetch(const struct cpu_regs *regs, struct insn *insn);

/* It was executed, and @regs are what comes after: a single step ends. */
void emulate_end(struct cpu_regs *regs, struct vcpu *v);

/*
 * @v, the current one, took #GP with error code 0.  True: its instruction was
 * executed in its place, and @regs are what comes after; false: it is the
 * guest's own fault.
 */
bool emulate_privileged(struct cpu_regs *regs, struct vcpu *v);

/*
 * Its kernel could not write to @cr2, which is mapped.  True: that was a table
 * of level 1 and the entry has changed, or the guest may try again; false: as
 * above.
 */
bool emulate_table_write(struct cpu_regs *regs, struct vcpu *v, uint64_t cr2);

/* rdmsr and wrmsr of a kernel.  False: #GP. */
bool msr_read(struct vcpu *v, uint32_t msr, uint64_t *value);
bool msr_write(struct vcpu *v, uint32_t msr, uint64_t value);
