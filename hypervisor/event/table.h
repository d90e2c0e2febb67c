/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's ports, for the files of this room.
 *
 * Records come in buckets of 64, made when the first port in them is
 * allocated and kept until the domain has ended and no port has a peer: until
 * then whoever holds a reference to the domain may look at any record, and the
 * lock is needed only to believe what it says.
 *
 * Whoever makes a port pending holds a lock that closing the port needs: the
 * sender's domain's of a channel, else the port's own.  So what a port that is
 * in use needs (its domain, its event word) cannot go away meanwhile.
 */

#pragma once

#include "event/evtchn.h"

#define BUCKET_PORTS 64U

struct evtchn_table {
    struct spinlock lock;
    uint32_t port_end; /* (c) the first port that is not allowed */
    uint64_t *pending; /* (a) 2-level: a bit a port, the guest's; NULL: FIFO */
    struct fifo *fifo; /* (e) set before pending is NULL; event/fifo.h */
    struct domain *domain;             /* (c) */
    uint32_t pollers;                  /* (a) vCPUs in SCHEDOP_poll */
    uint32_t used_count;               /* (e) */
    uint32_t first_room;               /* (e) every bucket below it is full */
    uint32_t next_bucket;              /* (a) where evtchn_reset() goes on */
    uint32_t freed_to;                 /* (e) buckets below have no records */
    bool dying;                        /* (e) nothing may be bound any more */
    evtchn_port_t (*virq)[VIRQ_COUNT]; /* (e) of each vCPU; 0: not bound */
    uint64_t *used;    /* (e) by bucket: a bit for each port not free */
    uint64_t *waiting; /* (a) by bucket: pending ports without event word */
    struct evtchn *bucket[]; /* (a) BUCKET_PORTS of them, NULL until needed */
};

/* Ports below it can be had with the ABI in use. */
static inline uint32_t table_limit(const struct evtchn_table *t)
{
    return t->port_end < EVTCHN_2L_PORTS || !atomic_read(&t->pending)
               ? t->port_end
               : EVTCHN_2L_PORTS;
}

static inline uint32_t bucket_count(const struct evtchn_table *t)
{
    return (t->port_end + BUCKET_PORTS - 1) / BUCKET_PORTS;
}

/* The record of @port, or NULL: never allocated, or out of range. */
static inline struct evtchn *table_find(struct evtchn_table *t,
                                        evtchn_port_t port)
{
    struct evtchn *chn;
    uint64_t at;

    if (unlikely(port >= t->port_end))
        return NULL;
    at = index_nospec(port, t->port_end);
    chn = atomic_read(&t->bucket[at / BUCKET_PORTS]);
    return likely(chn) ? &chn[at % BUCKET_PORTS] : NULL;
}

/* The record of a port that is known to be in use, and not by a guest's word.
 */
static inline struct evtchn *table_at(const struct evtchn_table *t,
                                      evtchn_port_t port)
{
    return &t->bucket[port / BUCKET_PORTS][port % BUCKET_PORTS];
}

/*
 * Take the lowest free port for what @as says, all but its priority.  -ENOSPC,
 * -ENOMEM; -EINVAL: the domain is dying.
 */
int __must_check table_alloc(struct evtchn_table *t, const struct evtchn *as,
                             evtchn_port_t *port) __must_hold(t->lock);

/* The only code that changes a state. */
void evtchn_set_state(struct evtchn_table *t, evtchn_port_t port,
                      enum evtchn_state state) __must_hold(t->lock);

/* Both ends' locks, lower domid first; @a may be @b. */
void events_lock_both(struct evtchn_table *a, struct evtchn_table *b);
void events_unlock_both(struct evtchn_table *a, struct evtchn_table *b);

/*
 * The rest of making @port pending: with 2-level its bit was just turned on.
 * Tell its vCPU, and who polls.
 */
void evtchn_deliver(struct evtchn_table *t, evtchn_port_t port);

/* Make @port pending; whoever turns its bit on delivers it. */
void evtchn_set_pending(struct evtchn_table *t, evtchn_port_t port);

bool evtchn_is_pending(const struct evtchn_table *t, evtchn_port_t port)
    __must_hold(t->lock);
void evtchn_clear_pending(struct evtchn_table *t, evtchn_port_t port)
    __must_hold(t->lock);

static inline bool virq_is_per_vcpu(uint32_t virq)
{
    return virq == VIRQ_TIMER || virq == VIRQ_DEBUG || virq == VIRQ_XENPROF ||
           virq == VIRQ_XENPMU;
}

/* Set @v's upcall_pending, and see that somebody looks at it. */
void evtchn_upcall(struct vcpu *v);
