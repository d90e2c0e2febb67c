/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Closing ports: one, or all of a domain's.
 *
 * The other end of a channel becomes unbound, kept for the domain that closed:
 * it may bind again.
 */

#include "domain/upcalls.h"
#include "event/table.h"
#include "event/upcalls.h"
#include "memory/frame.h"

/* Buckets of closed ports that one call gives back. */
#define FREE_QUANTUM 64U

/* Buckets looked at in one call: a domain can have 2,048. */
#define LOOK_QUANTUM 512U

/* What is left to do after the locks are dropped. */
struct closing {
    struct evtchn_table *peer; /* lock this one too and try again; held */
    uint32_t pirq;             /* 0: it was none */
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

/*
 * Close with @t's lock held, and @locked's.  -EAGAIN: the lock of c->peer is
 * needed as well.
 */
static int close_locked(struct evtchn_table *t, evtchn_port_t port,
                        const struct evtchn_table *locked,
                        struct closing *c) __lock_primitive
{
    struct evtchn *chn = table_find(t, port);
    uint32_t vcpu;

    if (!chn || chn->state == EVTCHN_FREE)
        return -EINVAL;

    if (chn->state == EVTCHN_INTERDOMAIN) {
        if (chn->peer != t && chn->peer != locked) {
            c->peer = chn->peer;
            domain_hold(c->peer->domain);
            return -EAGAIN;
        }
        unbind_peer(t, chn);
    } else if (chn->state == EVTCHN_VIRQ) {
        /* A global one is vCPU 0's, wherever its events were moved to. */
        vcpu = virq_is_per_vcpu(chn->detail) ? evtchn_vcpu(chn) : 0;
        t->virq[vcpu][chn->detail] = 0;
    } else if (chn->state == EVTCHN_PIRQ) {
        c->pirq = chn->detail;
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

    if (c.pirq)
        upcall_pirq_closed(d, c.pirq, port);
    return rc;
}

/* Ports of bucket @i in use now, without port 0. */
static uint64_t used_in(const struct evtchn_table *t, uint32_t i)
{
    return atomic_read(&t->used[i]) & (i ? ~0ULL : ~1ULL);
}

/*
 * Close what is in the next bucket that has anything, or look at many that have
 * nothing: that is a quantum.  A port that comes behind our back makes it begin
 * again.
 */
int evtchn_reset(struct domain *d)
{
    struct evtchn_table *t = d->events;
    uint32_t i = atomic_read(&t->next_bucket), left;
    uint32_t end = MIN(i + LOOK_QUANTUM, bucket_count(t));
    uint64_t used = 0;

    for (; i < end && !(used = used_in(t, i)); i++)
        ;
    for (; used; used &= used - 1)
        if (evtchn_close(d, i * BUCKET_PORTS + (uint32_t)__builtin_ctzll(used)))
            continue; /* Another vCPU was faster. */

    SPIN_GUARD(&t->lock);
    left = t->used_count;
    t->next_bucket = left && i < bucket_count(t) ? i : 0;
    if (!left)
        fifo_end(t);
    return left ? -EAGAIN : 0;
}

/* Now, and not when the last reference goes: that must be short. */
static bool buckets_free(struct evtchn_table *t)
{
    uint32_t freed = 0, end = t->freed_to + LOOK_QUANTUM;

    SPIN_GUARD(&t->lock);
    for (; t->freed_to < bucket_count(t); t->freed_to++) {
        struct evtchn **bucket = &t->bucket[t->freed_to];

        if (t->freed_to == end || freed == FREE_QUANTUM)
            return false;
        if (!*bucket)
            continue;
        pool_free(*bucket, BUCKET_PORTS * sizeof(struct evtchn));
        *bucket = NULL;
        freed++;
    }
    return true;
}

/* It is dying: who has not seen that was under the lock before the reset is. */
bool upcall_events_destroy(struct domain *d)
{
    return !evtchn_reset(d) && buckets_free(d->events);
}
