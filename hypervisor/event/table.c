/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation of ports, and the one place where their state changes. */

#include "event/table.h"

#include "domain/upcalls.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "memory/pool.h"

static_assert(DOMAIN_VCPUS_MAX <= UINT16_MAX, "evtchn.notify_vcpu");

static uint32_t bucket_count(uint32_t max_port)
{
    return max_port / BUCKET_PORTS + 1;
}

static size_t table_bytes(uint32_t max_port)
{
    return sizeof(struct evtchn_table) +
           bucket_count(max_port) * sizeof(struct evtchn_bucket);
}

int upcall_events_create(struct domain *d, uint32_t max_port)
{
    struct evtchn_table *t = pool_alloc(table_bytes(max_port));

    if (!t)
        return -ENOMEM;
    t->virq = pool_alloc(d->vcpu_count * sizeof(*t->virq));
    if (!t->virq) {
        pool_free(t, table_bytes(max_port));
        return -ENOMEM;
    }
    spin_lock_init(&t->lock, LOCK_event);
    t->max_port = max_port;
    t->vcpu_count = d->vcpu_count;
    t->bucket[0].used = 1; /* Port 0 is nobody's. */
    d->events = t;
    return 0;
}

void upcall_events_free(struct domain *d)
{
    struct evtchn_table *t = d->events;

    if (!t)
        return;
    assert(t->used_count == 0);
    pool_free(t->virq, t->vcpu_count * sizeof(*t->virq));
    pool_free(t, table_bytes(t->max_port));
    d->events = NULL;
}

/* The lowest free port of bucket @i that is allowed; 0: none. */
static evtchn_port_t free_in_bucket(const struct evtchn_table *t, uint32_t i)
{
    evtchn_port_t port;

    if (t->bucket[i].used == ~0ULL)
        return 0;
    port = i * BUCKET_PORTS + (uint32_t)__builtin_ctzll(~t->bucket[i].used);
    return port <= t->max_port ? port : 0;
}

static int make_bucket(struct evtchn_bucket *b)
{
    if (b->chn)
        return 0;
    b->chn = pool_alloc(BUCKET_PORTS * sizeof(struct evtchn));
    return b->chn ? 0 : -ENOMEM;
}

int table_alloc(struct domain *d, evtchn_port_t *port)
{
    struct evtchn_table *t = d->events;
    evtchn_port_t found = 0;
    uint32_t i;

    for (i = t->first_room; i < bucket_count(t->max_port); i++) {
        found = free_in_bucket(t, i);
        if (found)
            break;
    }
    t->first_room = i;
    if (!found)
        return -ENOSPC;
    *port = found;
    return make_bucket(&t->bucket[i]);
}

/* The drawing in evtchn.h, as a predicate. */
static bool is_transition(enum evtchn_state from, enum evtchn_state to)
{
    switch (to) {
    case EVTCHN_FREE:
        return from != EVTCHN_FREE;
    case EVTCHN_UNBOUND:
        return from == EVTCHN_FREE || from == EVTCHN_INTERDOMAIN;
    case EVTCHN_INTERDOMAIN: /* The binder's own end comes from FREE. */
        return from == EVTCHN_FREE || from == EVTCHN_UNBOUND;
    case EVTCHN_VIRQ:
    case EVTCHN_IPI:
    case EVTCHN_PIRQ:
        return from == EVTCHN_FREE;
    }
    return false;
}

void evtchn_set_state(struct domain *d, evtchn_port_t port,
                      enum evtchn_state state)
{
    struct evtchn_table *t = d->events;
    struct evtchn_bucket *b = &t->bucket[port / BUCKET_PORTS];
    struct evtchn *chn = &b->chn[port % BUCKET_PORTS];
    uint64_t bit = 1ULL << (port % BUCKET_PORTS);

    assert(is_transition(chn->state, state));
    (void)is_transition;

    if (chn->state == EVTCHN_FREE) {
        b->used |= bit;
        t->used_count++;
    }
    if (state == EVTCHN_FREE) {
        b->used &= ~bit;
        t->used_count--;
        if (port / BUCKET_PORTS < t->first_room)
            t->first_room = port / BUCKET_PORTS;
    }
    chn->state = (uint8_t)state;
}

void evtchn_counts(struct domain *d, uint32_t *used, uint32_t *max)
{
    *used = atomic_read(&d->events->used_count);
    *max = d->events->max_port;
}

void events_lock_both(struct domain *a, struct domain *b) __lock_primitive
{
    struct domain *lower = a->domid < b->domid ? a : b;
    struct domain *upper = lower == a ? b : a;

    spin_lock(&lower->events->lock);
    if (lower != upper)
        spin_lock(&upper->events->lock);
}

void events_unlock_both(struct domain *a, struct domain *b) __lock_primitive
{
    spin_unlock(&a->events->lock);
    if (a != b)
        spin_unlock(&b->events->lock);
}
