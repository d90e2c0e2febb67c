/* SPDX-License-Identifier: BSD-2-Clause */
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

#pragma once

#include "event/table.h"

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
