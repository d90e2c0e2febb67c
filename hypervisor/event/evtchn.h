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

#ifndef EVENT_EVTCHN_H
#define EVENT_EVTCHN_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>

#include "core/lock.h"
#include "domain/vcpu.h"
#include "lib/assert.h"
#include "lib/compiler.h"

struct domain;

#define EVTCHN_STATES(EVTCHN_STATE)                                            \
    EVTCHN_STATE(FREE)                                                         \
    EVTCHN_STATE(UNBOUND)     /* u.unbound */                                  \
    EVTCHN_STATE(INTERDOMAIN) /* u.interdomain */                              \
    EVTCHN_STATE(VIRQ)        /* u.virq */                                     \
    EVTCHN_STATE(IPI)                                                          \
    EVTCHN_STATE(PIRQ) /* u.pirq: an interrupt of an assigned device */

enum evtchn_state {
#define EVTCHN_STATE_ENUM_(name) EVTCHN_##name,
    EVTCHN_STATES(EVTCHN_STATE_ENUM_)
#undef EVTCHN_STATE_ENUM_
};

struct evtchn {
    uint8_t state;        /* (e) enum evtchn_state */
    uint16_t notify_vcpu; /* (a) */
    union {               /* (e) by state */
        domid_t unbound;  /* who may bind it */
        evtchn_port_t peer_port;
        uint32_t virq;
        uint32_t pirq; /* device room's interrupt number */
    } u;
    struct domain *peer; /* (e) INTERDOMAIN: no reference; it closes first */
};

static_assert(sizeof(struct evtchn) == 16, "a bucket is one kilobyte");

int __must_check evtchn_alloc_unbound(struct domain *d, domid_t remote,
                                      evtchn_port_t *port);
int __must_check evtchn_bind_interdomain(struct domain *d,
                                         struct domain *remote,
                                         evtchn_port_t remote_port,
                                         evtchn_port_t *port);
int __must_check evtchn_bind_virq(struct domain *d, uint32_t virq,
                                  uint32_t vcpu, evtchn_port_t *port);
int __must_check evtchn_bind_ipi(struct domain *d, uint32_t vcpu,
                                 evtchn_port_t *port);
int __must_check evtchn_bind_pirq(struct domain *d, uint32_t pirq,
                                  evtchn_port_t *port);
int __must_check evtchn_bind_vcpu(struct domain *d, evtchn_port_t port,
                                  uint32_t vcpu);
int __must_check evtchn_close(struct domain *d, evtchn_port_t port);
int __must_check evtchn_send(struct domain *d, evtchn_port_t port);
int __must_check evtchn_unmask(struct domain *d, evtchn_port_t port);

/* Of status->port of @d, whatever status->dom says. */
int __must_check evtchn_status(struct domain *d, struct evtchn_status *status);

/* Close every port, at most a quantum a call: 0 done, -EAGAIN call again. */
int __must_check evtchn_reset(struct domain *d);

/*
 * SCHEDOP_poll: let the current vCPU sleep until one of @ports is pending or
 * system time @timeout (0: never) comes; not at all if that is so already.
 */
int __must_check evtchn_poll(struct vcpu *v, const evtchn_port_t *ports,
                             uint32_t count, uint64_t timeout);

/* @v runs again: its poll, if it had one, is over. */
void evtchn_poll_end(struct vcpu *v);

/* Raise virtual interrupts: nothing happens where they are not bound. */
void virq_raise_vcpu(struct vcpu *v, uint32_t virq);
void virq_raise_global(uint32_t virq); /* to the initial domain */

/* Whether an upcall to @v is due: something is pending, and not held off. */
static inline bool vcpu_events_deliverable(const struct vcpu *v)
{
    return v->info->evtchn_upcall_pending && !v->info->evtchn_upcall_mask;
}

/* Set the port pending from inside the hypervisor (a device's interrupt). */
void evtchn_raise_pirq(struct domain *d, evtchn_port_t port);

void evtchn_counts(struct domain *d, uint32_t *used, uint32_t *max);

#endif /* EVENT_EVTCHN_H */
