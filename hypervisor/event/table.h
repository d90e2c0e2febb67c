/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's ports, for the files of this room.
 *
 * Records come in buckets of 64, made when the first port in them is
 * allocated and kept until the domain has ended and no port has a peer: until
 * then whoever holds a reference to the domain may look at any record, and the
 * lock is needed only to believe what it says.
 */

#ifndef EVENT_TABLE_H
#define EVENT_TABLE_H

#include <stdint.h>

#include "arch/x86_64/nospec.h"
#include "core/lock.h"
#include "domain/domain.h"
#include "event/evtchn.h"
#include "lib/atomic.h"
#include "lib/bitops.h"
#include "lib/compiler.h"

#define BUCKET_PORTS 64U

struct evtchn_bucket {
    struct evtchn *chn; /* (a) BUCKET_PORTS of them, NULL until needed */
    uint64_t used;      /* (e) a bit for each port that is not free */
};

struct evtchn_table {
    struct spinlock lock;
    uint32_t pollers;                  /* (a) vCPUs in SCHEDOP_poll */
    uint32_t max_port;                 /* (c) highest allowed */
    uint32_t used_count;               /* (e) */
    uint32_t first_room;               /* (e) every bucket below it is full */
    bool dying;                        /* (e) nothing may be bound any more */
    uint32_t vcpu_count;               /* (c) */
    evtchn_port_t (*virq)[VIRQ_COUNT]; /* (e) of each vCPU; 0: not bound */
    struct evtchn_bucket bucket[];     /* max_port / BUCKET_PORTS + 1 */
};

/* The record of @port, or NULL: never allocated, or out of range. */
static inline struct evtchn *table_find(struct evtchn_table *t,
                                        evtchn_port_t port)
{
    struct evtchn *chn;

    if (unlikely(port > t->max_port))
        return NULL;
    port = (evtchn_port_t)index_nospec(port, (uint64_t)t->max_port + 1);
    chn = atomic_read(&t->bucket[port / BUCKET_PORTS].chn);
    return likely(chn) ? &chn[port % BUCKET_PORTS] : NULL;
}

/* The record of a port that is known to be in use, and not by a guest's word.
 */
static inline struct evtchn *table_at(const struct evtchn_table *t,
                                      evtchn_port_t port)
{
    return &t->bucket[port / BUCKET_PORTS].chn[port % BUCKET_PORTS];
}

/*
 * Take the lowest free port; its record is FREE until the caller says what
 * it is.  -ENOSPC, -ENOMEM.
 */
int __must_check table_alloc(struct domain *d, evtchn_port_t *port)
    __must_hold(d->events->lock);

/* The only code that changes a state. */
void evtchn_set_state(struct domain *d, evtchn_port_t port,
                      enum evtchn_state state) __must_hold(d->events->lock);

/* Both ends' locks, lower domid first; @a may be @b. */
void events_lock_both(struct domain *a, struct domain *b);
void events_unlock_both(struct domain *a, struct domain *b);

/* @port became pending: tell its vCPU, and who polls; event/deliver.c. */
void evtchn_deliver(struct domain *d, evtchn_port_t port);

/* Make @port pending, once: whoever turned the bit on delivers it. */
static inline void evtchn_set_pending(struct domain *d, evtchn_port_t port)
{
    if (!bit_test_and_set(d->shared_info->evtchn_pending, port))
        evtchn_deliver(d, port);
}

void evtchn_clear_pending(struct domain *d, evtchn_port_t port);

#endif /* EVENT_TABLE_H */
