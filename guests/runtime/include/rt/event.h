/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels and the event loop.
 *
 * The runtime has one loop.  It calls the handlers of pending ports, runs
 * timers that are due, runs every thread that is ready once, and sleeps when
 * nothing of that is left.  Handlers, timers and idle hooks run in the loop's
 * own context, on its stack, one at a time: they must not block, and need no
 * locks against each other or against threads.
 *
 * Upcalls stay masked while anything runs.  Sleeping is SCHEDOP_block, which
 * unmasks and sleeps in one step; the upcall that ends it only returns.  So
 * there is no limit on the ports waited for, none is lost, and the cost of a
 * pass is that of its pending ports.
 *
 * Errors are negative numbers of abi/errno.h.
 */

#ifndef RT_EVENT_H
#define RT_EVENT_H

#include <abi/event_channel.h>

/*
 * Have @fn(@arg) called when @port is pending, and unmask it.  The pending bit
 * is cleared before the call, so an event during the call leads to another
 * one.  -ABI_EINVAL: no such port; -ABI_EEXIST: it has a handler.
 */
int rt_port_bind(evtchn_port_t port, void (*fn)(void *arg), void *arg);

/* Mask @port and forget its handler; the port itself stays. */
void rt_port_unbind(evtchn_port_t port);

/* While masked, events are kept, and come with the unmasking. */
void rt_port_mask(evtchn_port_t port);
void rt_port_unmask(evtchn_port_t port);

/* Have the handler called as if an event had come. */
void rt_port_raise(evtchn_port_t port);

/* Send an event to the other side of @port. */
int rt_port_notify(evtchn_port_t port);

/* A new port of ours that @remote may bind to. */
int rt_port_alloc_unbound(domid_t remote, evtchn_port_t *port);

/* The same in domain @dom (privileged); @port is a number there. */
int rt_port_alloc_unbound_in(domid_t dom, domid_t remote, evtchn_port_t *port);

/* A new port of ours, bound to @remote_port of @remote. */
int rt_port_bind_interdomain(domid_t remote, evtchn_port_t remote_port,
                             evtchn_port_t *port);

/* A new port of ours that carries a VIRQ_*. */
int rt_port_bind_virq(uint32_t virq, evtchn_port_t *port);

/* Unbind the handler, if any, and close @port. */
void rt_port_close(evtchn_port_t port);

/*
 * Use the FIFO ABI: 131,071 ports instead of 4,095, for two pages and one more
 * for each 1,024 ports.  What is bound, masked or pending stays so.  An error
 * of EVTCHNOP_init_control, or -ABI_ENOMEM: it stays 2-level.
 */
int rt_events_use_fifo(void);

/*
 * A function that the loop calls after each round of handlers, timers and
 * threads, before it thinks of sleeping: the place to flush what many small
 * steps have gathered.
 */
struct rt_idle_hook {
    void (*fn)(void *arg);
    void *arg;
    struct rt_idle_hook *next; /* the loop's */
};

/* Add a hook for good; it is called in the order of addition. */
void rt_idle_hook_add(struct rt_idle_hook *hook);

/*
 * Call @fn(@arg) once from the loop, soon.  @work belongs to the loop until
 * then.  Queueing what is queued already does nothing.
 */
struct rt_work {
    void (*fn)(void *arg);
    void *arg;
    struct rt_work *next; /* the loop's */
    int queued;           /* the loop's */
};
void rt_work_queue(struct rt_work *work);

/* It is not called any more, unless it is queued again. */
void rt_work_cancel(struct rt_work *work);

#endif /* RT_EVENT_H */
