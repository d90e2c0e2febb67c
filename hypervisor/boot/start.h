/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up: its steps, as start.c takes them. */

#pragma once

#include "core/panic.h"

/* From boot.S, on the first CPU's stack; what the loader left in eax, ebx. */
void __noreturn start_hypervisor(uint32_t magic, uint32_t info);

/*
 * The machine or what it was told to run is not fit: say so and end the run.
 * Cairn itself is in order, so it is no panic.
 */
#define boot_fail(...)                                                         \
    (log_error("Cairn cannot start: " __VA_ARGS__), machine_reset())

/*
 * Find out what memory is free, make and load the final page tables, and the
 * frame table; the rest is the frame allocator's.  Ends the run when there is
 * too little.
 */
void boot_memory_take(void);

/* How many CPUs there may be, this one included; after acpi_init(). */
unsigned int boot_cpus_max(void);

/*
 * Start them, one after the other.  One that does not answer, lacks what the
 * first one has, or whose clock cannot be set right is left out, and the log
 * says so.  Needs clocks.
 */
void boot_cpus_start(void);

/*
 * Build the initial domain and let it run, once sched_start() is called; the
 * other modules appear in its module window.  Ends the run, with what is wrong,
 * if it cannot.
 */
void load_initial_domain(void);
