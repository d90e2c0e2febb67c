/* SPDX-License-Identifier: BSD-2-Clause */
/* Timers come out by deadline, whatever went in, moved and left. */
/* LINK: guests/runtime/timer_heap.c */

#include "../../../guests/runtime/timer_heap.h"

#include "test.h"

#define TIMERS 1000

static struct timer_heap heap;
static struct rt_timer timers[TIMERS];

void setup(void)
{
    memset(&heap, 0, sizeof(heap));
    memset(timers, 0, sizeof(timers));
}

void teardown(void)
{
    free(heap.slots);
}

static void add_all(void)
{
    uint32_t random = 7;

    for (size_t i = 0; i < TIMERS; i++) {
        random = random * 1664525 + 1013904223;
        timers[i].deadline_ns = random >> 20;
        EXPECT_EQ(timer_heap_add(&heap, &timers[i]), 0);
    }
}

/* Empty the heap; returns how many came, all in order. */
static size_t drain(void)
{
    uint64_t before = 0;
    size_t count = 0;
    struct rt_timer *timer;

    while ((timer = timer_heap_first(&heap))) {
        EXPECT_TRUE(timer->deadline_ns >= before);
        before = timer->deadline_ns;
        timer_heap_remove(&heap, timer);
        EXPECT_FALSE(rt_timer_armed(timer));
        count++;
    }
    return count;
}

TEST("an empty heap has no first timer")
{
    EXPECT_TRUE(timer_heap_first(&heap) == NULL);
}

TEST("timers come out in the order of their deadlines")
{
    add_all();
    EXPECT_EQ(drain(), TIMERS);
}

TEST("timers may leave from anywhere")
{
    add_all();
    for (size_t i = 0; i < TIMERS; i += 3)
        timer_heap_remove(&heap, &timers[i]);
    for (size_t i = 0; i < TIMERS; i++)
        EXPECT_EQ(rt_timer_armed(&timers[i]), i % 3 != 0);
    EXPECT_EQ(drain(), TIMERS - (TIMERS + 2) / 3);
}

TEST("every armed timer knows its place")
{
    add_all();
    for (size_t i = 0; i < TIMERS; i++)
        EXPECT_TRUE(heap.slots[timers[i].slot - 1] == &timers[i]);
}
