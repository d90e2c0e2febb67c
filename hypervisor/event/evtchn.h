/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: one-bit notifications between domains.
 *
 *                 alloc_unbound            bind_interdomain (by the peer)
 *        FREE ------------------> UNBOUND ----------------------> INTERDOMAIN
 *         |  \                       ^                                 |
 *         |   \ bind_virq, _ipi,     '---------------------------------'
 *         |    \ device                     the peer closes its end
 *         |     '--> VIRQ, IPI, PIRQ
 *         '<--- close, from any state
 *
 * evtchn_set_state() is the only code that changes a state.
 *
 * Fields are marked (e) guarded by the owning domain's event lock, or (a)
 * read and written atomically.  A channel between two domains has two ends:
 * changing either takes both locks, lower domid first, so holding either one
 * is enough to read both.
 *
 * The functions are event_channel_op's operations with checked C arguments;
 * errors as abi/event_channel.h lists them.
 */

#pragma once

#include "domain/vcpu.h"

/* In the order of EVTCHNSTAT_*. */
#define EVTCHN_STATES(EVTCHN_STATE)                                            \
    EVTCHN_STATE(FREE)                                                         \
    EVTCHN_STATE(UNBOUND)     /* detail: the domain that may bind it */        \
    EVTCHN_STATE(INTERDOMAIN) /* detail: the peer's port */                    \
    EVTCHN_STATE(PIRQ)        /* detail: the device room's number, not 0 */    \
    EVTCHN_STATE(VIRQ)        /* detail: VIRQ_* */                             \
    EVTCHN_STATE(IPI)

enum evtchn_state {
#define EVTCHN_STATE_ENUM_(name) EVTCHN_##name,
    EVTCHN_STATES(EVTCHN_STATE_ENUM_)
#undef EVTCHN_STATE_ENUM_
};

struct evtchn {
    uint32_t detail : 24;      /* (e) by state, as above */
    uint32_t state : 8;        /* (e) enum evtchn_state */
    uint16_t queue;            /* (a) vCPU and priority: fifo_queue() */
    uint16_t last_queue;       /* FIFO: where it was put last; by fifo.lock */
    struct evtchn_table *peer; /* (e) INTERDOMAIN: no reference; close first */
};

static_assert(sizeof(struct evtchn) == 16, "a bucket is one kilobyte");

/* The queue of FIFO's that is @vcpu's, of @priority. */
static inline uint16_t fifo_queue(uint32_t vcpu, uint32_t priority)
{
    return (uint16_t)(vcpu * EVTCHN_FIFO_PRIORITIES + priority);
}

/* The vCPU that is told. */
static inline uint32_t evtchn_vcpu(const struct evtchn *chn)
{
    return atomic_read(&chn->queue) / EVTCHN_FIFO_PRIORITIES;
}

/*
 * A new port of @d that needs nothing of anybody else: UNBOUND, IPI, VIRQ or
 * PIRQ, with the detail of that.
 */
int __must_check evtchn_bind(struct domain *d, enum evtchn_state state,
                             uint32_t detail, uint32_t vcpu,
                             evtchn_port_t *port);
int __must_check evtchn_bind_interdomain(struct domain *d,
                                         struct domain *remote,
                                         evtchn_port_t remote_port,
                                         evtchn_port_t *port);
int __must_check evtchn_bind_vcpu(struct domain *d, evtchn_port_t port,
                                  uint32_t vcpu);
int __must_check evtchn_close(struct domain *d, evtchn_port_t port);
long __must_check evtchn_send(struct domain *d, evtchn_port_t port);
int __must_check evtchn_unmask(struct domain *d, evtchn_port_t port);

/* Of status->port of @d, whatever status->dom says. */
int __must_check evtchn_status(struct domain *d, struct evtchn_status *status);

/*
 * Close every port, and go back to 2-level; at most a quantum a call: 0 done,
 * -EAGAIN call again.
 */
int __must_check evtchn_reset(struct domain *d);

/*
 * FIFO: pages of the current domain @d.  -ENOMEM: the call will be repeated.
 * After -EAGAIN by evtchn_expand_array(), which has the page then,
 * evtchn_raise_waiting() is to be called until it says 0.
 */
int __must_check evtchn_init_control(struct domain *d,
                                     struct evtchn_init_control *op);
int __must_check evtchn_expand_array(struct domain *d, uint64_t array_gfn);
int __must_check evtchn_raise_waiting(struct domain *d);
int __must_check evtchn_set_priority(struct domain *d, evtchn_port_t port,
                                     uint32_t priority);

/*
 * SCHEDOP_poll: let the current vCPU sleep until one of @ports is pending or
 * system time @timeout (0: never) comes; not at all if that is so already.
 */
int __must_check evtchn_poll(struct vcpu *v, const evtchn_port_t *ports,
                             uint32_t count, uint64_t timeout);

/* @v runs again: its poll, if it had one, is over. */
void evtchn_poll_end(struct vcpu *v);

/* Whether an upcall to @v is due: something is pending, and not held off. */
static inline bool vcpu_events_deliverable(const struct vcpu *v)
{
    return v->info->evtchn_upcall_pending && !v->info->evtchn_upcall_mask;
}

/*
 * A device's interrupt.  True: the port is still pending from the last one, so
 * the owner has not looked since.
 */
bool evtchn_raise_pirq(struct domain *d, evtchn_port_t port);

void evtchn_counts(struct domain *d, uint32_t *used, uint32_t *max);
