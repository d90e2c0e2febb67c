/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The console of a test guest that xl started: a ring to a daemon, as
 * Debian's Xen lets only the initial domain write to its own.
 */

#ifndef FRAMEWORK_CONSOLE_H
#define FRAMEWORK_CONSOLE_H

/* From now on print() writes to the ring that start_info names. */
void console_ring_start(void);

/* Wait, for some seconds at most, until all that was written was taken. */
void console_ring_drain(void);

#endif /* FRAMEWORK_CONSOLE_H */
