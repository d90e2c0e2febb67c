/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closing ports: one, or all of a domain's.
 *
 * The other end of a channel becomes unbound, kept for the domain that closed:
 * it may bind again.
 */

#include "event/evtchn.h"

#include "domain/upcalls.h"
#include "event/table.h"
#include "event/upcalls.h"
#include "event/virq.h"
#include "lib/errno.h"
#include "memory/pool.h"

/* What is left to do after the locks are dropped. */
struct closing {
    struct domain *peer; /* lock this one too and try again; held */
    bool was_pirq;
    uint32_t pirq;
};

static void free_port(struct domain *d, evtchn_port_t port)
    __must_hold(d->events->lock)
{
    struct evtchn *chn = table_find(d->events, port);

    evtchn_set_state(d, port, EVTCHN_FREE);
    chn->peer = NULL;
    atomic_write(&chn->notify_vcpu, 0);

    /* Who gets the number next must not find an event of this one. */
    evtchn_clear_pending(d, port);
}

/* Both locks are held. */
static void unbind_peer(const struct domain *d,
                        const struct evtchn *chn) __lock_primitive
{
    struct domain *peer = chn->peer;
    struct evtchn *far = table_find(peer->events, chn->u.peer_port);

    evtchn_set_state(peer, chn->u.peer_port, EVTCHN_UNBOUND);
    far->peer = NULL;
    far->u.unbound = d->domid;
}

/* A global one is vCPU 0's, wherever its events were moved to. */
static void forget_virq(struct domain *d, const struct evtchn *chn)
    __must_hold(d->events->lock)
{
    uint32_t vcpu = virq_is_per_vcpu(chn->u.virq) ? chn->notify_vcpu : 0;

    d->events->virq[vcpu][chn->u.virq] = 0;
}

/*
 * Close with @d's lock held, and @locked's if not NULL.  -EAGAIN: the lock of
 * c->peer is needed as well.
 */
static int close_locked(struct domain *d, evtchn_port_t port,
                        const struct domain *locked,
                        struct closing *c) __lock_primitive
{
    struct evtchn *chn = table_find(d->events, port);

    if (!chn)
        return -EINVAL;

    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_FREE:
        return -EINVAL;
    case EVTCHN_INTERDOMAIN:
        if (chn->peer != d && chn->peer != locked) {
            c->peer = chn->peer;
            domain_hold(c->peer);
            return -EAGAIN;
        }
        unbind_peer(d, chn);
        break;
    case EVTCHN_VIRQ:
        forget_virq(d, chn);
        break;
    case EVTCHN_PIRQ:
        c->was_pirq = true;
        c->pirq = chn->u.pirq;
        break;
    case EVTCHN_UNBOUND:
    case EVTCHN_IPI:
        break;
    }
    free_port(d, port);
    return 0;
}

/*
 * The peer's lock may have to be taken before ours, and while we hold none
 * the channel may get another peer: then once more.
 */
int evtchn_close(struct domain *d, evtchn_port_t port) __lock_primitive
{
    struct closing c = {0};
    struct domain *locked;
    int rc;

    do {
        locked = c.peer ? c.peer : d;
        c.peer = NULL;
        events_lock_both(d, locked);
        rc = close_locked(d, port, locked, &c);
        events_unlock_both(d, locked);
        if (locked != d)
            domain_put(locked);
    } while (rc == -EAGAIN);

    if (c.was_pirq)
        upcall_pirq_closed(d, c.pirq, port);
    return rc;
}

/* The ports in use of bucket @i, without port 0. */
static uint64_t used_in(struct evtchn_table *t, uint32_t i)
{
    uint64_t used;

    spin_lock(&t->lock);
    used = t->bucket[i].used;
    spin_unlock(&t->lock);
    return i ? used : used & ~1ULL;
}

/* Close what is in the first bucket that has anything: that is a quantum. */
int evtchn_reset(struct domain *d)
{
    struct evtchn_table *t = d->events;

    for (uint32_t i = 0; i <= t->max_port / BUCKET_PORTS; i++) {
        uint64_t used = used_in(t, i);

        if (!used)
            continue;
        for (; used; used &= used - 1) {
            uint32_t port = i * BUCKET_PORTS + (uint32_t)__builtin_ctzll(used);

            if (evtchn_close(d, port))
                continue; /* Another vCPU was faster. */
        }
        return -EAGAIN;
    }
    return 0;
}

/* Now, and not when the last reference goes: that must be short. */
static void buckets_free(struct evtchn_table *t) __must_hold(t->lock)
{
    for (uint32_t i = 0; i <= t->max_port / BUCKET_PORTS; i++) {
        pool_free(t->bucket[i].chn, BUCKET_PORTS * sizeof(struct evtchn));
        t->bucket[i].chn = NULL;
    }
}

bool upcall_events_destroy(struct domain *d)
{
    struct evtchn_table *t = d->events;

    spin_lock(&t->lock);
    t->dying = true;
    spin_unlock(&t->lock);

    if (evtchn_reset(d))
        return false;
    spin_lock(&t->lock);
    buckets_free(t);
    spin_unlock(&t->lock);
    return true;
}
