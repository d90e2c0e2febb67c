/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op for class light, whose gfns are fixed: what is RAM stays RAM, and
 * only the frames behind it come and go.
 */

#include <abi/memory.h>

#include "domain/domain.h"
#include "domain/policy.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "memory/light.h"
#include "pv/guest_copy.h"

/* As in Xen: the operation below, the number of extents done above. */
#define CMD_BITS 6
#define CMD_MASK ((1U << CMD_BITS) - 1)

/* The largest extent is what may be discarded at once: 64 pages. */
#define ORDER_MAX 6U

/* Extents a call, each of one page; fewer if they are larger. */
#define QUANTUM LIGHT_QUANTUM

static bool is_caller(const struct domain *d, domid_t domid)
{
    return domid == DOMID_SELF || domid == d->domid;
}

static long answer(uint32_t cmd, const struct light_space *s)
{
    switch (cmd) {
    case XENMEM_current_reservation:
        return (long)light_used_pages(s);
    case XENMEM_maximum_reservation:
        return (long)s->layout.ram_pages;
    default:
        return (long)s->layout.ram_pages - 1; /* maximum_gpfn */
    }
}

/* How much a domain has, or may have.  Of another one only with the right. */
static long op_query(struct domain *d, uint32_t cmd, struct guest_ptr arg)
{
    struct domain *subject;
    struct xen_domid_arg op;
    long rc;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (!is_caller(d, op.domid) && !policy_allows(d, POLICY_other_memory))
        return -EPERM;
    subject = domain_get_or_self(op.domid, d);
    if (!subject)
        return -ESRCH;
    rc = answer(cmd, subject->space);
    domain_put(subject);
    return rc;
}

static long op_memory_map(struct domain *d, struct guest_ptr arg)
{
    struct e820_entry ram = {
        .addr = 0,
        .size = d->space->layout.ram_pages << PAGE_SHIFT,
        .type = E820_RAM,
    };
    struct xen_memory_map op;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (op.nr_entries == 0)
        return -EINVAL;
    op.nr_entries = 1;
    if (copy_to_guest(guest_ptr(op.buffer), &ram, sizeof(ram)))
        return -EFAULT;
    return copy_to_guest(arg, &op, sizeof(op));
}

/*
 * An extent comes back, and is demand-zero from now on; or one is wanted:
 * that is RAM already, and gets its frame when it is touched.
 */
static bool extent_do(struct light_space *s, bool discard, uint64_t g,
                      uint64_t pages)
{
    if (discard)
        return light_discard(s, gfn(g), pages) == 0;
    return g <= s->layout.ram_pages && pages <= s->layout.ram_pages - g;
}

/*
 * Each extent in turn, from the one numbered in the upper part of @cmd.  The
 * answer is how many were done: a short count says that one was refused.
 */
static long op_extents(struct domain *d, uint64_t cmd, struct guest_ptr arg,
                       bool discard)
{
    struct xen_memory_reservation op;
    uint64_t done = cmd >> CMD_BITS, end, g;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (!is_caller(d, op.domid))
        return -EPERM;
    if (op.extent_order > ORDER_MAX || done > op.nr_extents)
        return 0;

    end = done + (QUANTUM >> op.extent_order);
    if (end > op.nr_extents)
        end = op.nr_extents;
    for (; done < end; done++) {
        struct guest_ptr at =
            guest_ptr_at(guest_ptr(op.extent_start), done, sizeof(g));

        if (copy_from_guest(&g, at, sizeof(g)) ||
            !extent_do(d->space, discard, g, 1UL << op.extent_order))
            return (long)done;
    }
    if (done == op.nr_extents)
        return (long)done;
    hypercall_set_arg(1, (cmd & CMD_MASK) | done << CMD_BITS);
    return hypercall_continue();
}

long hypercall_memory_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    struct domain *d = current->domain;
    struct guest_ptr arg = guest_ptr(a2);

    (void)a3, (void)a4, (void)a5;

    switch (a1 & CMD_MASK) {
    case XENMEM_increase_reservation:
        return 0; /* Nothing can be added to what is fixed. */
    case XENMEM_decrease_reservation:
        return op_extents(d, a1, arg, true);
    case XENMEM_populate_physmap:
        return op_extents(d, a1, arg, false);
    case XENMEM_current_reservation:
    case XENMEM_maximum_reservation:
    case XENMEM_maximum_gpfn:
        return op_query(d, a1 & CMD_MASK, arg);
    case XENMEM_memory_map:
        return op_memory_map(d, arg);
    default:
        return -ENOSYS;
    }
}
