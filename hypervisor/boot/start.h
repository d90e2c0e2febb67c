/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-up. */

#ifndef BOOT_START_H
#define BOOT_START_H

#include <stdint.h>

#include "lib/compiler.h"

/* From boot.S, on the first CPU's stack; what the loader left in eax, ebx. */
void __noreturn start_hypervisor(uint32_t magic, uint32_t info);

/*
 * The machine or what it was told to run is not fit: say so and end the run.
 * Cairn itself is in order, so it is no panic.
 */
void __noreturn boot_fail(const char *fmt, ...) __printf(1, 2);

#endif /* BOOT_START_H */
