/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op for class pv, whose frames come and go by number: giving some up
 * and getting others, for pfns that the guest names.
 *
 * Extents are single pages: nothing here promises memory that is contiguous.
 * Who asks for larger ones is told that there are none.
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
    if (op.domid != DOMID_SELF && op.domid != d->domid)
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

/* Other frames for its own, which is asked for to have contiguous ones. */
static long exchange(struct guest_ptr arg)
{
    struct xen_memory_exchange op;

    return copy_from_guest(&op, arg, sizeof(op)) ? -EFAULT : -ENOMEM;
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
        return exchange(arg);
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
