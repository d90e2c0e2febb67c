/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op: giving up the processor, and ending. */

#include "event/evtchn.h"
#include "hypercall/hypercall.h"

static long op_block(struct vcpu *v)
{
    /* Unmask and look, in this order: an event in between is seen. */
    (void)atomic_exchange(&v->info->evtchn_upcall_mask, 0);
    if (atomic_read(&v->info->evtchn_upcall_pending))
        return 0;
    vcpu_block(v);
    if (atomic_read(&v->info->evtchn_upcall_pending))
        vcpu_wake(v);
    return 0;
}

static long op_poll(struct vcpu *v, struct guest_ptr arg)
{
    evtchn_port_t ports[SCHED_POLL_MAX_PORTS];
    struct sched_poll op;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    if (op.nr_ports > SCHED_POLL_MAX_PORTS)
        return -EINVAL;
    rc = copy_from_guest(ports, guest_ptr(op.ports),
                         op.nr_ports * sizeof(ports[0]));
    if (rc)
        return rc;
    return evtchn_poll(v, ports, op.nr_ports, op.timeout);
}

static long op_shutdown(struct domain *d, struct guest_ptr arg)
{
    struct sched_shutdown op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    if (rc)
        return rc;
    if (op.reason > SHUTDOWN_soft_reset)
        return -EINVAL;
    domain_shutdown(d, op.reason);
    return 0;
}

static long op_shutdown_code(struct domain *d, struct guest_ptr arg)
{
    struct sched_shutdown op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    if (rc)
        return rc;
    if (op.reason > SHUTDOWN_soft_reset)
        return -EINVAL;
    domain_set_shutdown_code(d, op.reason);
    return 0;
}

static long op_remote_shutdown(struct guest_ptr arg)
{
    struct sched_remote_shutdown op;
    struct domain *d;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    if (!rc)
        rc = subject_get(op.domain_id, POLICY_shutdown, &d);
    if (rc)
        return rc;
    if (op.reason > SHUTDOWN_soft_reset)
        rc = -EINVAL;
    else
        domain_shutdown(d, op.reason);
    domain_put(d);
    return rc;
}

static long op_watchdog(struct domain *d, struct guest_ptr arg)
{
    struct sched_watchdog op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    return rc ? rc : domain_watchdog(d, op.id, op.timeout);
}

long hypercall_sched_op(uint64_t a1, uint64_t a2)
{
    struct vcpu *v = current;
    struct guest_ptr arg = guest_ptr(a2);

    switch (a1) {
    case SCHEDOP_yield:
        vcpu_yield(v);
        return 0;
    case SCHEDOP_block:
        return op_block(v);
    case SCHEDOP_shutdown:
        return op_shutdown(v->domain, arg);
    case SCHEDOP_poll:
        return op_poll(v, arg);
    case SCHEDOP_remote_shutdown:
        return op_remote_shutdown(arg);
    case SCHEDOP_shutdown_code:
        return op_shutdown_code(v->domain, arg);
    case SCHEDOP_watchdog:
        return op_watchdog(v->domain, arg);
    case SCHEDOP_pin_override:
        return -EPERM; /* Nobody is tied to a processor but by his mask. */
    default:
        return -ENOSYS;
    }
}
