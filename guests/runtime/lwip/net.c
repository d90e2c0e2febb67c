/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP in the event loop: its clock, its timers, and when they run.
 *
 * Each cyclic timer is asked after every round of the loop whether it is
 * needed.  One that is not has no deadline; when it is needed again, it makes
 * up for missed ticks where that matters (ages in the ARP table).  One rt_timer
 * stands for the earliest of all.
 */

#include <rt/net.h>

#include <stdlib.h>

#include <rt/event.h>
#include <rt/time.h>
#include <rt/timer.h>

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

/*
 * An ARP entry that waits for its answer is given up after five ticks; this
 * long after the last frame nothing waits any more.
 */
#define ARP_SETTLED_MS 10000U

static struct net_cyclic *cyclics;
static uint64_t activity_ns;

static void ticks_due(void *arg);
static struct rt_timer tick_timer = {.fn = ticks_due};

u32_t sys_now(void)
{
    return (u32_t)(rt_now_ns() / RT_NS_PER_MS);
}

static uint64_t interval_ns(const struct net_cyclic *cyclic)
{
    return cyclic->interval_ms * RT_NS_PER_MS;
}

void net_activity(void)
{
    activity_ns = rt_now_ns();
}

bool net_active_within(uint32_t ms)
{
    return activity_ns != 0 && rt_now_ns() - activity_ns < ms * RT_NS_PER_MS;
}

static void start_cyclic(struct net_cyclic *cyclic, uint64_t now)
{
    uint64_t missed = (now - cyclic->stopped_ns) / interval_ns(cyclic);

    cyclic->next_ns = now + interval_ns(cyclic);
    if (missed > cyclic->catch_up)
        missed = cyclic->catch_up;
    while (missed-- > 0)
        cyclic->tick();
}

/* Start and stop what has changed, then wait for the earliest. */
static void look_at_cyclics(void *arg)
{
    uint64_t first = UINT64_MAX;

    (void)arg;
    for (struct net_cyclic *c = cyclics; c; c = c->next) {
        bool needed = c->needed();

        if (needed && c->next_ns == 0) {
            start_cyclic(c, rt_now_ns());
        } else if (!needed && c->next_ns != 0) {
            c->stopped_ns = c->next_ns - interval_ns(c);
            c->next_ns = 0;
        }
        if (c->next_ns != 0 && c->next_ns < first)
            first = c->next_ns;
    }

    if (first == UINT64_MAX)
        rt_timer_cancel(&tick_timer);
    else if (!rt_timer_armed(&tick_timer) || tick_timer.deadline_ns != first)
        rt_timer_arm(&tick_timer, first);
}

/* The hook after this round looks for the next deadline. */
static void ticks_due(void *arg)
{
    uint64_t now = rt_now_ns();

    (void)arg;
    for (struct net_cyclic *c = cyclics; c; c = c->next) {
        if (c->next_ns == 0 || c->next_ns > now)
            continue;
        c->next_ns += interval_ns(c);
        /* Late by more than a tick: no burst of them. */
        if (c->next_ns <= now)
            c->next_ns = now + interval_ns(c);
        c->tick();
    }
}

void net_cyclic_add(struct net_cyclic *cyclic)
{
    cyclic->next_ns = 0;
    cyclic->stopped_ns = rt_now_ns();
    cyclic->next = cyclics;
    cyclics = cyclic;
}

static bool tcp_needed(void)
{
    return tcp_active_pcbs || tcp_tw_pcbs;
}

static bool arp_needed(void)
{
    return tcp_active_pcbs || net_active_within(ARP_SETTLED_MS);
}

void net_init(void)
{
    static struct net_cyclic tcp_cyclic = {
        .interval_ms = TCP_TMR_INTERVAL,
        .tick = tcp_tmr,
        .needed = tcp_needed,
    };
    static struct net_cyclic arp_cyclic = {
        .interval_ms = ARP_TMR_INTERVAL,
        .tick = etharp_tmr,
        .needed = arp_needed,
        .catch_up = ARP_MAXAGE,
    };
    static struct rt_idle_hook hook = {.fn = look_at_cyclics};

    lwip_init();
    net_cyclic_add(&tcp_cyclic);
    net_cyclic_add(&arp_cyclic);
    rt_idle_hook_add(&hook);
}

/* --- lwIP's one-shot timers ----------------------------------------------- */

struct timeout {
    struct timeout *next;
    sys_timeout_handler handler;
    void *arg;
    struct rt_timer timer;
};
static struct timeout *timeouts;

static void unlink_timeout(struct timeout *timeout)
{
    struct timeout **link = &timeouts;

    while (*link != timeout)
        link = &(*link)->next;
    *link = timeout->next;
}

static void timeout_due(void *arg)
{
    struct timeout *timeout = arg;
    sys_timeout_handler handler = timeout->handler;
    void *handler_arg = timeout->arg;

    unlink_timeout(timeout);
    free(timeout);
    handler(handler_arg);
}

void sys_timeout(u32_t msecs, sys_timeout_handler handler, void *arg)
{
    struct timeout *timeout = calloc(1, sizeof(*timeout));

    LWIP_ASSERT("memory for a timeout", timeout != NULL);
    timeout->handler = handler;
    timeout->arg = arg;
    timeout->timer = (struct rt_timer){.fn = timeout_due, .arg = timeout};
    timeout->next = timeouts;
    timeouts = timeout;
    rt_timer_arm(&timeout->timer, rt_now_ns() + msecs * RT_NS_PER_MS);
}

void sys_untimeout(sys_timeout_handler handler, void *arg)
{
    for (struct timeout *t = timeouts; t; t = t->next)
        if (t->handler == handler && t->arg == arg) {
            rt_timer_cancel(&t->timer);
            unlink_timeout(t);
            free(t);
            return;
        }
}

void sys_timeouts_init(void)
{
}
