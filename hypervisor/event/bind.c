/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocating and binding ports, and moving them between vCPUs. */

#include "event/table.h"

int evtchn_bind(struct domain *d, enum evtchn_state state, uint32_t detail,
                uint32_t vcpu, evtchn_port_t *port)
{
    const struct evtchn as = {.state = state,
                              .detail = detail & 0xffffff,
                              .queue = fifo_queue(vcpu, 0)};
    struct evtchn_table *t = d->events;
    evtchn_port_t *virq = NULL;
    int rc;

    if (state == EVTCHN_VIRQ &&
        (detail >= VIRQ_COUNT || (!virq_is_per_vcpu(detail) && vcpu != 0)))
        return -EINVAL;
    if (vcpu >= d->vcpu_count)
        return -ENOENT;
    if (state == EVTCHN_VIRQ)
        virq = &t->virq[index_nospec(vcpu, d->vcpu_count)]
                       [index_nospec(detail, VIRQ_COUNT)];
    SPIN_GUARD(&t->lock);
    if (virq && *virq)
        return -EEXIST;
    rc = table_alloc(t, &as, port);
    if (virq && rc == 0)
        *virq = *port;
    return rc;
}

/* Both locks are held. */
static int bind_interdomain(struct evtchn_table *t, struct evtchn_table *remote,
                            evtchn_port_t remote_port,
                            evtchn_port_t *port) __lock_primitive
{
    const struct evtchn as = {.state = EVTCHN_INTERDOMAIN,
                              .detail = remote_port & 0xffffff,
                              .peer = remote};
    struct evtchn *far = table_find(remote, remote_port);
    int rc;

    if (!far || far->state != EVTCHN_UNBOUND ||
        far->detail != t->domain->domid || atomic_read(&remote->domain->dying))
        return -EINVAL;
    rc = table_alloc(t, &as, port);
    if (rc)
        return rc;
    evtchn_set_state(remote, remote_port, EVTCHN_INTERDOMAIN);
    far->peer = t;
    far->detail = *port & 0xffffff;

    /* What was sent while it had no peer was dropped: look once. */
    evtchn_set_pending(t, *port);
    return 0;
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote,
                            evtchn_port_t remote_port, evtchn_port_t *port)
{
    int rc;

    events_lock_both(d->events, remote->events);
    rc = bind_interdomain(d->events, remote->events, remote_port, port);
    events_unlock_both(d->events, remote->events);
    return rc;
}

static bool may_move(const struct evtchn *chn)
{
    return chn->state == EVTCHN_UNBOUND || chn->state == EVTCHN_INTERDOMAIN ||
           chn->state == EVTCHN_PIRQ ||
           (chn->state == EVTCHN_VIRQ && !virq_is_per_vcpu(chn->detail));
}

int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, uint32_t vcpu)
{
    struct evtchn *chn;

    if (vcpu >= d->vcpu_count)
        return -ENOENT;

    SPIN_GUARD(&d->events->lock);
    chn = table_find(d->events, port);
    if (!chn || !may_move(chn))
        return -EINVAL;
    atomic_write(&chn->queue,
                 fifo_queue(vcpu, chn->queue % EVTCHN_FIFO_PRIORITIES));
    return 0;
}
