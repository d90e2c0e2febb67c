/* SPDX-License-Identifier: BSD-2-Clause */
/* Event channel operations: see ports.h. */

#include "framework/ports.h"

#include <rt/hypercall.h>

#include "framework/machine.h"

long port_error;

evtchn_port_t port_alloc_unbound(domid_t remote)
{
    struct evtchn_alloc_unbound op = {.dom = DOMID_SELF, .remote_dom = remote};

    port_error = hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op);
    return port_error == 0 ? op.port : 0;
}

evtchn_port_t port_bind(domid_t remote, evtchn_port_t port)
{
    struct evtchn_bind_interdomain op = {.remote_dom = remote,
                                         .remote_port = port};

    port_error = hypercall_event_channel_op(EVTCHNOP_bind_interdomain, &op);
    return port_error == 0 ? op.local_port : 0;
}

evtchn_port_t port_bind_virq(uint32_t virq, uint32_t vcpu)
{
    struct evtchn_bind_virq op = {.virq = virq, .vcpu = vcpu};

    port_error = hypercall_event_channel_op(EVTCHNOP_bind_virq, &op);
    return port_error == 0 ? op.port : 0;
}

evtchn_port_t port_bind_ipi(uint32_t vcpu)
{
    struct evtchn_bind_ipi op = {.vcpu = vcpu};

    port_error = hypercall_event_channel_op(EVTCHNOP_bind_ipi, &op);
    return port_error == 0 ? op.port : 0;
}

long port_close(evtchn_port_t port)
{
    struct evtchn_close op = {.port = port};

    return hypercall_event_channel_op(EVTCHNOP_close, &op);
}

long port_send(evtchn_port_t port)
{
    struct evtchn_send op = {.port = port};

    return hypercall_event_channel_op(EVTCHNOP_send, &op);
}

long port_unmask(evtchn_port_t port)
{
    struct evtchn_unmask op = {.port = port};

    return hypercall_event_channel_op(EVTCHNOP_unmask, &op);
}

long port_bind_vcpu(evtchn_port_t port, uint32_t vcpu)
{
    struct evtchn_bind_vcpu op = {.port = port, .vcpu = vcpu};

    return hypercall_event_channel_op(EVTCHNOP_bind_vcpu, &op);
}

struct evtchn_status port_status(evtchn_port_t port)
{
    struct evtchn_status op = {.dom = DOMID_SELF, .port = port};

    if (hypercall_event_channel_op(EVTCHNOP_status, &op) != 0)
        op.status = ~0U;
    return op;
}

bool port_pending(evtchn_port_t port)
{
    return (shared_info->evtchn_pending[port / 64] >> port % 64 & 1) != 0;
}

bool port_masked(evtchn_port_t port)
{
    return (shared_info->evtchn_mask[port / 64] >> port % 64 & 1) != 0;
}

void port_clear(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info->evtchn_pending[port / 64],
                       ~(1UL << port % 64), __ATOMIC_SEQ_CST);
}

void port_mask(evtchn_port_t port)
{
    __atomic_fetch_or(&shared_info->evtchn_mask[port / 64], 1UL << port % 64,
                      __ATOMIC_SEQ_CST);
}

void port_unmask_local(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info->evtchn_mask[port / 64],
                       ~(1UL << port % 64), __ATOMIC_SEQ_CST);
}

domid_t port_own_domid(void)
{
    evtchn_port_t one = port_alloc_unbound(DOMID_SELF);
    evtchn_port_t two = port_bind(DOMID_SELF, one);
    domid_t domid = port_status(two).u.interdomain.dom;

    port_close(one);
    port_close(two);
    return domid;
}

unsigned int ports_in_use(evtchn_port_t limit)
{
    unsigned int used = 0;

    for (evtchn_port_t port = 1; port < limit; port++) {
        struct evtchn_status status = port_status(port);

        if (status.status != ~0U && status.status != EVTCHNSTAT_closed)
            used++;
    }
    return used;
}
