/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sleeping until a port is pending.
 *
 * The wish is published before the ports are looked at, and a sender makes its
 * port pending before it looks for wishes: one of the two sees the other.
 * Someone who polls several ports wakes for any; the guest looks for itself.
 */

#include "event/table.h"

/* Taking the lock is a full barrier; and it keeps event words in place. */
static bool any_pending(struct evtchn_table *t, const evtchn_port_t *ports,
                        uint32_t count)
{
    SPIN_GUARD(&t->lock);
    for (uint32_t i = 0; i < count; i++)
        if (evtchn_is_pending(
                t, (evtchn_port_t)index_nospec(ports[i], table_limit(t))))
            return true;
    return false;
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
    struct evtchn_table *t = v->domain->events;

    for (uint32_t i = 0; i < count; i++)
        if (ports[i] >= table_limit(t))
            return -EINVAL;
    if (any_pending(t, ports, count) || vcpu_events_deliverable(v) ||
        (timeout && timeout <= time_now()))
        return 0;

    (void)atomic_add(&t->pollers, 1);
    (void)atomic_exchange(&v->poll_port,
                          count == 1 && ports[0] ? ports[0] : POLL_ANY);
    vcpu_block(v);
    if (any_pending(t, ports, count) || vcpu_events_deliverable(v))
        vcpu_wake(v);
    else if (timeout)
        timer_set(&v->poll_timer, timeout);
    return 0;
}
