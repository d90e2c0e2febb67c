/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending: from a guest, or from a device's interrupt. */

#include "event/evtchn.h"

#include "event/table.h"
#include "lib/errno.h"

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
        return send_locked(t, port, chn);
    spin_unlock(&t->lock);
    return 0;
}

bool evtchn_raise_pirq(struct domain *d, evtchn_port_t port)
{
    struct evtchn_table *t = d->events;
    const struct evtchn *chn;
    bool again = false;

    spin_lock(&t->lock);
    chn = table_find(t, port);
    if (chn && chn->state == EVTCHN_PIRQ) {
        again = evtchn_is_pending(t, port);
        evtchn_set_pending(t, port);
    }
    spin_unlock(&t->lock);
    return again;
}
