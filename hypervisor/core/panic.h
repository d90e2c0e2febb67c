/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end: the hypervisor's own invariant is broken and going on could leak
 * or corrupt.  Prints the reason, registers and a symbolised backtrace on the
 * console, then halts or reboots as the option noreboot says.
 */

#ifndef CORE_PANIC_H
#define CORE_PANIC_H

#include <stdint.h>

#include "lib/compiler.h"

struct cpu_regs;

void __noreturn panic(const char *fmt, ...) __printf(1, 2);

/*
 * The same for an exception, whose registers are @regs; arch calls it by
 * upcall_fatal_exception().
 */
void __noreturn panic_exception(const struct cpu_regs *regs, uint64_t cr2,
                                const char *what);

/* Where start-up is, for a panic to say; "" when it is over. */
void boot_stage(const char *stage);

#endif /* CORE_PANIC_H */
