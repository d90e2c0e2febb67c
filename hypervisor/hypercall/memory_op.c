/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_op for class light, whose gfns are fixed: what is RAM stays RAM, and
 * only the frames behind it come and go.
 */

#include "domain/memory.h"
#include "grant/grant.h"
#include "hypercall/memory_op.h"
#include "hypercall/subop.h"
#include "memory/light.h"

/* The largest extent is what may be discarded at once: 64 pages. */
#define ORDER_MAX 6U

/* Extents a call, each of one page; fewer if they are larger. */
#define QUANTUM LIGHT_QUANTUM

/* Entries of a memory map: more pieces than a machine has. */
#define MAP_ENTRIES_MAX 128U

/* How much a domain has, or may have.  Of another one only with the right. */
static long query(uint64_t cmd, domid_t domid)
{
    struct domain *subject;
    long rc = subject_get(domid, POLICY_other_memory, &subject);

    if (rc)
        return rc;
    if (cmd == XENMEM_current_reservation)
        rc = (long)memory_used(subject);
    else if (cmd == XENMEM_maximum_gpfn)
        rc = (long)(subject->pv ? subject->shared_info->arch.max_pfn
                                : memory_max(subject)) -
             1;
    else
        rc = (long)memory_max(subject);
    domain_put(subject);
    return rc;
}

/* RAM, piece by piece, until there is no more or the guest has no room. */
static long give_map(const struct domain *d, struct xen_memory_map *op,
                     bool machine)
{
    const struct ram_range own = {0, memory_max(d)};
    uint32_t i = 0;

    if (op->nr_entries == 0)
        return -EINVAL;
    for (; i < op->nr_entries && i < MAP_ENTRIES_MAX; i++) {
        struct ram_range r = machine ? ram_range(i) : own;
        struct e820_entry entry = {
            .addr = r.first << PAGE_SHIFT,
            .size = (r.end - r.first) << PAGE_SHIFT,
            .type = E820_RAM,
        };

        if (r.first == r.end || (i && !machine))
            break;
        if (copy_to_guest(guest_ptr_at(guest_ptr(op->buffer), i, sizeof(entry)),
                          &entry, sizeof(entry)))
            return -EFAULT;
    }
    op->nr_entries = i;
    return 0;
}

/* The highest frame of the machine, and one. */
static long maximum_ram_page(void)
{
    uint64_t end = 0;

    for (unsigned int i = 0; ram_range(i).end; i++)
        end = MAX(end, ram_range(i).end);
    return (long)end;
}

/* shared_info or a frame of the grant table shall appear elsewhere. */
static long add_to_physmap(struct domain *d,
                           const struct xen_add_to_physmap *op)
{
    if (!is_caller(d, op->domid))
        return -EPERM;
    if (op->space == XENMAPSPACE_shared_info && op->idx == 0)
        return light_move_special(d->space, &d->shared_info_gfn, op->gpfn);
    if (op->space == XENMAPSPACE_grant_table && op->idx <= UINT32_MAX)
        return grant_move_frame(d, (uint32_t)op->idx, op->gpfn);
    return -EINVAL;
}

#define MEMORY_SUBOPS(OP)                                                      \
    OP(XENMEM_current_reservation, xen_domid_arg, false,                       \
       query(cmd, op->domid))                                                  \
    OP(XENMEM_maximum_reservation, xen_domid_arg, false,                       \
       query(cmd, op->domid))                                                  \
    OP(XENMEM_maximum_gpfn, xen_domid_arg, false, query(cmd, op->domid))       \
    OP(XENMEM_add_to_physmap, xen_add_to_physmap, false,                       \
       add_to_physmap(d, op))                                                  \
    OP(XENMEM_memory_map, xen_memory_map, true, give_map(d, op, false))        \
    OP(XENMEM_machine_memory_map, xen_memory_map, true, give_map(d, op, true))
SUBOPS(MEMORY_SUBOPS)

/* What of @count extents can be read; the rest is the next call's, or never. */
static unsigned int fetch_extents(const struct xen_memory_reservation *op,
                                  uint64_t done, uint64_t *list,
                                  unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        if (copy_from_guest(&list[i],
                            guest_ptr_at(guest_ptr(op->extent_start), done + i,
                                         sizeof(*list)),
                            sizeof(*list)))
            return i;
    return count;
}

/* Wanted extents: they are RAM already, and get frames when they are touched.
 */
static unsigned int count_ram(const struct light_space *s, const uint64_t *list,
                              unsigned int count, uint64_t pages)
{
    uint64_t ram_pages = s->layout.ram_pages;

    for (unsigned int i = 0; i < count; i++)
        if (list[i] > ram_pages || pages > ram_pages - list[i])
            return i;
    return count;
}

/*
 * A quantum of extents, from the one numbered in the upper part of @cmd.  The
 * answer is how many were done: a short count says that one was refused.
 */
static long op_extents(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    struct xen_memory_reservation op;
    uint64_t list[QUANTUM], done = cmd >> MEMORY_CMD_BITS;
    unsigned int count, finished;
    int why;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (!is_caller(d, op.domid))
        return -EPERM;
    if (op.extent_order > ORDER_MAX || done >= op.nr_extents)
        return (long)done;

    count = QUANTUM >> op.extent_order;
    if (count > op.nr_extents - done)
        count = (unsigned int)(op.nr_extents - done);
    count = fetch_extents(&op, done, list, count);
    if ((cmd & MEMORY_CMD_MASK) == XENMEM_decrease_reservation)
        finished =
            light_discard(d->space, list, count, 1UL << op.extent_order, &why);
    else
        finished = count_ram(d->space, list, count, 1UL << op.extent_order);

    done += finished;
    if (finished < count || count == 0 || done == op.nr_extents)
        return (long)done;
    hypercall_set_arg(1, (cmd & MEMORY_CMD_MASK) | done << MEMORY_CMD_BITS);
    return hypercall_continue();
}

/* What only builders ask for: control_op does it for class light. */
#define BUILDER_CMDS                                                           \
    (1UL << XENMEM_set_memory_map | 1UL << XENMEM_set_pod_target |             \
     1UL << XENMEM_get_pod_target | 1UL << XENMEM_claim_pages |                \
     1UL << XENMEM_get_vnumainfo | 1UL << XENMEM_reserved_device_memory_map |  \
     1UL << XENMEM_acquire_resource)

long hypercall_memory_op(uint64_t a1, uint64_t a2)
{
    uint32_t cmd = a1 & MEMORY_CMD_MASK;
    struct domain *d = current->domain;

    if (BUILDER_CMDS >> cmd & 1)
        return policy_allows(d, POLICY_other_memory) ? -EOPNOTSUPP : -EPERM;
    if (d->pv && MEMORY_CMDS_PV >> cmd & 1)
        return pv_memory_op(d, a1, guest_ptr(a2));

    switch (cmd) {
    case XENMEM_increase_reservation:
        return 0; /* Nothing can be added to what is fixed. */
    case XENMEM_decrease_reservation:
    case XENMEM_populate_physmap:
        return op_extents(d, a1, guest_ptr(a2));
    case XENMEM_maximum_ram_page:
        return maximum_ram_page();
    case XENMEM_machine_memory_map:
        if (!policy_allows(d, POLICY_machine_map))
            return -EPERM;
        break;
    }
    return call_subop(current, cmd, guest_ptr(a2));
}
