/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers by deadline: a binary heap of pointers.  slot of a timer is its index
 * in the heap + 1, so cancelling needs no search.
 */

#ifndef RT_TIMER_HEAP_H
#define RT_TIMER_HEAP_H

#include <stddef.h>

#include <rt/timer.h>

struct timer_heap {
    struct rt_timer **slots;
    size_t count, room;
};

/* Add an unarmed timer by its deadline_ns.  -ABI_ENOMEM. */
int timer_heap_add(struct timer_heap *heap, struct rt_timer *timer);

/* Take an armed timer out. */
void timer_heap_remove(struct timer_heap *heap, struct rt_timer *timer);

/* The one with the earliest deadline; NULL: empty. */
struct rt_timer *timer_heap_first(const struct timer_heap *heap);

#endif /* RT_TIMER_HEAP_H */
