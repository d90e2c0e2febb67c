/* SPDX-License-Identifier: BSD-2-Clause */
/* vcpu_op: fetch the arguments, then call the domain room. */

#include <abi/vcpu.h>

#include "arch/x86_64/nospec.h"
#include "domain/domain.h"
#include "domain/fault.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "hypercall/vcpu_context.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "pv/guest_copy.h"

/* Of the periodic timer: what Xen takes. */
#define PERIOD_MIN_NS 1000000ULL
#define PERIOD_MAX_NS (UINT64_MAX >> 2)

static long op_get_runstate(struct vcpu *v, struct guest_ptr arg)
{
    struct vcpu_runstate_info info = {0};

    vcpu_runstate(v, &info);
    return copy_to_guest(arg, &info, sizeof(info));
}

/* Our own writing to page @g goes by the direct map: as a touch of it would. */
static int hold_page(struct domain *d, gfn_t g, struct frame **frame)
{
    int rc = light_get_frame(d->space, g, LIGHT_WRITE, false, frame);

    if (rc == -ENOMEM)
        fault_repeat_call(g);
    return rc;
}

/*
 * The page that holds [@va, @va + @size), pinned for as long as we write to
 * it; the range must not leave it.
 */
static long pin(struct domain *d, uint64_t va, size_t size,
                struct frame **frame)
{
    uint64_t at = va - d->space->layout.virt_base;
    int rc;

    if (va % sizeof(uint64_t) || va % PAGE_SIZE + size > PAGE_SIZE)
        return -EINVAL;
    rc = hold_page(d, gfn(at >> PAGE_SHIFT), frame);
    return rc ? -EFAULT : 0;
}

static long op_register_runstate(struct vcpu *v, struct guest_ptr arg)
{
    struct frame *frame = NULL;
    uint64_t va;
    long rc;

    rc = copy_from_guest(&va, arg, sizeof(va));
    if (rc)
        return rc;
    if (va) {
        rc = pin(v->domain, va, sizeof(struct vcpu_runstate_info), &frame);
        if (rc)
            return rc;
    }
    vcpu_set_runstate_area(v, frame, va % PAGE_SIZE);
    return 0;
}

/* What it holds are constants, so that writing it once does for ever. */
static long op_register_time(struct guest_ptr arg)
{
    struct vcpu_time_info info = {0};
    uint64_t va;
    int rc = copy_from_guest(&va, arg, sizeof(va));

    if (rc || !va)
        return rc;
    time_info_write(&info);
    return copy_to_guest(guest_ptr(va), &info, sizeof(info));
}

static long op_set_periodic(struct vcpu *v, struct guest_ptr arg)
{
    struct vcpu_set_periodic_timer op;
    int rc = copy_from_guest(&op, arg, sizeof(op));

    if (rc)
        return rc;
    if (op.period_ns < PERIOD_MIN_NS || op.period_ns > PERIOD_MAX_NS)
        return -EINVAL;
    vcpu_set_period(v, op.period_ns);
    return 0;
}

static long op_set_singleshot(struct vcpu *v, struct guest_ptr arg)
{
    struct vcpu_set_singleshot_timer op;
    int rc;

    if (v != current)
        return -EINVAL;
    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;

    /* Here 0 is a time, long past, and no wish to stop. */
    vcpu_set_timer(v, op.timeout_abs_ns ? op.timeout_abs_ns : 1);
    return 0;
}

static long op_stop_singleshot(struct vcpu *v)
{
    if (v != current)
        return -EINVAL;
    vcpu_set_timer(v, 0);
    return 0;
}

static long op_register_info(struct vcpu *v, struct guest_ptr arg)
{
    struct vcpu_register_vcpu_info op;
    struct frame *frame;
    int rc;

    rc = copy_from_guest(&op, arg, sizeof(op));
    if (rc)
        return rc;
    if (op.offset % sizeof(uint64_t) ||
        op.offset > PAGE_SIZE - sizeof(struct vcpu_info))
        return -ENXIO;
    rc = hold_page(v->domain, gfn(op.mfn), &frame);
    if (rc)
        return rc;
    rc = vcpu_move_info(v, frame, op.offset);
    if (rc)
        frame_put(frame);
    return rc;
}

long hypercall_vcpu_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                       uint64_t a5)
{
    struct domain *d = current->domain;
    struct guest_ptr arg = guest_ptr(a3);
    struct vcpu *v;

    (void)a4, (void)a5;

    if (a2 >= d->vcpu_count)
        return -ENOENT;
    v = d->vcpu[index_nospec(a2, d->vcpu_count)];

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
        return op_get_runstate(v, arg);
    case VCPUOP_register_runstate_memory_area:
        return op_register_runstate(v, arg);
    case VCPUOP_set_periodic_timer:
        return op_set_periodic(v, arg);
    case VCPUOP_stop_periodic_timer:
        vcpu_set_period(v, 0);
        return 0;
    case VCPUOP_set_singleshot_timer:
        return op_set_singleshot(v, arg);
    case VCPUOP_stop_singleshot_timer:
        return op_stop_singleshot(v);
    case VCPUOP_register_vcpu_info:
        return op_register_info(v, arg);
    case VCPUOP_get_physid:
        return -EINVAL; /* No vCPU is tied to a processor. */
    case VCPUOP_register_vcpu_time_memory_area:
        return op_register_time(arg);
    default:
        return -ENOSYS;
    }
}
