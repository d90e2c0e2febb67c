/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op and set_timer_op: fetch the arguments, then call the domain room. */

#include "domain/memory.h"
#include "domain/pv_vcpu.h"
#include "hypercall/subop.h"

/* Of the periodic timer: what Xen takes. */
#define PERIOD_MIN_NS 1000000ULL
#define PERIOD_MAX_NS (UINT64_MAX >> 2)

/* Both registrations of an area. */
struct vcpu_area {
    uint64_t va;
};

/*
 * The frames that are there now are pinned for as long as we write to them,
 * wherever the guest maps others later.
 */
static long register_runstate(struct vcpu *v, uint64_t va)
{
    uint64_t end = va + sizeof(struct vcpu_runstate_info) - 1;
    void *area = NULL, *rest = NULL;

    if (va % sizeof(uint64_t))
        return -EINVAL;
    if (va && memory_pin_at(v->domain, va, &area))
        return -EFAULT;
    if (va && va / PAGE_SIZE != end / PAGE_SIZE &&
        memory_pin_at(v->domain, end - end % PAGE_SIZE, &rest)) {
        memory_unpin(v->domain, area);
        return -EFAULT;
    }
    vcpu_set_runstate_area(v, area, rest);
    return 0;
}

/* What it holds are constants, so that writing it once does for ever. */
static long register_time(uint64_t va)
{
    struct vcpu_time_info info = {0};

    if (!va)
        return 0;
    time_info_write(&info);
    return copy_to_guest(guest_ptr(va), &info, sizeof(info));
}

static long set_period(struct vcpu *v, uint64_t period_ns)
{
    if (period_ns < PERIOD_MIN_NS || period_ns > PERIOD_MAX_NS)
        return -EINVAL;
    vcpu_set_period(v, period_ns);
    return 0;
}

static long set_timer(struct vcpu *v, uint64_t deadline)
{
    vcpu_set_timer(v, deadline);
    return 0;
}

static long register_info(struct vcpu *v,
                          const struct vcpu_register_vcpu_info *op)
{
    void *page;
    int rc;

    if (op->offset % sizeof(uint64_t) ||
        op->offset > PAGE_SIZE - sizeof(struct vcpu_info))
        return -ENXIO;
    rc = memory_pin(v->domain, op->mfn, &page);
    if (rc)
        return rc;
    rc = vcpu_move_info(v, (void *)((char *)page + op->offset));
    if (rc)
        memory_unpin(v->domain, page);
    return rc;
}

/* In a one-shot timer 0 is a time, long past, and no wish to stop. */
#define VCPU_SUBOPS(OP)                                                        \
    OP(VCPUOP_register_runstate_memory_area, vcpu_area, false,                 \
       register_runstate(v, op->va))                                           \
    OP(VCPUOP_set_periodic_timer, vcpu_set_periodic_timer, false,              \
       set_period(v, op->period_ns))                                           \
    OP(VCPUOP_set_singleshot_timer, vcpu_set_singleshot_timer, false,          \
       set_timer(v, op->timeout_abs_ns ? op->timeout_abs_ns : 1))              \
    OP(VCPUOP_register_vcpu_info, vcpu_register_vcpu_info, false,              \
       register_info(v, op))                                                   \
    OP(VCPUOP_register_vcpu_time_memory_area, vcpu_area, false,                \
       register_time(op->va))
SUBOPS(VCPU_SUBOPS)

long hypercall_vcpu_op(uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct domain *d = current->domain;
    struct vcpu_runstate_info runstate = {0};
    struct guest_ptr arg = guest_ptr(a3);
    struct vcpu *v;

    if (a2 >= d->vcpu_count)
        return -ENOENT;
    v = d->vcpu[index_nospec(a2, d->vcpu_count)];

    if (v->pv && a1 == VCPUOP_send_nmi) {
        (void)atomic_exchange(&v->pv->nmi_pending, true);
        return_slowly();
        vcpu_notify(v);
        return 0;
    }
    switch (a1) {
    case VCPUOP_initialise:
        return vcpu_initialise(v, arg);
    case VCPUOP_up:
        return domain_vcpu_up(v);
    case VCPUOP_down:
        domain_vcpu_down(v);
        return 0;
    case VCPUOP_is_up:
        return v->state != VCPU_OFFLINE;
    case VCPUOP_get_runstate_info:
        vcpu_runstate(v, &runstate);
        return copy_to_guest(arg, &runstate, sizeof(runstate));
    case VCPUOP_stop_periodic_timer:
        vcpu_set_period(v, 0);
        return 0;
    case VCPUOP_set_singleshot_timer:
        return v == current ? call_subop(v, a1, arg) : -EINVAL;
    case VCPUOP_stop_singleshot_timer:
        return v == current ? set_timer(v, 0) : -EINVAL;
    case VCPUOP_get_physid:
        return -EINVAL; /* No vCPU is tied to a processor. */
    default:
        return call_subop(v, a1, arg);
    }
}

/* The one-shot timer, in short. */
long hypercall_set_timer_op(uint64_t a1)
{
    return set_timer(current, a1);
}
