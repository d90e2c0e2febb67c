/* SPDX-License-Identifier: BSD-2-Clause */
/* event_channel_op: fetch the arguments, then call the event room. */

#include "event/evtchn.h"
#include "hypercall/subop.h"

/*
 * What expand_array becomes while it goes on: ports that were pending before
 * they had an event word are raised.  No guest has a use for it, or harm.
 */
#define OP_RAISE_WAITING (1U << 31 | EVTCHNOP_expand_array)

static int bind_interdomain(struct domain *d,
                            struct evtchn_bind_interdomain *op)
{
    struct domain *remote = domain_get_or_self(op->remote_dom, d);
    int rc;

    if (!remote)
        return -ESRCH;
    rc = evtchn_bind_interdomain(d, remote, op->remote_port, &op->local_port);
    domain_put(remote);
    return rc;
}

/* Operations about a domain by name: others' need the right. */
static int make_about(domid_t domid, uint64_t cmd, void *op)
{
    struct evtchn_alloc_unbound *alloc = op;
    struct domain *subject;
    int rc = subject_get(domid, POLICY_other_ports, &subject);

    if (rc)
        return rc;
    if (cmd == EVTCHNOP_status)
        rc = evtchn_status(subject, op);
    else if (cmd == EVTCHNOP_alloc_unbound)
        rc =
            evtchn_bind(subject, EVTCHN_UNBOUND,
                        alloc->remote_dom == DOMID_SELF ? current->domain->domid
                                                        : alloc->remote_dom,
                        0, &alloc->port);
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

#define EVENT_SUBOPS(OP)                                                       \
    OP(EVTCHNOP_bind_interdomain, evtchn_bind_interdomain, true,               \
       bind_interdomain(d, op))                                                \
    OP(EVTCHNOP_bind_virq, evtchn_bind_virq, true,                             \
       evtchn_bind(d, EVTCHN_VIRQ, op->virq, op->vcpu, &op->port))             \
    OP(EVTCHNOP_close, evtchn_close, false, evtchn_close(d, op->port))         \
    OP(EVTCHNOP_status, evtchn_status, true, make_about(op->dom, cmd, op))     \
    OP(EVTCHNOP_alloc_unbound, evtchn_alloc_unbound, true,                     \
       make_about(op->dom, cmd, op))                                           \
    OP(EVTCHNOP_bind_ipi, evtchn_bind_ipi, true,                               \
       evtchn_bind(d, EVTCHN_IPI, 0, op->vcpu, &op->port))                     \
    OP(EVTCHNOP_bind_vcpu, evtchn_bind_vcpu, false,                            \
       evtchn_bind_vcpu(d, op->port, op->vcpu))                                \
    OP(EVTCHNOP_unmask, evtchn_unmask, false, evtchn_unmask(d, op->port))      \
    OP(EVTCHNOP_reset, evtchn_reset, false, make_about(op->dom, cmd, op))      \
    OP(EVTCHNOP_init_control, evtchn_init_control, true,                       \
       evtchn_init_control(d, op))                                             \
    OP(EVTCHNOP_expand_array, evtchn_expand_array, false,                      \
       expand_array(d, op->array_gfn))                                         \
    OP(EVTCHNOP_set_priority, evtchn_set_priority, false,                      \
       evtchn_set_priority(d, op->port, op->priority))                         \
    OP(EVTCHNOP_reset_cont, evtchn_reset, false, make_about(op->dom, cmd, op))
SUBOPS(EVENT_SUBOPS)

long hypercall_event_channel_op(uint64_t a1, uint64_t a2)
{
    struct evtchn_send op;

    if (likely(a1 == EVTCHNOP_send)) { /* The one that is hot. */
        if (copy_from_guest(&op, guest_ptr(a2), sizeof(op)))
            return -EFAULT;
        return evtchn_send(current->domain, op.port);
    }
    if (a1 == OP_RAISE_WAITING)
        return evtchn_raise_waiting(current->domain) ? hypercall_continue() : 0;
    if (a1 == EVTCHNOP_bind_pirq)
        return -EPERM; /* device_op irq_bind is the way here. */
    return call_subop(current, a1, guest_ptr(a2));
}
