/* SPDX-License-Identifier: BSD-2-Clause */
/* The event loop, and work for its next round. */

#include <rt/event.h>

#include <stdbool.h>
#include <stddef.h>

#include "internal.h"

static struct rt_idle_hook *hooks;

/* Queued for the next round; and what is left of this one's. */
static struct rt_work *work_first, *work_last;
static struct rt_work *work_now;

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

/* True: it was in the list that starts at *link. */
static bool unlink_work(struct rt_work **link, const struct rt_work *work)
{
    while (*link && *link != work)
        link = &(*link)->next;
    if (!*link)
        return false;
    *link = work->next;
    return true;
}

void rt_work_cancel(struct rt_work *work)
{
    if (!work->queued)
        return;
    work->queued = 0;
    if (unlink_work(&work_now, work) || !unlink_work(&work_first, work))
        return;
    /* It may have been the last one. */
    for (struct rt_work *w = work_first; w; w = w->next)
        work_last = w;
}

/* What is queued meanwhile waits for the next round. */
static void run_work(void)
{
    work_now = work_first;
    work_first = NULL;
    while (work_now) {
        struct rt_work *work = work_now;

        work_now = work->next;
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
