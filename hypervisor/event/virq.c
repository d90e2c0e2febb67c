/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual interrupts: events that the hypervisor itself sends. */

#include "domain/upcalls.h"
#include "event/table.h"

/* The log grew, and VIRQ_CON_RING is still to be raised. */
static bool log_grew;

static void raise_virq(struct domain *d, uint32_t vcpu, uint32_t virq)
{
    struct evtchn_table *t = d->events;
    evtchn_port_t port;

    assert(virq < VIRQ_COUNT);
    SPIN_GUARD(&t->lock);
    port = t->virq[vcpu][virq];
    if (port)
        evtchn_set_pending(t, port);
}

/* There is no initial domain yet while it is being made. */
void upcall_raise_global(uint32_t virq)
{
    if (initial_domain)
        raise_virq(initial_domain, 0, virq);
}

void upcall_vcpu_timer(struct vcpu *v)
{
    raise_virq(v->domain, v->id, VIRQ_TIMER);
}

/* Any lock may be held by who logs: leave it to the next choice of a vCPU. */
void upcall_log_grew(void)
{
    if (!initial_domain ||
        !atomic_read(&initial_domain->events->virq[0][VIRQ_CON_RING]))
        return;
    atomic_write(&log_grew, true);
    cpu_resched(this_cpu(cpu_id));
}

void upcall_raise_late(void)
{
    if (unlikely(atomic_read(&log_grew)) && atomic_exchange(&log_grew, false))
        upcall_raise_global(VIRQ_CON_RING);
}

static void raise_debug(void)
{
    struct domain *d;

    for (domid_t from = 0; (d = domain_get_next(from));
         from = (domid_t)(d->domid + 1), domain_put(d))
        for (uint32_t i = 0; i < d->vcpu_count; i++)
            raise_virq(d, i, VIRQ_DEBUG);
}
DEBUG_KEY('v', "VIRQ_DEBUG to every vCPU", raise_debug);
