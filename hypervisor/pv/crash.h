/* SPDX-License-Identifier: BSD-2-Clause */
/* Ending a domain whose vCPU cannot go on, with what is known about it. */

#ifndef PV_CRASH_H
#define PV_CRASH_H

/* Crash the current domain for the given reason and log its registers. */
void crash_with_registers(const char *fmt, ...) __printf(1, 2);

#endif /* PV_CRASH_H */
