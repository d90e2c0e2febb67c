/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending a domain whose vCPU cannot go on, with what is known about it. */

#pragma once

/* Crash the current domain for the given reason and log its registers. */
void crash_with_registers(const char *fmt, ...) __printf(1, 2);
