/* SPDX-License-Identifier: BSD-2-Clause */
/* What the memory room calls in the rooms above it. */

#ifndef MEMORY_UPCALLS_H
#define MEMORY_UPCALLS_H

/*
 * Unpromised frames became free while frames_wanted was set (memory/frame.h),
 * or a domain that found none gave frames back to its own promise; whoever
 * waits for memory is let go.  Any lock may be held.  Defined by the domain
 * room.
 */
void upcall_frames_free(void);

#endif /* MEMORY_UPCALLS_H */
