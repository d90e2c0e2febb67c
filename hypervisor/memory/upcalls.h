/* SPDX-License-Identifier: BSD-2-Clause */
/* What the memory room calls in the rooms above it. */

#pragma once

struct light_space;

/*
 * The domain room's: unpromised frames became free while somebody waits for
 * memory (frames_wanted).  Any lock may be held.
 */
void upcall_frames_free(void);

/*
 * The same for a space: what is free again is its domain's own promise.  The
 * space's lock is held.
 */
void upcall_promise_refilled(const struct light_space *s);

/* Whether no guest asks on this CPU, or one that serves all others. */
bool upcall_cpu_privileged(void);

/* Whether this CPU runs no vCPU: it needs no space until it chooses one. */
bool upcall_cpu_idles(void);
