/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op: arrays of operations, a quantum of elements a call.
 *
 * Progress is in the arguments: the array's address moves up and the count
 * down.  Only what an operation changed is written back to its element.
 */

#include <abi/grant_table.h>

#include "domain/domain.h"
#include "domain/policy.h"
#include "domain/vcpu.h"
#include "grant/grant.h"
#include "hypercall/hypercall.h"
#include "lib/assert.h"
#include "lib/errno.h"
#include "pv/guest_copy.h"

/* Elements a call: each may clear two pages and copy one, 2,000 steps. */
#define QUANTUM 10U

static_assert(QUANTUM <= GRANT_UNMAP_BATCH, "unmapped in one batch");

/*
 * Where an array stands: @at is the next element, @count are left.  Should the
 * address wrap, it is checked all the same when something is copied there.
 */
static void progress(struct guest_ptr at, uint32_t count)
{
    hypercall_set_arg(2, at.va);
    hypercall_set_arg(3, count);
}

/* How many will be left after this call's quantum. */
static uint32_t left_after(uint32_t count)
{
    return count < QUANTUM ? 0 : count - QUANTUM;
}

static long elements_done(struct guest_ptr at, uint32_t count)
{
    if (likely(count == 0))
        return 0;
    progress(at, count);
    return hypercall_continue();
}

/* An element could not be copied; if that waits for memory, go on there. */
static long element_fault(struct guest_ptr at, uint32_t count)
{
    if (current->repeat)
        progress(at, count);
    return -EFAULT;
}

static struct guest_ptr field(struct guest_ptr element, size_t offset)
{
    return guest_ptr(element.va + offset);
}

/* Nobody would know the handle: as if it had not been mapped. */
static void take_back(struct domain *d, const struct gnttab_map_grant_ref *op)
{
    struct gnttab_unmap_grant_ref undo = {
        .host_addr = op->flags & GNTMAP_host_map ? op->host_addr : 0,
        .dev_bus_addr = op->flags & GNTMAP_device_map ? op->dev_bus_addr : 0,
        .handle = op->handle,
    };

    if (op->status == GNTST_okay)
        grant_unmap(d, &undo, 1);
}

static __noinline long op_map(struct domain *d, struct guest_ptr at,
                              uint32_t count)
{
    const size_t out = offsetof(struct gnttab_map_grant_ref, dom);
    uint32_t left = left_after(count);
    struct gnttab_map_grant_ref op;

    for (; count > left; count--, at = field(at, sizeof(op))) {
        if (copy_from_guest(&op, at, sizeof(op)))
            return element_fault(at, count);
        grant_map(d, &op);
        if (copy_to_guest(field(at, out), &op.dom, sizeof(op) - out)) {
            take_back(d, &op);
            return element_fault(at, count);
        }
    }
    return elements_done(at, count);
}

/* One: most are, and an array of one is shorter. */
static __noinline long op_unmap_one(struct domain *d, struct guest_ptr at)
{
    const size_t out = offsetof(struct gnttab_unmap_grant_ref, handle);
    struct gnttab_unmap_grant_ref op;

    if (copy_from_guest(&op, at, sizeof(op)))
        return -EFAULT;
    grant_unmap(d, &op, 1);
    if (copy_to_guest(field(at, out), &op.handle, sizeof(op) - out))
        return element_fault(at, 0); /* It is done, even so. */
    return 0;
}

static __noinline long op_unmap(struct domain *d, struct guest_ptr at,
                                uint32_t count)
{
    const size_t out = offsetof(struct gnttab_unmap_grant_ref, handle);
    uint32_t left = left_after(count), n = count - left;
    struct gnttab_unmap_grant_ref ops[QUANTUM];
    struct guest_ptr end = field(at, n * sizeof(ops[0]));

    for (uint32_t i = 0; i < n; i++)
        if (copy_from_guest(&ops[i], field(at, i * sizeof(ops[0])),
                            sizeof(ops[0])))
            return element_fault(at, count); /* None is done yet. */

    grant_unmap(d, ops, n);

    for (uint32_t i = 0; i < n; i++)
        if (copy_to_guest(field(at, i * sizeof(ops[0]) + out), &ops[i].handle,
                          sizeof(ops[0]) - out))
            return element_fault(end, left); /* All are done, even so. */
    return elements_done(end, left);
}

