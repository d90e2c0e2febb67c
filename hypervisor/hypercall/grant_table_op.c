/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grant_table_op: arrays of operations, a quantum of elements a call.
 *
 * Progress is in the arguments: the array's address moves up and the count
 * down.  Only what an operation changed is written back to its element.
 */

#include "grant/grant.h"
#include "hypercall/subop.h"

/* Elements a call: each may clear two pages and copy one, 2,000 steps. */
#define QUANTUM 10U

static_assert(QUANTUM <= GRANT_UNMAP_BATCH, "unmapped in one batch");

/*
 * Where an array stands: @at is the address of the next element, @count are
 * left.  Should it wrap, it is checked all the same when something is copied
 * there.
 */
static void progress(uint64_t at, uint32_t count)
{
    hypercall_set_arg(2, at);
    hypercall_set_arg(3, count);
}

/* How many will be left after this call's quantum. */
static uint32_t left_after(uint32_t count)
{
    return count < QUANTUM ? 0 : count - QUANTUM;
}

static long elements_done(uint64_t at, uint32_t count)
{
    if (likely(count == 0))
        return 0;
    progress(at, count);
    return hypercall_continue();
}

/* An element could not be copied; if that waits for memory, go on there. */
static long element_fault(uint64_t at, uint32_t count)
{
    if (current->repeat)
        progress(at, count);
    return -EFAULT;
}

/* Nobody would know the handle: as if it had not been mapped. */
static __rare void take_back(const struct gnttab_map_grant_ref *op)
{
    struct gnttab_unmap_grant_ref undo = {
        .host_addr = op->flags & GNTMAP_host_map ? op->host_addr : 0,
        .dev_bus_addr = op->flags & GNTMAP_device_map ? op->dev_bus_addr : 0,
        .handle = op->handle,
    };

    if (op->status == GNTST_okay)
        grant_unmap(current->domain, &undo, 1);
}

/* The element at @va.  False: it could not be copied, and is not mapped. */
static __in_place bool map_element(struct domain *d, uint64_t va)
{
    const size_t out = offsetof(struct gnttab_map_grant_ref, dom);
    struct gnttab_map_grant_ref op;

    if (unlikely(!guest_load_words(&op, va, sizeof(op))))
        return false;
    grant_map(d, &op);
    if (likely(guest_store_words(va + out, &op.dom, sizeof(op) - out)))
        return true;
    take_back(&op);
    return false;
}

static long op_map(struct domain *d, uint64_t at, uint32_t count)
{
    uint32_t left = left_after(count);

    for (; count > left; count--, at += sizeof(struct gnttab_map_grant_ref))
        if (unlikely(!map_element(d, guest_address(at))))
            return element_fault(at, count);
    return elements_done(at, count);
}

/* Most arrays are of one, and an array of one is shorter. */
static __noinline long op_map_one(struct domain *d, uint64_t at)
{
    return likely(map_element(d, guest_address(at))) ? 0 : -EFAULT;
}

/* The next @n elements; @left will be left. */
static __in_place long unmap(struct domain *d, uint64_t at, uint32_t n,
                             uint32_t left)
{
    const size_t out = offsetof(struct gnttab_unmap_grant_ref, handle);
    struct gnttab_unmap_grant_ref ops[QUANTUM];
    const size_t size = sizeof(ops[0]);
    uint64_t va = guest_address(at);

    for (uint32_t i = 0; i < n; i++)
        if (unlikely(!guest_load_words(&ops[i], va + i * size, size)))
            return element_fault(at, n + left); /* None is done yet. */

    grant_unmap(d, ops, n);
    at += n * size;
    for (uint32_t i = 0; i < n; i++, va += size)
        if (unlikely(!guest_store_words(va + out, &ops[i].handle, size - out)))
            return element_fault(at, left); /* All are done, even so. */
    return elements_done(at, left);
}

static __noinline long op_unmap_one(struct domain *d, uint64_t at)
{
    return unmap(d, at, 1, 0);
}

/* For a domain of class @light, or of class pv. */
static __in_place long copy_array(struct domain *d, uint64_t at, uint32_t count,
                                  bool light)
{
    const size_t out = offsetof(struct gnttab_copy, len);
    uint32_t left = left_after(count);
    struct gnttab_copy op;

    for (; count > left; count--, at += sizeof(op)) {
        uint64_t va = light ? guest_address(at) : guest_address_upper(at);

        if (unlikely(!guest_load_words(&op, va, sizeof(op))))
            return element_fault(at, count);
        (light ? grant_copy : grant_copy_pv)(d, &op);
        if (unlikely(op.status == GNTST_eagain) && current->repeat)
            return element_fault(at, count);
        if (unlikely(!guest_store_words(va + out, &op.len, sizeof(op) - out)))
            return element_fault(at, count);
    }
    return elements_done(at, count);
}

static __noinline long op_copy(struct domain *d, uint64_t at, uint32_t count)
{
    return copy_array(d, at, count, true);
}

static __noinline long op_copy_pv(struct domain *d, uint64_t at, uint32_t count)
{
    return copy_array(d, at, count, false);
}

