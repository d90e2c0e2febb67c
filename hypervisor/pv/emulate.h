/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that ring 3 may not execute, done for guests of class pv
 * (ABI 6).
 */

#pragma once

#include "arch/x86_64/regs.h"

struct vcpu;

/*
 * @v, the current one, took #GP with error code 0.  True: its instruction was
 * executed in its place, and @regs are what comes after; false: it is the
 * guest's own fault.
 */
bool emulate_privileged(struct cpu_regs *regs, struct vcpu *v);