static __in_place long op_copy(struct domain *d, struct guest_ptr at,
                               uint32_t count)
{
    const size_t out = offsetof(struct gnttab_copy, len);
    uint32_t left = left_after(count);
    struct gnttab_copy op;

    for (; count > left; count--, at = field(at, sizeof(op))) {
        if (copy_from_guest(&op, at, sizeof(op)))
            return element_fault(at, count);
        grant_copy(d, &op);
        if (unlikely(op.status == GNTST_eagain) && current->repeat)
            return element_fault(at, count);
        if (copy_to_guest(field(at, out), &op.len, sizeof(op) - out))
            return element_fault(at, count);
    }
    return elements_done(at, count);
}

/* GNTST_okay if @domid is the caller: no other table may be asked for. */
static int16_t subject_status(const struct domain *d, domid_t domid)
{
    if (domid == DOMID_SELF || domid == d->domid)
        return GNTST_okay;
    return policy_allows(d, POLICY_list) ? GNTST_bad_domain
                                         : GNTST_permission_denied;
}

/* The gfns of the first @count frames; -EFAULT. */
static int list_frames(const struct domain *d, struct guest_ptr list,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        uint64_t g = grant_frame_gfn(d, i);

        if (copy_to_guest(guest_ptr_at(list, i, sizeof(g)), &g, sizeof(g)))
            return -EFAULT;
    }
    return 0;
}

static long op_setup_table(struct domain *d, struct guest_ptr at)
{
    struct gnttab_setup_table op;
    int rc;

    if (copy_from_guest(&op, at, sizeof(op)))
        return -EFAULT;

    op.status = subject_status(d, op.dom);
    if (!op.status) {
        rc = grant_grow(d, op.nr_frames);
        if (rc == -EAGAIN)
            return hypercall_continue();
        if (rc)
            op.status = GNTST_general_error;
        else if (list_frames(d, guest_ptr(op.frame_list), op.nr_frames))
            return -EFAULT;
    }
    return copy_to_guest(at, &op, sizeof(op));
}

static long op_query_size(struct domain *d, struct guest_ptr at)
{
    struct gnttab_query_size op;

    if (copy_from_guest(&op, at, sizeof(op)))
        return -EFAULT;
    op.status = subject_status(d, op.dom);
    if (!op.status)
        grant_query_size(d, &op);
    return copy_to_guest(at, &op, sizeof(op));
}

/* There is one version: to ask for it again changes nothing. */
static long op_set_version(struct guest_ptr at)
{
    struct gnttab_set_version op;
    uint32_t wanted;
    int rc;

    if (copy_from_guest(&op, at, sizeof(op)))
        return -EFAULT;
    wanted = op.version;
    if (wanted != 1 && wanted != 2)
        return -EINVAL;
    op.version = 1;
    rc = copy_to_guest(at, &op, sizeof(op));
    if (rc)
        return rc;
    return wanted == 1 ? 0 : -ENOSYS;
}

static long op_get_version(struct guest_ptr at)
{
    struct gnttab_get_version op;

    if (copy_from_guest(&op, at, sizeof(op)))
        return -EFAULT;
    op.version = 1;
    return copy_to_guest(at, &op, sizeof(op));
}

static __noinline long op_other(struct domain *d, uint32_t cmd,
                                struct guest_ptr at, uint32_t count)
{
    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return op_map(d, at, count);
    case GNTTABOP_unmap_grant_ref:
        return count == 1 ? op_unmap_one(d, at) : op_unmap(d, at, count);
    case GNTTABOP_setup_table:
        return count == 1 ? op_setup_table(d, at) : -EINVAL;
    case GNTTABOP_query_size:
        return count == 1 ? op_query_size(d, at) : -EINVAL;
    case GNTTABOP_set_version:
        return count == 1 ? op_set_version(at) : -EINVAL;
    case GNTTABOP_get_version:
        return count == 1 ? op_get_version(at) : -EINVAL;
    default:
        return -ENOSYS;
    }
}

long hypercall_grant_table_op(uint64_t a1, uint64_t a2, uint64_t a3,
                              uint64_t a4, uint64_t a5)
{
    struct domain *d = current->domain;

    (void)a4, (void)a5;

    /* The count as an int, which it is in Xen's interface. */
    if (unlikely((int32_t)a3 < 0 || a1 > UINT32_MAX))
        return -EINVAL;
    if (likely(a1 == GNTTABOP_copy)) /* The one that is hot. */
        return op_copy(d, guest_ptr(a2), (uint32_t)a3);
    return op_other(d, (uint32_t)a1, guest_ptr(a2), (uint32_t)a3);
}
