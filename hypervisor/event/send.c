/* SPDX-License-Identifier: BSD-2-Clause */
/* Sending: from a guest, or from a device's interrupt. */

#include "event/evtchn.h"

#include "event/table.h"
#include "lib/errno.h"

static int send(struct domain *d, struct evtchn_table *t, evtchn_port_t port)
{
    const struct evtchn *chn = table_find(t, port);

    if (!chn)
        return -EINVAL;

    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_INTERDOMAIN:
        /* Our lock keeps the peer's end, and so the peer, from going away. */
        evtchn_set_pending(chn->peer, chn->u.peer_port);
        return 0;
    case EVTCHN_IPI:
        evtchn_set_pending(d, port);
        return 0;
    case EVTCHN_UNBOUND:
        return 0; /* Binding makes the port pending: nothing is lost. */
    case EVTCHN_FREE:
    case EVTCHN_VIRQ:
    case EVTCHN_PIRQ:
        break;
    }
    return -EINVAL;
}

int evtchn_send(struct domain *d, evtchn_port_t port)
{
    struct evtchn_table *t = d->events;
    int rc;

    spin_lock(&t->lock);
    rc = send(d, t, port);
    spin_unlock(&t->lock);
    return rc;
}

void evtchn_raise_pirq(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chn;

    spin_lock(&d->events->lock);
    chn = table_find(d->events, port);
    if (chn && chn->state == EVTCHN_PIRQ)
        evtchn_set_pending(d, port);
    spin_unlock(&d->events->lock);
}
