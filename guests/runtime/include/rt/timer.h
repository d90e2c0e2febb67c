/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One-shot timers: call a function at a system time.  Arming, cancelling and
 * expiry cost O(log n); without an armed timer nothing ever ticks.
 */

#ifndef RT_TIMER_H
#define RT_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The owner fills fn and arg, and zeroes the rest. */
struct rt_timer {
    void (*fn)(void *arg); /* called from the event loop */
    void *arg;
    uint64_t deadline_ns; /* valid while armed */
    size_t slot;          /* place in the heap + 1; 0 while not armed */
};

/*
 * Call the timer's function once system time @deadline_ns is reached.  An
 * armed timer moves to the new deadline.  -ABI_ENOMEM: not armed.
 */
int rt_timer_arm(struct rt_timer *timer, uint64_t deadline_ns);

/* The function is not called any more. */
void rt_timer_cancel(struct rt_timer *timer);

static inline bool rt_timer_armed(const struct rt_timer *timer)
{
    return timer->slot != 0;
}

#endif /* RT_TIMER_H */
