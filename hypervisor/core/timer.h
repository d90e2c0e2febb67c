/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers.  A timer belongs to the CPU it was last set on; its
 * function runs there, from the timer interrupt's tail on the way back to a
 * guest, with no lock held.  No timer set means no interrupt at all.
 */

#pragma once

#include "lib/heap.h"

struct timer {
    struct heap_node node; /* key: deadline, ns of system time */
    void (*expired)(struct timer *t);
    bool armed;  /* guarded, as the node, by the lock of cpu's queue */
    uint8_t cpu; /* changes only with the lock of the queue it is left for */
};

void timer_init(struct timer *t, void (*expired)(struct timer *t));

/*
 * Arm @t here, or move it here, to @deadline; one in the past fires at once.
 * Its function may still be running elsewhere for an earlier one.
 */
void timer_set(struct timer *t, uint64_t deadline);

/*
 * Harmless when not armed.  Its function may be running on another CPU still,
 * or about to.
 */
void timer_cancel(struct timer *t);

/*
 * The same, and it runs on no other CPU on return, even if it sets itself
 * again.  No lock is held, because its function may want it.
 */
void timer_cancel_wait(struct timer *t);

/* Run a quantum of what is due here and set the hardware to what is next. */
void timer_run(void);
