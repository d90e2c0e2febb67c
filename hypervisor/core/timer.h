/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers.  A timer belongs to the CPU it was last set on; its
 * function runs there, from the timer interrupt's tail on the way back to a
 * guest, with no lock held.  No timer set means no interrupt at all.
 */

#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/heap.h"

struct timer {
    struct heap_node node; /* key: deadline, ns of system time */
    void (*expired)(struct timer *t);
    bool armed;
    uint8_t cpu;
};

void timer_init(struct timer *t, void (*expired)(struct timer *t));

/* Arm, or move, @t to @deadline; one in the past fires at once. */
void timer_set(struct timer *t, uint64_t deadline);

/*
 * Harmless when not armed.  Its function may be running on another CPU still,
 * or about to.
 */
void timer_cancel(struct timer *t);

/* The same, and it runs nowhere on return; no lock is held. */
void timer_cancel_wait(struct timer *t);

/* Run a quantum of what is due here and set the hardware to what is next. */
void timer_run(void);

#endif /* CORE_TIMER_H */
