/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers, on the one-shot timer of the hypervisor.
 *
 * The hypervisor is told only when the loop is about to sleep, and only if the
 * first deadline is earlier than what it was told last.  A later one costs a
 * wake-up for nothing once, which is cheaper than a hypercall for each timer
 * that is armed and cancelled in passing.
 */

#include <rt/timer.h>

#include <abi/event_channel.h>
#include <abi/vcpu.h>

#include <rt/event.h>
#include <rt/hypercall.h>
#include <rt/start.h>
#include <rt/time.h>

#include "internal.h"
#include "timer_heap.h"

/* Deadlines nearer than this fire at once: asking would take as long. */
#define SLACK_NS 1000

static struct timer_heap heap;
static uint64_t told_ns; /* what the hypervisor knows; 0: nothing */

int rt_timer_arm(struct rt_timer *timer, uint64_t deadline_ns)
{
    rt_timer_cancel(timer);
    timer->deadline_ns = deadline_ns;
    return timer_heap_add(&heap, timer);
}

void rt_timer_cancel(struct rt_timer *timer)
{
    if (timer->slot)
        timer_heap_remove(&heap, timer);
}

void rt_timers_run(void)
{
    struct rt_timer *timer = timer_heap_first(&heap);
    uint64_t now;

    if (!timer)
        return;
    /* Timers armed by the functions called are for the next round. */
    now = rt_now_ns() + SLACK_NS;
    while (timer && timer->deadline_ns <= now) {
        timer_heap_remove(&heap, timer);
        timer->fn(timer->arg);
        timer = timer_heap_first(&heap);
    }
}

void rt_timers_arm(void)
{
    const struct rt_timer *timer = timer_heap_first(&heap);

    if (!timer || (told_ns && told_ns <= timer->deadline_ns))
        return;
    told_ns = timer->deadline_ns;
    hypercall_set_timer_op(told_ns);
}

/* The loop looks at the timers anyway, once the event has woken it. */
static void timer_event(void *arg)
{
    (void)arg;
    told_ns = 0;
}

void rt_timers_init(void)
{
    evtchn_port_t port;

    /* Xen starts every domain with a tick of 100 Hz; Cairn has none. */
    hypercall_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);

    if (rt_port_bind_virq(VIRQ_TIMER, &port) != 0 ||
        rt_port_bind(port, timer_event, NULL) != 0)
        rt_panic("no event channel for the timer");
}
