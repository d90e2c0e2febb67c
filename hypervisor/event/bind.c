/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocating and binding ports, and moving them between vCPUs. */

#include "event/table.h"
#include "lib/errno.h"

/* A new port of @d that needs nothing of anybody else. */
static int bind_alone(struct domain *d, enum evtchn_state state,
                      uint32_t detail, uint32_t vcpu, evtchn_port_t *port)
{
    const struct evtchn as = {.state = state,
                              .detail = detail & 0xffffff,
                              .queue = fifo_queue(vcpu, 0)};
    struct evtchn_table *t = d->events;
    evtchn_port_t *virq = NULL;
    int rc = -EEXIST;

    if (vcpu >= d->vcpu_count)
        return -ENOENT;
    if (state == EVTCHN_VIRQ)
        virq = &t->virq[index_nospec(vcpu, d->vcpu_count)]
                       [index_nospec(detail, VIRQ_COUNT)];
    spin_lock(&t->lock);
    if (!virq || !*virq)
        rc = table_alloc(t, &as, port);
    if (virq && rc == 0)
        *virq = *port;
    spin_unlock(&t->lock);
    return rc;
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port)
{
    return bind_alone(d, EVTCHN_UNBOUND, remote, 0, port);
}

int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, evtchn_port_t *port)
{
    return bind_alone(d, EVTCHN_IPI, 0, vcpu, port);
}

int evtchn_bind_pirq(struct domain *d, uint32_t pirq, evtchn_port_t *port)
{
    return bind_alone(d, EVTCHN_PIRQ, pirq, 0, port);
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
        far->detail != t->domain->domid || remote->dying)
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

int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu,
                     evtchn_port_t *port)
{
    if (virq >= VIRQ_COUNT || (!virq_is_per_vcpu(virq) && vcpu != 0))
        return -EINVAL;
    return bind_alone(d, EVTCHN_VIRQ, virq, vcpu, port);
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
    int rc = -EINVAL;

    if (vcpu >= d->vcpu_count)
        return -ENOENT;

    spin_lock(&d->events->lock);
    chn = table_find(d->events, port);
    if (chn && may_move(chn)) {
        atomic_write(&chn->queue,
                     fifo_queue(vcpu, chn->queue % EVTCHN_FIFO_PRIORITIES));
        rc = 0;
    }
    spin_unlock(&d->events->lock);
    return rc;
}
