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
    struct fifo *fifo; /* (e) set before pending is NULL */
    struct domain *domain;             /* (c) */
    uint32_t pollers;                  /* (a) vCPUs in SCHEDOP_poll */
    uint32_t used_count;               /* (e) */
    uint32_t first_room;               /* (e) every bucket below it is full */
    uint32_t next_bucket;              /* (a) where evtchn_reset() goes on */
    uint32_t freed_to;                 /* (e) buckets below have no records */
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

/*
 * FIFO event channels: pending ports as lists in the guest's memory.
 *
 * A queue, of one vCPU and one priority, begins at its head in the vCPU's
 * control block; each event word links to the next port's:
 *
 *     ready bit -> head[priority] -> word of port a -> word of port b -> 0
 *
 * The guest may write anything there at any time.  The hypervisor follows no
 * link: it remembers by itself which port is the last of a queue, so the worst
 * a guest can do is to lose or invent events of its own.  Its pages are pinned
 * when it registers them; making a port pending neither faults nor allocates.
 *
 * It lasts from the first init_control until a reset finds no port in use.
 */

#define FIFO_PAGES (EVTCHN_FIFO_PORTS / EVTCHN_FIFO_PAGE_PORTS)

struct fifo {
    struct spinlock lock;       /* queues; nothing is called under it */
    uint32_t port_end;          /* (a) ports below have an event word */
    uint32_t raised;            /* (e) of those, none below waits for it */
    uint32_t *page[FIFO_PAGES]; /* (c) once port_end covers it */
    struct evtchn_fifo_control *control[DOMAIN_VCPUS_MAX]; /* (a) or NULL */
    evtchn_port_t tail[]; /* (lock) last port put into each queue; 0: none */
};

/* The event word of @port, which is no guest's own; NULL: it has none yet. */
static inline uint32_t *fifo_word(const struct fifo *f, evtchn_port_t port)
{
    if (port >= __atomic_load_n(&f->port_end, __ATOMIC_ACQUIRE))
        return NULL;
    return &f->page[port / EVTCHN_FIFO_PAGE_PORTS]
                   [port % EVTCHN_FIFO_PAGE_PORTS];
}

/* Whether the guest has yet to take @port out of a queue; @f may be NULL. */
bool fifo_is_linked(const struct fifo *f, evtchn_port_t port);

void fifo_set_pending(struct evtchn_table *t, evtchn_port_t port);
void fifo_clear_pending(struct evtchn_table *t, evtchn_port_t port);
bool fifo_is_pending(const struct evtchn_table *t, evtchn_port_t port);
void fifo_unmask(struct evtchn_table *t, evtchn_port_t port);

/* Back to 2-level; no port is in use. */
void fifo_end(struct evtchn_table *t) __must_hold(t->lock);