/* GNTST_okay if @domid is the caller: no other table may be asked for. */
static int16_t subject_status(struct domain *d, domid_t domid)
{
    struct domain *subject = domain_get_or_self(domid, d);

    if (!subject)
        return GNTST_bad_domain;
    domain_put(subject);
    return subject == d ? GNTST_okay : GNTST_permission_denied;
}

/* Grow it and list the gfns of its frames. */
static long setup_table(struct domain *d, struct gnttab_setup_table *op)
{
    int rc;

    op->status = subject_status(d, op->dom);
    if (op->status)
        return 0;
    rc = grant_grow(d, op->nr_frames);
    if (rc == -EAGAIN)
        return rc;
    if (rc)
        op->status = GNTST_general_error;

    for (uint32_t i = 0; !rc && i < op->nr_frames; i++) {
        uint64_t g = grant_frame_gfn(d, i);

        if (copy_to_guest(guest_ptr_at(guest_ptr(op->frame_list), i, sizeof(g)),
                          &g, sizeof(g)))
            return -EFAULT;
    }
    return 0;
}

static long query_size(struct domain *d, struct gnttab_query_size *op)
{
    uint32_t used, max;

    op->status = subject_status(d, op->dom);
    if (!op->status)
        grant_counts(d, &op->nr_frames, &op->max_nr_frames, &used, &max);
    return 0;
}

/* There is one version: to ask for it again changes nothing. */
static __noinline long op_set_version(struct guest_ptr at)
{
    struct gnttab_set_version op;
    uint32_t wanted;

    if (copy_from_guest(&op, at, sizeof(op)))
        return -EFAULT;
    wanted = op.version;
    if (wanted != 1 && wanted != 2)
        return -EINVAL;
    op.version = 1;
    if (copy_to_guest(at, &op, sizeof(op)))
        return -EFAULT;
    return wanted == 1 ? 0 : -ENOSYS;
}

static long get_version(struct domain *d, struct gnttab_get_version *op)
{
    int16_t status = subject_status(d, op->dom);

    op->version = 1;
    if (status)
        return status == GNTST_bad_domain ? -ESRCH : -EPERM;
    return 0;
}

/* Caches of this processor and its devices agree: there is nothing to do. */
static long cache_flush(struct domain *d, const struct gnttab_cache_flush *op)
{
    if (op->offset >= PAGE_SIZE || op->length > PAGE_SIZE ||
        op->offset + op->length > PAGE_SIZE ||
        op->op & ~(GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL))
        return -EINVAL;
    if (op->length == 0 || op->op == 0)
        return 0;
    return policy_allows(d, POLICY_machine_address) && !d->pv ? 0 : -EPERM;
}

/* The first that is refused ends it. */
static __noinline long op_cache_flush(struct domain *d, uint64_t at,
                                      uint32_t count)
{
    uint32_t left = left_after(count);
    struct gnttab_cache_flush op;
    long rc;

    for (; count > left; count--, at += sizeof(op)) {
        if (copy_from_guest(&op, guest_ptr(at), sizeof(op)))
            return element_fault(at, count);
        rc = cache_flush(d, &op);
        if (rc)
            return rc;
    }
    return elements_done(at, count);
}

#define TABLE_SUBOPS(OP)                                                       \
    OP(GNTTABOP_setup_table, gnttab_setup_table, true, setup_table(d, op))     \
    OP(GNTTABOP_query_size, gnttab_query_size, true, query_size(d, op))        \
    OP(GNTTABOP_get_version, gnttab_get_version, true, get_version(d, op))
SUBOPS(TABLE_SUBOPS)

static __noinline long op_other(struct domain *d, uint64_t at, uint32_t count,
                                uint64_t cmd)
{
    uint32_t left = left_after(count);

    switch (cmd) {
    case GNTTABOP_map_grant_ref:
        return op_map(d, at, count);
    case GNTTABOP_unmap_grant_ref:
        return unmap(d, at, count - left, left);
    case GNTTABOP_set_version:
        return op_set_version(guest_ptr(at));
    case GNTTABOP_cache_flush:
        return op_cache_flush(d, at, count);
    case GNTTABOP_setup_table:
    case GNTTABOP_query_size:
        if (count != 1)
            return -EINVAL;
        break;
    default:
        if (cmd > UINT32_MAX)
            return -EINVAL;
    }
    return call_subop(current, cmd, guest_ptr(at));
}

long hypercall_grant_table_op(uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct domain *d = current->domain;
    uint32_t count = (uint32_t)a3;

    /* The count as an int, which it is in Xen's interface. */
    if (unlikely((int32_t)a3 < 0))
        return -EINVAL;
    if (a1 == GNTTABOP_copy && unlikely(d->pv)) /* The hot ones first. */
        return op_copy_pv(d, a2, count);
    if (likely(a1 == GNTTABOP_copy))
        return op_copy(d, a2, count);
    if (likely(count == 1)) {
        if (a1 == GNTTABOP_map_grant_ref)
            return op_map_one(d, a2);
        if (a1 == GNTTABOP_unmap_grant_ref)
            return op_unmap_one(d, a2);
    }
    return op_other(d, a2, count, a1);
}
