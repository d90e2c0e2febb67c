/* SPDX-License-Identifier: BSD-2-Clause */
/* sched_op: giving up the processor, and ending. */

#include "event/evtchn.h"
#include "hypercall/subop.h"

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

static long op_poll(const struct sched_poll *op)
{
    evtchn_port_t ports[SCHED_POLL_MAX_PORTS];

    if (op->nr_ports > SCHED_POLL_MAX_PORTS)
        return -EINVAL;
    if (copy_from_guest(ports, guest_ptr(op->ports),
                        op->nr_ports * sizeof(ports[0])))
        return -EFAULT;
    return evtchn_poll(current, ports, op->nr_ports, op->timeout);
}

/* To shut oneself down by name takes the right, too, as in Xen. */
static long op_remote_shutdown(const struct sched_remote_shutdown *op)
{
    struct domain *d = domain_get(op->domain_id);
    long rc = -EPERM;

    if (!d)
        return -ESRCH;
    if (policy_allows(current->domain, POLICY_shutdown))
        rc = domain_shutdown(d, op->reason);
    domain_put(d);
    return rc;
}

#define SCHED_SUBOPS(OP)                                                       \
    OP(SCHEDOP_shutdown, sched_shutdown, false,                                \
       domain_shutdown(d, op->reason))                                         \
    OP(SCHEDOP_poll, sched_poll, false, op_poll(op))                           \
    OP(SCHEDOP_remote_shutdown, sched_remote_shutdown, false,                  \
       op_remote_shutdown(op))                                                 \
    OP(SCHEDOP_shutdown_code, sched_shutdown, false,                           \
       domain_set_shutdown_code(d, op->reason))                                \
    OP(SCHEDOP_watchdog, sched_watchdog, false,                                \
       domain_watchdog(d, op->id, op->timeout))
SUBOPS(SCHED_SUBOPS)

long hypercall_sched_op(uint64_t a1, uint64_t a2)
{
    switch (a1) {
    case SCHEDOP_yield:
        vcpu_yield(current);
        return 0;
    case SCHEDOP_block:
        return op_block(current);
    case SCHEDOP_pin_override:
        return -EPERM; /* Nobody is tied to a processor but by his mask. */
    default:
        return call_subop(current, a1, guest_ptr(a2));
    }
}
