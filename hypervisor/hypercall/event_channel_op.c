/* SPDX-License-Identifier: BSD-2-Clause */
/* event_channel_op: fetch the arguments, then call the event room. */

#include <abi/event_channel.h>

#include "domain/domain.h"
#include "domain/policy.h"
#include "domain/vcpu.h"
#include "event/evtchn.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "pv/guest_copy.h"

/*
 * The domain an operation is about: the caller, or with the right another one;
 * held.  -ESRCH, -EPERM.
 */
static int subject_of(struct domain *caller, domid_t domid,
                      struct domain **subject)
{
    if (domid != DOMID_SELF && domid != caller->domid &&
        !policy_allows(caller, POLICY_other_ports))
        return -EPERM;
    *subject = domain_get_or_self(domid, caller);
    return *subject ? 0 : -ESRCH;
}

static long op_bind_interdomain(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_bind_interdomain op;
    struct domain *remote;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    remote = domain_get_or_self(op.remote_dom, d);
    if (!remote)
        return -ESRCH;
    rc = evtchn_bind_interdomain(d, remote, op.remote_port, &op.local_port);
    domain_put(remote);
    return rc ? rc : copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_virq(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_bind_virq op;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    rc = evtchn_bind_virq(d, op.virq, op.vcpu, &op.port);
    return rc ? rc : copy_to_guest(arg, &op, sizeof(op));
}

static long op_close(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_close op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    return rc ? rc : evtchn_close(d, op.port);
}

static long op_send(struct guest_ptr arg)
{
    struct evtchn_send op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    return rc ? rc : evtchn_send(current->domain, op.port);
}

static long op_status(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_status op;
    struct domain *subject;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    rc = subject_of(d, op.dom, &subject);
    if (rc)
        return rc;
    rc = evtchn_status(subject, &op);
    domain_put(subject);
    return rc ? rc : copy_to_guest(arg, &op, sizeof(op));
}

static long op_alloc_unbound(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_alloc_unbound op;
    struct domain *subject;
    domid_t remote;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    rc = subject_of(d, op.dom, &subject);
    if (rc)
        return rc;
    remote = op.remote_dom == DOMID_SELF ? d->domid : op.remote_dom;
    rc = evtchn_alloc_unbound(subject, remote, &op.port);
    domain_put(subject);
    return rc ? rc : copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_ipi(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_bind_ipi op;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    rc = evtchn_bind_ipi(d, op.vcpu, &op.port);
    return rc ? rc : copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_vcpu(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_bind_vcpu op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    return rc ? rc : evtchn_bind_vcpu(d, op.port, op.vcpu);
}

static long op_unmask(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_unmask op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    return rc ? rc : evtchn_unmask(d, op.port);
}

static long op_reset(struct domain *d, struct guest_ptr arg)
{
    struct evtchn_reset op;
    struct domain *subject;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    rc = subject_of(d, op.dom, &subject);
    if (rc)
        return rc;
    rc = evtchn_reset(subject);
    domain_put(subject);
    return rc == -EAGAIN ? hypercall_continue() : rc;
}

/* Apart, so that a send does not pay for what these keep in registers. */
static __attribute__((noinline)) long other_op(uint64_t cmd,
                                               struct guest_ptr arg)
{
    struct domain *d = current->domain;

    switch (cmd) {
    case EVTCHNOP_bind_interdomain:
        return op_bind_interdomain(d, arg);
    case EVTCHNOP_bind_virq:
        return op_bind_virq(d, arg);
    case EVTCHNOP_bind_pirq:
        return -EPERM; /* device_op irq_bind is the way here. */
    case EVTCHNOP_close:
        return op_close(d, arg);
    case EVTCHNOP_status:
        return op_status(d, arg);
    case EVTCHNOP_alloc_unbound:
        return op_alloc_unbound(d, arg);
    case EVTCHNOP_bind_ipi:
        return op_bind_ipi(d, arg);
    case EVTCHNOP_bind_vcpu:
        return op_bind_vcpu(d, arg);
    case EVTCHNOP_unmask:
        return op_unmask(d, arg);
    case EVTCHNOP_reset:
        return op_reset(d, arg);
    default:
        return -ENOSYS;
    }
}

long hypercall_event_channel_op(uint64_t a1, uint64_t a2, uint64_t a3,
                                uint64_t a4, uint64_t a5)
{
    (void)a3, (void)a4, (void)a5;

    if (likely(a1 == EVTCHNOP_send)) /* The one that is hot. */
        return op_send(guest_ptr(a2));
    return other_op(a1, guest_ptr(a2));
}
