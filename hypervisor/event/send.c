/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sending, and making a port pending: 2-level ABI, and what both have in
 * common.
 *
 * It goes down levels of one bit each, and stops at the first that is set
 * already:
 *
 *     pending[port] -> pending_sel[port / 64] -> upcall_pending -> the vCPU
 *
 * The guest comes up the same levels and clears each before it reads the
 * next.  So whoever turns a bit from 0 to 1 owns the step below it: no event
 * is lost, and a burst of events costs one upcall.
 *
 * All of it lies in pages that the guest writes too.  Nothing read from there
 * is used as an index or an address; a guest that scribbles there loses or
 * invents events of its own, and that is all.
 */

#include "event/table.h"

void evtchn_upcall(struct vcpu *v)
{
    if (atomic_exchange(&atomic_read(&v->info)->evtchn_upcall_pending, 1) == 0)
        vcpu_notify(v);
}

/*
 * The port may be moved to another vCPU meanwhile; either is then right.  The
 * same goes for vcpu_info, which looks pending once it has moved.
 */
static __in_place void mark_vcpu(struct evtchn_table *t, evtchn_port_t port)
{
    struct vcpu *v = t->domain->vcpu[evtchn_vcpu(table_at(t, port))];
    uint64_t *selector = &atomic_read(&v->info)->evtchn_pending_sel;
    uint64_t bit = 1ULL << (port / 64 % 64);

    if (!(atomic_or(selector, bit) & bit))
        evtchn_upcall(v);
}

/* Those who poll sleep whatever the mask says: each looks for itself. */
static __rare void wake_pollers(struct domain *d, evtchn_port_t port)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        uint32_t polled = atomic_read(&v->poll_port);

        if (polled == port || polled == POLL_ANY)
            vcpu_notify(v);
    }
}

/*
 * The ABI is looked at after the bit was set: whoever changes it first looks
 * for bits second.  A guest looks at pending again after it unmasks, so a port
 * that is masked waits.
 */
__in_place void evtchn_deliver(struct evtchn_table *t, evtchn_port_t port)
{
    if (unlikely(!atomic_read(&t->pending)))
        fifo_set_pending(t, port);
    else if (!bit_test(t->domain->shared_info->evtchn_mask, port))
        mark_vcpu(t, port);
    if (unlikely(atomic_read(&t->pollers)))
        wake_pollers(t->domain, port);
}

__in_place void evtchn_set_pending(struct evtchn_table *t, evtchn_port_t port)
{
    uint64_t *pending = atomic_read(&t->pending);

    if (unlikely(!pending) || !bit_test_and_set(pending, port))
        evtchn_deliver(t, port);
}

bool evtchn_is_pending(const struct evtchn_table *t, evtchn_port_t port)
{
    return t->fifo ? fifo_is_pending(t, port) : bit_test(t->pending, port);
}

void evtchn_clear_pending(struct evtchn_table *t, evtchn_port_t port)
{
    if (t->fifo)
        fifo_clear_pending(t, port);
    else
        (void)bit_test_and_clear(t->pending, port);
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
    struct evtchn_table *t = d->events;
    const struct evtchn *chn;

    SPIN_GUARD(&t->lock);
    chn = table_find(t, port);
    if (!chn || chn->state == EVTCHN_FREE)
        return -EINVAL;
    if (t->fifo)
        fifo_unmask(t, port);
    else if (bit_test_and_clear(d->shared_info->evtchn_mask, port) &&
             bit_test(t->pending, port))
        mark_vcpu(t, port);
    return 0;
}

static __noinline long raise_and_unlock(struct evtchn_table *to,
                                        evtchn_port_t port,
                                        struct evtchn_table *t) __lock_primitive
{
    evtchn_set_pending(to, port);
    spin_unlock(&t->lock);
    return 0;
}

/* With the lock held, which is given back. */
static __noinline long send_locked(struct evtchn_table *t, evtchn_port_t port,
                                   const struct evtchn *chn) __lock_primitive
{
    enum evtchn_state state = chn ? chn->state : EVTCHN_FREE;
    long rc = 0;

    if (likely(state == EVTCHN_INTERDOMAIN))
        evtchn_set_pending(chn->peer, chn->detail);
    else if (state == EVTCHN_IPI)
        evtchn_set_pending(t, port);
    else if (state != EVTCHN_UNBOUND) /* Binding will make it pending. */
        rc = -EINVAL;
    spin_unlock(&t->lock);
    return rc;
}

static __rare long send_waiting(struct evtchn_table *t,
                                evtchn_port_t port) __lock_primitive
{
    spin_lock(&t->lock);
    return send_locked(t, port, table_find(t, port));
}

/*
 * Our lock keeps the peer's end, and so the peer, from going away.  A channel
 * that is pending already is done here, and what is called is called last, so
 * that it saves no registers.  Taking the lock was a full barrier: whoever
 * clears the bit after we see it set sees what was written before the send.
 */
long evtchn_send(struct domain *d, evtchn_port_t port) __lock_primitive
{
    struct evtchn_table *t = d->events;
    const struct evtchn *chn;
    const uint64_t *pending;

    if (unlikely(!spin_try_lock(&t->lock)))
        return send_waiting(t, port);
    chn = table_find(t, port);
    if (unlikely(!chn) || unlikely(chn->state != EVTCHN_INTERDOMAIN))
        return send_locked(t, port, chn);
    pending = atomic_read(&chn->peer->pending);
    if (unlikely(!pending) || !bit_test(pending, chn->detail))
        return raise_and_unlock(chn->peer, chn->detail, t);
    spin_unlock(&t->lock);
    return 0;
}

bool evtchn_raise_pirq(struct domain *d, evtchn_port_t port)
{
    struct evtchn_table *t = d->events;
    const struct evtchn *chn;
    bool again;

    SPIN_GUARD(&t->lock);
    chn = table_find(t, port);
    if (!chn || chn->state != EVTCHN_PIRQ)
        return false;
    again = evtchn_is_pending(t, port);
    evtchn_set_pending(t, port);
    return again;
}
