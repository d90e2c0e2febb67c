/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt controllers, at start-up. */

#ifndef BOOT_INTERRUPTS_H
#define BOOT_INTERRUPTS_H

/* This CPU's local APIC, the IO-APICs; the 8259s are silenced. */
void boot_interrupts_init(void);

/* Let the console's UART interrupt. */
void boot_console_input(void);

#endif /* BOOT_INTERRUPTS_H */
