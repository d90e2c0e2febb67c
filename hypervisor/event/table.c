/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of ports, and the one place where their state changes. */

#include "event/table.h"

#include "domain/upcalls.h"
#include "memory/frame.h"

/* Free ports looked at for one that no queue has any more. */
#define ALLOC_TRIES 256U

static size_t table_bytes(const struct domain *d, uint32_t max_port)
{
    return sizeof(struct evtchn_table) +
           (max_port / BUCKET_PORTS + 1) *
               (sizeof(struct evtchn *) + 2 * sizeof(uint64_t)) +
           d->vcpu_count * VIRQ_COUNT * sizeof(evtchn_port_t);
}

int upcall_events_create(struct domain *d, uint32_t max_port)
{
    struct evtchn_table *t = pool_alloc(table_bytes(d, max_port));

    if (!t)
        return -ENOMEM;
    spin_lock_init(&t->lock, LOCK_event);
    t->domain = d;
    t->port_end = max_port + 1;
    t->pending = d->shared_info->evtchn_pending;
    t->used = (uint64_t *)&t->bucket[bucket_count(t)];
    t->waiting = t->used + bucket_count(t);
    t->virq = (void *)(t->waiting + bucket_count(t));
    t->used[0] = 1; /* Port 0 is nobody's. */
    d->events = t;
    return 0;
}

void upcall_events_free(struct domain *d)
{
    struct evtchn_table *t = d->events;

    if (!t)
        return;
    assert(t->used_count == 0 && !t->fifo);
    pool_free(t, table_bytes(d, t->port_end - 1));
    d->events = NULL;
}

/*
 * The lowest free port; 0: none.  One that is linked in a queue still would be
 * delivered there, for whatever vCPU it is now, so others are better.
 */
static evtchn_port_t find_free(struct evtchn_table *t)
{
    evtchn_port_t port, linked = 0;
    uint32_t tries = ALLOC_TRIES;

    for (uint32_t i = t->first_room; i < bucket_count(t); i++) {
        for (uint64_t free = ~t->used[i]; free; free &= free - 1) {
            port = i * BUCKET_PORTS + (uint32_t)__builtin_ctzll(free);
            if (port >= table_limit(t))
                return linked;
            if (!fifo_is_linked(t->fifo, port) || --tries == 0)
                return port;
            linked = linked ? linked : port;
        }
        if (!linked)
            t->first_room = i + 1;
    }
    return linked;
}

int table_alloc(struct evtchn_table *t, const struct evtchn *as,
                evtchn_port_t *port)
{
    evtchn_port_t found = find_free(t);
    struct evtchn **bucket = &t->bucket[found / BUCKET_PORTS], *chn;

    if (atomic_read(&t->domain->dying))
        return -EINVAL;
    if (!found)
        return -ENOSPC;
    if (!*bucket) {
        chn = pool_alloc(BUCKET_PORTS * sizeof(struct evtchn));
        if (!chn)
            return -ENOMEM;
        __atomic_store_n(bucket, chn, __ATOMIC_RELEASE);
    }
    evtchn_set_state(t, found, as->state);
    chn = table_at(t, found);
    chn->detail = as->detail;
    chn->peer = as->peer;
    atomic_write(&chn->queue, fifo_queue(evtchn_vcpu(as), EVTCHN_FIFO_DEFAULT));
    *port = found;
    return 0;
}

/* The drawing in evtchn.h, as a predicate. */
static bool is_transition(enum evtchn_state from, enum evtchn_state to)
{
    return (from == EVTCHN_FREE) != (to == EVTCHN_FREE) ||
           (from == EVTCHN_UNBOUND && to == EVTCHN_INTERDOMAIN) ||
           (from == EVTCHN_INTERDOMAIN && to == EVTCHN_UNBOUND);
}

void evtchn_set_state(struct evtchn_table *t, evtchn_port_t port,
                      enum evtchn_state state)
{
    struct evtchn *chn = table_at(t, port);
    uint32_t i = port / BUCKET_PORTS;
    uint64_t bit = 1ULL << (port % BUCKET_PORTS);

    assert(is_transition(chn->state, state));
    (void)is_transition;

    if (chn->state == EVTCHN_FREE) {
        atomic_write(&t->used[i], t->used[i] | bit);
        t->used_count++;
    }
    if (state == EVTCHN_FREE) {
        atomic_write(&t->used[i], t->used[i] & ~bit);
        t->used_count--;
        t->first_room = MIN(t->first_room, i);
    }
    chn->state = (uint8_t)state;
}

void evtchn_counts(struct domain *d, uint32_t *used, uint32_t *max)
{
    *used = atomic_read(&d->events->used_count);
    *max = d->events->port_end - 1;
}

void events_lock_both(struct evtchn_table *a,
                      struct evtchn_table *b) __lock_primitive
{
    struct evtchn_table *lower = a->domain->domid < b->domain->domid ? a : b;
    struct evtchn_table *upper = lower == a ? b : a;

    spin_lock(&lower->lock);
    if (lower != upper)
        spin_lock(&upper->lock);
}

void events_unlock_both(struct evtchn_table *a,
                        struct evtchn_table *b) __lock_primitive
{
    spin_unlock(&a->lock);
    if (a != b)
        spin_unlock(&b->lock);
}
