/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping until a port is pending.
 *
 * The wish is published before the ports are looked at, and a sender makes its
 * port pending before it looks for wishes: one of the two sees the other.
 * Someone who polls several ports wakes for any; the guest looks for itself.
 */

#include "event/evtchn.h"

#include "arch/x86_64/nospec.h"
#include "core/time.h"
#include "core/timer.h"
#include "event/table.h"
#include "lib/bitops.h"
#include "lib/errno.h"

static bool any_pending(const struct shared_info *s, const evtchn_port_t *ports,
                        uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (bit_test(s->evtchn_pending,
                     (uint32_t)index_nospec(ports[i], EVTCHN_2L_PORTS)))
            return true;
    return false;
}

static bool ports_exist(const struct evtchn_table *t,
                        const evtchn_port_t *ports, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (ports[i] > t->max_port)
            return false;
    return true;
}

void evtchn_poll_end(struct vcpu *v)
{
    if (v->poll_port == POLL_NONE)
        return;
    atomic_write(&v->poll_port, POLL_NONE);
    (void)atomic_sub(&v->domain->events->pollers, 1);
    timer_cancel(&v->poll_timer);
}

int evtchn_poll(struct vcpu *v, const evtchn_port_t *ports, uint32_t count,
                uint64_t timeout)
{
    struct domain *d = v->domain;

    if (!ports_exist(d->events, ports, count))
        return -EINVAL;
    if (any_pending(d->shared_info, ports, count) ||
        vcpu_events_deliverable(v) || (timeout && timeout <= time_now()))
        return 0;

    (void)atomic_add(&d->events->pollers, 1);
    (void)atomic_exchange(&v->poll_port,
                          count == 1 && ports[0] ? ports[0] : POLL_ANY);
    vcpu_block(v);
    if (any_pending(d->shared_info, ports, count) || vcpu_events_deliverable(v))
        vcpu_wake(v);
    else if (timeout)
        timer_set(&v->poll_timer, timeout);
    return 0;
}
