/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op for class pv, whose frames come and go by number: giving some up
 * and getting others, for pfns that the guest names.
 *
 * Extents are single pages, except in an exchange, which is how a guest asks
 * for memory that is contiguous.  Who asks for larger ones elsewhere is told
 * that there are none.
 */

#include "hypercall/memory_op.h"
#include "memory/m2p.h"
#include "memory/pv_space.h"

/* Pages a call: to clear one takes 600 instructions, and there is the rest. */
#define QUANTUM 24U

/* The M2P's window, and the highest frame that it could have. */
#define M2P_END     (M2P_BASE + (256UL << 30))
#define M2P_ENTRIES ((M2P_END - M2P_BASE) / sizeof(uint64_t))

/* A new frame, for the pfn at @at if @has_pfn; its mfn goes there. */
static int give_page(struct pv_space *s, struct guest_ptr at, bool has_pfn)
{
    uint64_t pfn = M2P_INVALID;
    mfn_t m;

    if (has_pfn && copy_from_guest(&pfn, at, sizeof(pfn)))
        return -EFAULT;
    m = pv_populate(s, pfn);
    if (mfn_eq(m, MFN_NONE))
        return -ENOMEM;
    if (!at.va || !copy_to_guest(at, &m.raw, sizeof(m.raw)))
        return 0;
    return pv_release(s, m) ?: -EFAULT; /* It would not know it. */
}

static int take_page(struct pv_space *s, struct guest_ptr at)
{
    uint64_t m;

    if (copy_from_guest(&m, at, sizeof(m)))
        return -EFAULT;
    return pv_release(s, mfn(m));
}

static int one_extent(struct pv_space *s, uint32_t cmd, uint64_t start,
                      uint64_t i)
{
    struct guest_ptr at = {0};

    if (start || cmd != XENMEM_increase_reservation)
        at = guest_ptr_at(guest_ptr(start), i, sizeof(uint64_t));
    if (cmd == XENMEM_decrease_reservation)
        return take_page(s, at);
    return give_page(s, at, cmd == XENMEM_populate_physmap);
}

/* The answer is how many were done: a short count, that one was refused. */
static long extents(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    struct xen_memory_reservation op;
    uint64_t done = cmd >> MEMORY_CMD_BITS;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (!is_caller(d, op.domid))
        return -EPERM;
    if (op.extent_order || done >= op.nr_extents)
        return (long)done;
    for (unsigned int n = 0; n < QUANTUM; n++) {
        if (one_extent(d->pv, cmd & MEMORY_CMD_MASK, op.extent_start, done))
            return (long)done;
        if (++done == op.nr_extents)
            return (long)done;
    }
    hypercall_set_arg(1, (cmd & MEMORY_CMD_MASK) | done << MEMORY_CMD_BITS);
    return hypercall_continue();
}

/* --- Exchange ------------------------------------------------------------ */

/* How many @frames either list has, if it may be made at all. */
static int exchange_check(const struct domain *d,
                          const struct xen_memory_exchange *op,
                          uint64_t *frames)
{
    const struct xen_memory_reservation *in = &op->in, *out = &op->out;

    if (in->extent_order > PV_EXTENT_ORDER ||
        out->extent_order > PV_EXTENT_ORDER)
        return -EPERM;
    *frames = in->nr_extents << in->extent_order;
    if (op->nr_exchanged > in->nr_extents || in->domid != out->domid ||
        in->nr_extents != *frames >> in->extent_order ||
        out->nr_extents != *frames >> out->extent_order ||
        *frames % (1U << out->extent_order))
        return -EINVAL;
    return is_caller(d, in->domid) ? 0 : -EPERM;
}

/* All mfns that the guest has a use for are below. */
static uint64_t mfn_end(uint32_t mem_flags)
{
    uint32_t bits = mem_flags & XENMEMF_ADDRESS_BITS;

    return bits && bits < 64 ? 1UL << bits >> PAGE_SHIFT : UINT64_MAX;
}

static struct guest_ptr extent_at(const struct xen_memory_reservation *r,
                                  uint64_t frame)
{
    return guest_ptr_at(guest_ptr(r->extent_start), frame >> r->extent_order,
                        sizeof(uint64_t));
}

/*
 * 2^@order frames, from number @frame of all on.  Before they are exchanged it
 * is seen that the guest can be told of it; should another vCPU prevent that
 * meanwhile, the new ones are the domain's nevertheless, and the M2P says
 * which.
 */
static int exchange_chunk(struct pv_space *s,
                          const struct xen_memory_exchange *op, uint64_t frame,
                          unsigned int order, struct page_work *work)
{
    struct pv_extents in = {.order = op->in.extent_order};
    struct pv_extents out = {.order = op->out.extent_order};
    struct guest_ptr from = extent_at(&op->in, frame);
    struct guest_ptr to = extent_at(&op->out, frame);
    size_t in_bytes = sizeof(uint64_t) << (order - in.order);
    size_t out_bytes = sizeof(uint64_t) << (order - out.order);

    if (copy_bytes_from_guest(in.first, from, in_bytes) ||
        copy_bytes_from_guest(out.first, to, out_bytes) ||
        copy_bytes_to_guest(to, out.first, out_bytes))
        return -EFAULT;
    return pv_exchange(s, &in, &out, mfn_end(op->out.mem_flags), work)
               ?: copy_bytes_to_guest(to, out.first, out_bytes);
}

/* Other frames for its own: as many a call as the largest extent has. */
static long exchange(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    struct xen_memory_exchange op;
    uint64_t at, end;
    unsigned int order;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    rc = cmd >> MEMORY_CMD_BITS ? -EINVAL : exchange_check(d, &op, &end);
    if (rc)
        return rc;

    order = MAX(op.in.extent_order, op.out.extent_order);
    at = op.nr_exchanged << op.in.extent_order & -(1UL << order);
    for (; at < end && work.left > 0; at += 1UL << order) {
        rc = exchange_chunk(d->pv, &op, at, order, &work);
        if (rc)
            break;
    }
    op.nr_exchanged = at >> op.in.extent_order;
    if (copy_to_guest(arg, &op, sizeof(op)))
        return -EFAULT;
    return rc == -EAGAIN || (!rc && at < end) ? hypercall_continue() : rc;
}

static long mapping(struct guest_ptr arg)
{
    struct xen_machphys_mapping map = {M2P_BASE, M2P_END, M2P_ENTRIES - 1};

    return copy_to_guest(arg, &map, sizeof(map));
}

long pv_memory_op(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    switch (cmd & MEMORY_CMD_MASK) {
    case XENMEM_increase_reservation:
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return extents(d, cmd, arg);
    case XENMEM_exchange:
        return exchange(d, cmd, arg);
    case XENMEM_machphys_mapping:
        return mapping(arg);
    case XENMEM_add_to_physmap:
    case XENMEM_remove_from_physmap:
    case XENMEM_add_to_physmap_batch:
        return -EACCES; /* Its kernel maps what it wants where it wants. */
    default:
        return -ENOSYS;
    }
}
