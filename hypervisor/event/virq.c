/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual interrupts: events that the hypervisor itself sends. */

#include "event/virq.h"

#include "core/upcalls.h"
#include "domain/upcalls.h"
#include "event/table.h"
#include "lib/assert.h"

static void raise_virq(struct domain *d, uint32_t vcpu, uint32_t virq)
{
    struct evtchn_table *t = d->events;
    evtchn_port_t port;

    assert(virq < VIRQ_COUNT);
    spin_lock(&t->lock);
    port = t->virq[vcpu][virq];
    if (port)
        evtchn_set_pending(d, port);
    spin_unlock(&t->lock);
}

void virq_raise_vcpu(struct vcpu *v, uint32_t virq)
{
    raise_virq(v->domain, v->id, virq);
}

void virq_raise_global(uint32_t virq)
{
    /* There is none yet while it is being made. */
    if (initial_domain)
        raise_virq(initial_domain, 0, virq);
}

void upcall_vcpu_timer(struct vcpu *v)
{
    virq_raise_vcpu(v, VIRQ_TIMER);
}

void upcall_domain_changed(void)
{
    virq_raise_global(VIRQ_DOM_EXC);
}

void upcall_memory_wanted(void)
{
    virq_raise_global(VIRQ_ENOMEM);
}

void upcall_console_input(void)
{
    virq_raise_global(VIRQ_CONSOLE);
}
