/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocating and binding ports, and moving them between vCPUs. */

#include "event/evtchn.h"

#include "arch/x86_64/nospec.h"
#include "domain/vcpu.h"
#include "event/table.h"
#include "event/virq.h"
#include "lib/errno.h"

/* A new port of @d, if it may still have one. */
static int alloc_port(struct domain *d, evtchn_port_t *port)
    __must_hold(d->events->lock)
{
    if (d->events->dying)
        return -EINVAL;
    return table_alloc(d, port);
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port)
{
    int rc;

    spin_lock(&d->events->lock);
    rc = alloc_port(d, port);
    if (rc == 0) {
        evtchn_set_state(d, *port, EVTCHN_UNBOUND);
        table_find(d->events, *port)->u.unbound = remote;
    }
    spin_unlock(&d->events->lock);
    return rc;
}

static void connect(struct domain *d, evtchn_port_t port, struct domain *peer,
                    evtchn_port_t peer_port) __must_hold(d->events->lock)
{
    struct evtchn *chn = table_find(d->events, port);

    evtchn_set_state(d, port, EVTCHN_INTERDOMAIN);
    chn->peer = peer;
    chn->u.peer_port = peer_port;
}

/* Both locks are held. */
static int bind_interdomain(struct domain *d, struct domain *remote,
                            evtchn_port_t remote_port,
                            evtchn_port_t *port) __lock_primitive
{
    const struct evtchn *far = table_find(remote->events, remote_port);
    int rc;

    if (!far || far->state != EVTCHN_UNBOUND || far->u.unbound != d->domid)
        return -EINVAL;
    if (remote->events->dying)
        return -EINVAL;
    rc = alloc_port(d, port);
    if (rc)
        return rc;

    connect(d, *port, remote, remote_port);
    connect(remote, remote_port, d, *port);

    /* What was sent while it had no peer was dropped: look once. */
    evtchn_set_pending(d, *port);
    return 0;
}

int evtchn_bind_interdomain(struct domain *d, struct domain *remote,
                            evtchn_port_t remote_port, evtchn_port_t *port)
{
    int rc;

    events_lock_both(d, remote);
    rc = bind_interdomain(d, remote, remote_port, port);
    events_unlock_both(d, remote);
    return rc;
}

static int bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu,
                     evtchn_port_t *port) __must_hold(d->events->lock)
{
    struct evtchn_table *t = d->events;
    struct evtchn *chn;
    int rc;

    if (t->virq[vcpu][virq])
        return -EEXIST;
    rc = alloc_port(d, port);
    if (rc)
        return rc;

    evtchn_set_state(d, *port, EVTCHN_VIRQ);
    chn = table_find(t, *port);
    chn->u.virq = virq;
    chn->notify_vcpu = (uint16_t)vcpu;
    t->virq[vcpu][virq] = *port;
    return 0;
}

int evtchn_bind_virq(struct domain *d, uint32_t virq, uint32_t vcpu,
                     evtchn_port_t *port)
{
    int rc;

    if (virq >= VIRQ_COUNT || (!virq_is_per_vcpu(virq) && vcpu != 0))
        return -EINVAL;
    if (vcpu >= d->vcpu_count)
        return -ENOENT;
    virq = (uint32_t)index_nospec(virq, VIRQ_COUNT);
    vcpu = (uint32_t)index_nospec(vcpu, d->vcpu_count);

    spin_lock(&d->events->lock);
    rc = bind_virq(d, virq, vcpu, port);
    spin_unlock(&d->events->lock);
    return rc;
}

int evtchn_bind_ipi(struct domain *d, uint32_t vcpu, evtchn_port_t *port)
{
    int rc;

    if (vcpu >= d->vcpu_count)
        return -ENOENT;

    spin_lock(&d->events->lock);
    rc = alloc_port(d, port);
    if (rc == 0) {
        evtchn_set_state(d, *port, EVTCHN_IPI);
        table_find(d->events, *port)->notify_vcpu = (uint16_t)vcpu;
    }
    spin_unlock(&d->events->lock);
    return rc;
}

int evtchn_bind_pirq(struct domain *d, uint32_t pirq, evtchn_port_t *port)
{
    int rc;

    spin_lock(&d->events->lock);
    rc = alloc_port(d, port);
    if (rc == 0) {
        evtchn_set_state(d, *port, EVTCHN_PIRQ);
        table_find(d->events, *port)->u.pirq = pirq;
    }
    spin_unlock(&d->events->lock);
    return rc;
}

static bool may_move(const struct evtchn *chn)
{
    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_UNBOUND:
    case EVTCHN_INTERDOMAIN:
    case EVTCHN_PIRQ:
        return true;
    case EVTCHN_VIRQ:
        return !virq_is_per_vcpu(chn->u.virq);
    case EVTCHN_IPI:
    case EVTCHN_FREE:
        break;
    }
    return false;
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
        atomic_write(&chn->notify_vcpu, (uint16_t)vcpu);
        rc = 0;
    }
    spin_unlock(&d->events->lock);
    return rc;
}
