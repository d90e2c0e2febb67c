/* SPDX-License-Identifier: BSD-2-Clause */
/* The event loop, and work for its next round. */

#include <rt/event.h>

#include <stddef.h>

#include "internal.h"

static struct rt_idle_hook *hooks;
static struct rt_work *work_first, *work_last;

void rt_idle_hook_add(struct rt_idle_hook *hook)
{
    struct rt_idle_hook **link = &hooks;

    while (*link)
        link = &(*link)->next;
    hook->next = NULL;
    *link = hook;
}

void rt_work_queue(struct rt_work *work)
{
    if (work->queued)
        return;
    work->queued = 1;
    work->next = NULL;
    if (work_first)
        work_last->next = work;
    else
        work_first = work;
    work_last = work;
}

/* What is queued meanwhile waits for the next round. */
static void run_work(void)
{
    struct rt_work *work = work_first;
    struct rt_work *rest;

    work_first = NULL;
    for (; work; work = rest) {
        rest = work->next;
        work->queued = 0;
        work->fn(work->arg);
    }
}

static void run_hooks(void)
{
    for (struct rt_idle_hook *hook = hooks; hook; hook = hook->next)
        hook->fn(hook->arg);
}

void rt_loop(void)
{
    for (;;) {
        rt_events_dispatch();
        rt_timers_run();
        run_work();
        rt_threads_run();
        run_hooks();
        if (!rt_threads_ready() && !work_first) {
            rt_timers_arm();
            rt_events_block();
        }
    }
}
