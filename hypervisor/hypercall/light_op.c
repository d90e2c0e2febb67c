/* SPDX-License-Identifier: BSD-2-Clause */
/* light_op: what a light domain may ask about its own memory. */

#include <abi/light.h>

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "memory/light.h"
#include "pv/guest_copy.h"

/* The operation below, the number of pages done above. */
#define CMD_BITS 8
#define CMD_MASK ((1U << CMD_BITS) - 1)

static long op_layout(struct domain *d, struct guest_ptr arg)
{
    return copy_to_guest(arg, &d->space->layout, sizeof(struct light_layout));
}

/* The next quantum of @count pages, @done of which are done. */
static uint64_t next_count(uint64_t count, uint64_t done)
{
    return count - done < LIGHT_QUANTUM ? count - done : LIGHT_QUANTUM;
}

static long range_done(uint64_t cmd, uint64_t count, uint64_t done)
{
    if (done == count)
        return 0;
    hypercall_set_arg(1, (cmd & CMD_MASK) | done << CMD_BITS);
    return hypercall_continue();
}

/* All of it must be RAM before the first quantum is done. */
static bool range_is_ram(const struct domain *d, uint64_t first, uint64_t count)
{
    uint64_t ram_pages = d->space->layout.ram_pages;

    return first <= ram_pages && count <= ram_pages - first;
}

static long op_protect(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    uint64_t done = cmd >> CMD_BITS, count;
    struct light_protect op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (done > op.count || !range_is_ram(d, op.gfn, op.count))
        return -EINVAL;
    count = next_count(op.count, done);
    rc = light_protect(d->space, gfn(op.gfn + done), count, op.prot, false);
    return rc ? rc : range_done(cmd, op.count, done + count);
}

static long op_discard(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    uint64_t done = cmd >> CMD_BITS, count;
    struct light_discard op;
    int rc;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -EFAULT;
    if (done > op.count || !range_is_ram(d, op.gfn, op.count))
        return -EINVAL;
    count = next_count(op.count, done);
    rc = light_discard(d->space, gfn(op.gfn + done), count);
    return rc ? rc : range_done(cmd, op.count, done + count);
}

long hypercall_light_op(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                        uint64_t a5)
{
    struct domain *d = current->domain;
    struct guest_ptr arg = guest_ptr(a2);

    (void)a3, (void)a4, (void)a5;

    switch (a1 & CMD_MASK) {
    case LIGHT_OP_layout:
        return op_layout(d, arg);
    case LIGHT_OP_protect:
        return op_protect(d, a1, arg);
    case LIGHT_OP_discard:
        return op_discard(d, a1, arg);
    default:
        return -ENOSYS;
    }
}
