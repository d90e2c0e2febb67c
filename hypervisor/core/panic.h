/* SPDX-License-Identifier: BSD-2-Clause */
/* What a panic says, and how a run ends; panic() itself is in lib/log.h. */

#pragma once

/* Give the registers @r to @tell, a line at a time. */
struct cpu_regs;
void registers_tell(const struct cpu_regs *r, void (*tell)(const char *line));

/* Where start-up is, for a panic to say; "" when it is over. */
extern const char *boot_stage;

/*
 * The function that holds @address, and how far into it that is; NULL for an
 * address that is not in our code.
 */
const char *symbol_find(uint64_t address, uint64_t *offset);

/*
 * Give return addresses, innermost first, to @print: those on the stack on
 * which frame pointer @rbp lies, as far as they make sense.
 */
void backtrace(uint64_t rbp, void (*print)(uint64_t address));

/*
 * The end of the machine's run.  With the option noreboot, a reset halts
 * instead, so that what the console says can be read.
 */
void __noreturn machine_reset(void);

/* By ACPI; where that does not work, says so and halts. */
void __noreturn machine_power_off(void);
