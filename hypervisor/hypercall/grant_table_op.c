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

/* Elements a call: each may clear two pages and copy one. */
#define QUANTUM 16U

static_assert(QUANTUM <= GRANT_UNMAP_BATCH, "unmapped in one batch");

/* Where an array stands. */
struct array {
    struct guest_ptr base;
    uint32_t count;
    size_t size; /* of an element */
};

static void array_advance(const struct array *a, uint32_t done)
{
    hypercall_set_arg(2, guest_ptr_at(a->base, done, a->size).va);
    hypercall_set_arg(3, a->count - done);
}

static uint32_t array_quantum(const struct array *a)
{
    return a->count < QUANTUM ? a->count : QUANTUM;
}

/* After @done elements: finished, or there is more. */
static long array_done(const struct array *a, uint32_t done)
{
    if (done == a->count)
        return 0;
    array_advance(a, done);
    return hypercall_continue();
}

/* Element @done could not be copied; if it waits for memory, go on there. */
static long array_fault(const struct array *a, uint32_t done)
{
    if (current->repeat)
        array_advance(a, done);
    return -EFAULT;
}

/*
 * Bytes @offset on of element @i.  Should that wrap, it is still an address
 * that is checked when something is copied there.
 */
static inline struct guest_ptr array_field(const struct array *a, uint32_t i,
                                           size_t offset)
{
    return guest_ptr(a->base.va + i * a->size + offset);
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

static long op_map(struct domain *d, const struct array *a)
{
    const size_t out = offsetof(struct gnttab_map_grant_ref, dom);
    struct gnttab_map_grant_ref op;
    uint32_t i;

    for (i = 0; i < array_quantum(a); i++) {
        if (copy_from_guest(&op, array_field(a, i, 0), sizeof(op)))
            return array_fault(a, i);
        grant_map(d, &op);
        if (copy_to_guest(array_field(a, i, out), &op.dom, sizeof(op) - out)) {
            take_back(d, &op);
            return array_fault(a, i);
        }
    }
    return array_done(a, i);
}

static long op_unmap(struct domain *d, const struct array *a)
{
    const size_t out = offsetof(struct gnttab_unmap_grant_ref, handle);
    struct gnttab_unmap_grant_ref ops[QUANTUM];
    uint32_t count = array_quantum(a);

    for (uint32_t i = 0; i < count; i++)
        if (copy_from_guest(&ops[i], array_field(a, i, 0), sizeof(ops[i])))
            return array_fault(a, 0); /* None is done yet. */

    grant_unmap(d, ops, count);

    for (uint32_t i = 0; i < count; i++)
        if (copy_to_guest(array_field(a, i, out), &ops[i].handle,
                          sizeof(ops[i]) - out))
            return array_fault(a, count); /* All are done, even so. */
    return array_done(a, count);
}

static long op_copy(struct domain *d, const struct array *a)
{
    const size_t out = offsetof(struct gnttab_copy, len);
    struct gnttab_copy op;
    uint32_t i;

    for (i = 0; i < array_quantum(a); i++) {
        if (copy_from_guest(&op, array_field(a, i, 0), sizeof(op)))
            return array_fault(a, i);
        grant_copy(d, &op);
        if (unlikely(op.status == GNTST_eagain) && current->repeat)
            return array_fault(a, i);
        if (copy_to_guest(array_field(a, i, out), &op.len, sizeof(op) - out))
            return array_fault(a, i);
    }
    return array_done(a, i);
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

static long op_setup_table(struct domain *d, const struct array *a)
{
    struct gnttab_setup_table op;
    int rc;

    if (a->count != 1)
        return -EINVAL;
    if (copy_from_guest(&op, a->base, sizeof(op)))
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
    return copy_to_guest(a->base, &op, sizeof(op));
}

static long op_query_size(struct domain *d, const struct array *a)
{
    struct gnttab_query_size op;

    if (a->count != 1)
        return -EINVAL;
    if (copy_from_guest(&op, a->base, sizeof(op)))
        return -EFAULT;
    op.status = subject_status(d, op.dom);
    if (!op.status)
        grant_query_size(d, &op);
    return copy_to_guest(a->base, &op, sizeof(op));
}

/* There is one version: to ask for it again changes nothing. */
static long op_set_version(const struct array *a)
{
    struct gnttab_set_version op;
    uint32_t wanted;
    int rc;

    if (a->count != 1)
        return -EINVAL;
    if (copy_from_guest(&op, a->base, sizeof(op)))
        return -EFAULT;
    wanted = op.version;
    if (wanted != 1 && wanted != 2)
        return -EINVAL;
    op.version = 1;
    rc = copy_to_guest(a->base, &op, sizeof(op));
    if (rc)
        return rc;
    return wanted == 1 ? 0 : -ENOSYS;
}

static long op_get_version(const struct array *a)
{
    struct gnttab_get_version op;

    if (a->count != 1)
        return -EINVAL;
    if (copy_from_guest(&op, a->base, sizeof(op)))
        return -EFAULT;
    op.version = 1;
    return copy_to_guest(a->base, &op, sizeof(op));
}

static struct array array_of(uint64_t va, uint32_t count, size_t size)
{
    return (struct array){guest_ptr(va), count, size};
}

long hypercall_grant_table_op(uint64_t a1, uint64_t a2, uint64_t a3,
                              uint64_t a4, uint64_t a5)
{
    struct domain *d = current->domain;
    struct array a = array_of(a2, (uint32_t)a3, 0);

    (void)a4, (void)a5;

    /* As an int, which it is in Xen's interface. */
    if ((int32_t)a3 < 0 || a1 > UINT32_MAX)
        return -EINVAL;

    switch (a1) {
    case GNTTABOP_map_grant_ref:
        a.size = sizeof(struct gnttab_map_grant_ref);
        return op_map(d, &a);
    case GNTTABOP_unmap_grant_ref:
        a.size = sizeof(struct gnttab_unmap_grant_ref);
        return op_unmap(d, &a);
    case GNTTABOP_copy:
        a.size = sizeof(struct gnttab_copy);
        return op_copy(d, &a);
    case GNTTABOP_setup_table:
        return op_setup_table(d, &a);
    case GNTTABOP_query_size:
        return op_query_size(d, &a);
    case GNTTABOP_set_version:
        return op_set_version(&a);
    case GNTTABOP_get_version:
        return op_get_version(&a);
    default:
        return -ENOSYS;
    }
}
