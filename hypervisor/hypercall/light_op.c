/* SPDX-License-Identifier: BSD-2-Clause */
/* light_op: what a light domain may ask about its own memory. */

#include "hypercall/hypercall.h"
#include "memory/light.h"

/* The operation below, the number of pages done above. */
#define CMD_BITS 8
#define CMD_MASK ((1U << CMD_BITS) - 1)

/* Both arguments begin with the range, all of which must be RAM. */
static_assert(offsetof(struct light_protect, gfn) ==
                      offsetof(struct light_discard, gfn) &&
                  offsetof(struct light_protect, count) ==
                      offsetof(struct light_discard, count),
              "one is read as the other");

/* A quantum of the range, behind what the upper part of @cmd says is done. */
static long op_range(struct domain *d, uint64_t cmd, struct guest_ptr arg)
{
    bool protect = (cmd & CMD_MASK) == LIGHT_OP_protect;
    uint64_t done = cmd >> CMD_BITS, ram_pages = d->space->layout.ram_pages;
    struct light_protect op = {.prot = 0};
    uint64_t first, count;
    int rc;

    rc = protect ? copy_from_guest(&op, arg, sizeof(op))
                 : copy_from_guest(&op, arg, sizeof(struct light_discard));
    if (rc)
        return rc;
    if (done > op.count || op.gfn > ram_pages || op.count > ram_pages - op.gfn)
        return -EINVAL;

    first = op.gfn + done;
    count = MIN(op.count - done, LIGHT_QUANTUM);
    if (protect)
        rc = light_protect(d->space, gfn(first), count, op.prot, false);
    else
        (void)light_discard(d->space, &first, 1, count, &rc);
    done += count;
    if (rc || done == op.count)
        return rc;
    hypercall_set_arg(1, (cmd & CMD_MASK) | done << CMD_BITS);
    return hypercall_continue();
}

long hypercall_light_op(uint64_t a1, uint64_t a2)
{
    struct domain *d = current->domain;
    struct guest_ptr arg = guest_ptr(a2);

    if (d->pv)
        return -ENOSYS;
    switch (a1 & CMD_MASK) {
    case LIGHT_OP_layout:
        return copy_to_guest(arg, &d->space->layout, sizeof(d->space->layout));
    case LIGHT_OP_protect:
    case LIGHT_OP_discard:
        return op_range(d, a1, arg);
    default:
        return -ENOSYS;
    }
}
