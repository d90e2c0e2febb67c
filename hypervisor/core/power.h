/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the machine's run.  With the option noreboot, a reset halts
 * instead, so that what the console says can be read.
 */

#pragma once

void __noreturn machine_reset(void);

/* By ACPI; where that does not work, says so and halts. */
void __noreturn machine_power_off(void);
