/* SPDX-License-Identifier: BSD-2-Clause */
/* The heap of timers; see timer_heap.h. */

#include "timer_heap.h"

#include <stdlib.h>

#include <abi/errno.h>

#define FIRST_ROOM 16

static void place(struct timer_heap *heap, size_t i, struct rt_timer *timer)
{
    heap->slots[i] = timer;
    timer->slot = i + 1;
}

static void sift_up(struct timer_heap *heap, size_t i, struct rt_timer *timer)
{
    while (i > 0) {
        size_t parent = (i - 1) / 2;

        if (heap->slots[parent]->deadline_ns <= timer->deadline_ns)
            break;
        place(heap, i, heap->slots[parent]);
        i = parent;
    }
    place(heap, i, timer);
}

static void sift_down(struct timer_heap *heap, size_t i, struct rt_timer *timer)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && heap->slots[child + 1]->deadline_ns <
                                           heap->slots[child]->deadline_ns)
            child++;
        if (timer->deadline_ns <= heap->slots[child]->deadline_ns)
            break;
        place(heap, i, heap->slots[child]);
        i = child;
    }
    place(heap, i, timer);
}

int timer_heap_add(struct timer_heap *heap, struct rt_timer *timer)
{
    if (heap->count == heap->room) {
        size_t room = heap->room ? heap->room * 2 : FIRST_ROOM;
        struct rt_timer **slots = realloc(heap->slots, room * sizeof(*slots));

        if (!slots)
            return -ABI_ENOMEM;
        heap->slots = slots;
        heap->room = room;
    }
    sift_up(heap, heap->count++, timer);
    return 0;
}

void timer_heap_remove(struct timer_heap *heap, struct rt_timer *timer)
{
    size_t i = timer->slot - 1;
    struct rt_timer *last = heap->slots[--heap->count];

    timer->slot = 0;
    if (last == timer)
        return;
    if (i > 0 && heap->slots[(i - 1) / 2]->deadline_ns > last->deadline_ns)
        sift_up(heap, i, last);
    else
        sift_down(heap, i, last);
}

struct rt_timer *timer_heap_first(const struct timer_heap *heap)
{
    return heap->count ? heap->slots[0] : NULL;
}
