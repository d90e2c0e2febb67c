/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the other CPUs. */

#ifndef BOOT_SMP_H
#define BOOT_SMP_H

/* How many CPUs there may be, this one included; after acpi_init(). */
unsigned int boot_cpus_max(void);

/*
 * Start them, one after the other.  One that does not answer, lacks what the
 * first one has, or whose clock cannot be set right is left out, and the log
 * says so.  Needs clocks.
 */
void boot_cpus_start(void);

#endif /* BOOT_SMP_H */
