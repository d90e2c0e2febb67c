/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closing ports: one, or all of a domain's.
 *
 * The other end of a channel becomes unbound, kept for the domain that closed:
 * it may bind again.
 */

#include "domain/upcalls.h"
#include "event/fifo.h"
#include "event/upcalls.h"
#include "lib/errno.h"
#include "memory/pool.h"

/* Buckets of closed ports that one call gives back. */
#define FREE_QUANTUM 64U

/* What is left to do after the locks are dropped. */
struct closing {
    struct evtchn_table *peer; /* lock this one too and try again; held */
    bool was_pirq;
    uint32_t pirq;
};

/* Both locks are held. */
static void unbind_peer(const struct evtchn_table *t,
                        const struct evtchn *chn) __lock_primitive
{
    struct evtchn *far = table_at(chn->peer, chn->detail);

    evtchn_set_state(chn->peer, chn->detail, EVTCHN_UNBOUND);
    far->peer = NULL;
    far->detail = t->domain->domid;
}

/* A global one is vCPU 0's, wherever its events were moved to. */
static void forget_virq(struct evtchn_table *t, const struct evtchn *chn)
    __must_hold(t->lock)
{
    uint32_t vcpu = virq_is_per_vcpu(chn->detail) ? evtchn_vcpu(chn) : 0;

    t->virq[vcpu][chn->detail] = 0;
}

/*
 * Close with @t's lock held, and @locked's.  -EAGAIN: the lock of c->peer is
 * needed as well.
 */
static int close_locked(struct evtchn_table *t, evtchn_port_t port,
                        const struct evtchn_table *locked,
                        struct closing *c) __lock_primitive
{
    struct evtchn *chn = table_find(t, port);

    if (!chn)
        return -EINVAL;

    switch ((enum evtchn_state)chn->state) {
    case EVTCHN_FREE:
        return -EINVAL;
    case EVTCHN_INTERDOMAIN:
        if (chn->peer != t && chn->peer != locked) {
            c->peer = chn->peer;
            domain_hold(c->peer->domain);
            return -EAGAIN;
        }
        unbind_peer(t, chn);
        break;
    case EVTCHN_VIRQ:
        forget_virq(t, chn);
        break;
    case EVTCHN_PIRQ:
        c->was_pirq = true;
        c->pirq = chn->detail;
        break;
    case EVTCHN_UNBOUND:
    case EVTCHN_IPI:
        break;
    }
    evtchn_set_state(t, port, EVTCHN_FREE);
    chn->peer = NULL;
    atomic_write(&chn->queue, fifo_queue(0, EVTCHN_FIFO_DEFAULT));

    /* Who gets the number next must not find an event of this one. */
    evtchn_clear_pending(t, port);
    return 0;
}

/*
 * The peer's lock may have to be taken before ours, and while we hold none
 * the channel may get another peer: then once more.
 */
int evtchn_close(struct domain *d, evtchn_port_t port) __lock_primitive
{
    struct closing c = {0};
    struct evtchn_table *t = d->events, *locked;
    int rc;

    do {
        locked = c.peer ? c.peer : t;
        c.peer = NULL;
        events_lock_both(t, locked);
        rc = close_locked(t, port, locked, &c);
        events_unlock_both(t, locked);
        if (locked != t)
            domain_put(locked->domain);
    } while (rc == -EAGAIN);

    if (c.was_pirq)
        upcall_pirq_closed(d, c.pirq, port);
    return rc;
}

/* Ports of bucket @i in use now, without port 0. */
static uint64_t used_in(const struct evtchn_table *t, uint32_t i)
{
    return atomic_read(&t->used[i]) & (i ? ~0ULL : ~1ULL);
}

/* Close what is in the first bucket that has anything: that is a quantum. */
int evtchn_reset(struct domain *d)
{
    struct evtchn_table *t = d->events;
    uint64_t used = 0;
    uint32_t i, left;

    for (i = 0; i < bucket_count(t) && !(used = used_in(t, i)); i++)
        ;
    for (; used; used &= used - 1)
        if (evtchn_close(d, i * BUCKET_PORTS + (uint32_t)__builtin_ctzll(used)))
            continue; /* Another vCPU was faster. */

    spin_lock(&t->lock);
    left = t->used_count;
    if (!left)
        fifo_end(t);
    spin_unlock(&t->lock);
    return left ? -EAGAIN : 0;
}

/* Now, and not when the last reference goes: that must be short. */
static bool buckets_free(struct evtchn_table *t) __must_hold(t->lock)
{
    uint32_t freed = 0;

    for (uint32_t i = 0; i < bucket_count(t); i++) {
        if (!t->bucket[i])
            continue;
        if (freed++ == FREE_QUANTUM)
            return false;
        pool_free(t->bucket[i], BUCKET_PORTS * sizeof(struct evtchn));
        t->bucket[i] = NULL;
    }
    return true;
}

bool upcall_events_destroy(struct domain *d)
{
    struct evtchn_table *t = d->events;
    bool done;

    spin_lock(&t->lock);
    t->dying = true;
    spin_unlock(&t->lock);

    if (evtchn_reset(d))
        return false;
    spin_lock(&t->lock);
    done = buckets_free(t);
    spin_unlock(&t->lock);
    return done;
}
