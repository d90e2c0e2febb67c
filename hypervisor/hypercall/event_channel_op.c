/* SPDX-License-Identifier: BSD-2-Clause */
/* event_channel_op: fetch the arguments, then call the event room. */

#include <abi/event_channel.h>

#include "event/evtchn.h"
#include "hypercall/subop.h"

/*
 * What expand_array becomes while it goes on: ports that were pending before
 * they had an event word are raised.  No guest has a use for it, or harm.
 */
#define OP_RAISE_WAITING (1U << 31 | EVTCHNOP_expand_array)

union op {
    struct evtchn_bind_interdomain interdomain;
    struct evtchn_bind_virq virq;
    struct evtchn_close close;
    struct evtchn_send send;
    struct evtchn_status status;
    struct evtchn_alloc_unbound unbound;
    struct evtchn_bind_ipi ipi;
    struct evtchn_bind_vcpu vcpu;
    struct evtchn_unmask unmask;
    struct evtchn_reset reset;
    struct evtchn_init_control control;
    struct evtchn_expand_array array;
    struct evtchn_set_priority priority;
};

static const struct subop subops[] = {
    [EVTCHNOP_bind_interdomain] = SUBOP_BACK(struct evtchn_bind_interdomain),
    [EVTCHNOP_bind_virq] = SUBOP_BACK(struct evtchn_bind_virq),
    [EVTCHNOP_close] = SUBOP(struct evtchn_close),
    [EVTCHNOP_status] = SUBOP_BACK(struct evtchn_status),
    [EVTCHNOP_alloc_unbound] = SUBOP_BACK(struct evtchn_alloc_unbound),
    [EVTCHNOP_bind_ipi] = SUBOP_BACK(struct evtchn_bind_ipi),
    [EVTCHNOP_bind_vcpu] = SUBOP(struct evtchn_bind_vcpu),
    [EVTCHNOP_unmask] = SUBOP(struct evtchn_unmask),
    [EVTCHNOP_reset] = SUBOP(struct evtchn_reset),
    [EVTCHNOP_init_control] = SUBOP_BACK(struct evtchn_init_control),
    [EVTCHNOP_expand_array] = SUBOP(struct evtchn_expand_array),
    [EVTCHNOP_set_priority] = SUBOP(struct evtchn_set_priority),
    [EVTCHNOP_reset_cont] = SUBOP(struct evtchn_reset),
};

/* Operations about a domain by name: others' need the right. */
static int run_on(struct domain *d, uint64_t cmd, union op *op, domid_t domid)
{
    bool is_bind = cmd == EVTCHNOP_bind_interdomain;
    struct domain *subject;
    int rc;

    if (is_bind) {
        subject = domain_get_or_self(domid, d);
        rc = subject ? 0 : -ESRCH;
    } else {
        rc = subject_get(domid, POLICY_other_ports, &subject);
    }
    if (rc)
        return rc;
    if (is_bind)
        rc = evtchn_bind_interdomain(d, subject, op->interdomain.remote_port,
                                     &op->interdomain.local_port);
    else if (cmd == EVTCHNOP_status)
        rc = evtchn_status(subject, &op->status);
    else if (cmd == EVTCHNOP_alloc_unbound)
        rc = evtchn_alloc_unbound(subject,
                                  op->unbound.remote_dom == DOMID_SELF
                                      ? d->domid
                                      : op->unbound.remote_dom,
                                  &op->unbound.port);
    else
        rc = evtchn_reset(subject);
    domain_put(subject);
    return rc;
}

static int expand_array(struct domain *d, uint64_t gfn)
{
    int rc = evtchn_expand_array(d, gfn);

    if (rc == -EAGAIN)
        hypercall_set_arg(1, OP_RAISE_WAITING);
    return rc;
}

static long run(struct domain *d, uint64_t cmd, void *arg)
{
    union op *op = arg;

    switch (cmd) {
    case EVTCHNOP_bind_interdomain:
        return run_on(d, cmd, op, op->interdomain.remote_dom);
    case EVTCHNOP_bind_virq:
        return evtchn_bind_virq(d, op->virq.virq, op->virq.vcpu,
                                &op->virq.port);
    case EVTCHNOP_close:
        return evtchn_close(d, op->close.port);
    case EVTCHNOP_bind_ipi:
        return evtchn_bind_ipi(d, op->ipi.vcpu, &op->ipi.port);
    case EVTCHNOP_bind_vcpu:
        return evtchn_bind_vcpu(d, op->vcpu.port, op->vcpu.vcpu);
    case EVTCHNOP_unmask:
        return evtchn_unmask(d, op->unmask.port);
    case EVTCHNOP_init_control:
        return evtchn_init_control(d, &op->control);
    case EVTCHNOP_expand_array:
        return expand_array(d, op->array.array_gfn);
    case EVTCHNOP_set_priority:
        return evtchn_set_priority(d, op->priority.port, op->priority.priority);
    case EVTCHNOP_status:
        return run_on(d, cmd, op, op->status.dom);
    default: /* alloc_unbound and resets begin with the domain. */
        return run_on(d, cmd, op, op->reset.dom);
    }
}

/* Apart, so that a send does not pay for what these keep in registers. */
static __noinline long other_op(uint64_t cmd, struct guest_ptr arg)
{
    union op op;

    if (cmd == OP_RAISE_WAITING)
        return evtchn_raise_waiting(current->domain) ? hypercall_continue() : 0;
    if (cmd == EVTCHNOP_bind_pirq)
        return -EPERM; /* device_op irq_bind is the way here. */
    return subop_call(subops, ARRAY_SIZE(subops), cmd, arg, &op, run);
}

long hypercall_event_channel_op(uint64_t a1, uint64_t a2)
{
    struct evtchn_send op;
    int rc;

    if (unlikely(a1 != EVTCHNOP_send)) /* The one that is hot. */
        return other_op(a1, guest_ptr(a2));
    rc = copy_from_guest(&op, guest_ptr(a2), sizeof(op));
    return rc ? rc : evtchn_send(current->domain, op.port);
}
