/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls whose second argument points to a structure that the first one, the
 * sub-operation, chooses: fetch it once, make the operation, give it back.
 *
 * A call has a table of its sub-operations, a union of their structures, and a
 * function that switches over the number.
 */

#ifndef HYPERCALL_SUBOP_H
#define HYPERCALL_SUBOP_H

#include <stdbool.h>
#include <stddef.h>

#include "hypercall/hypercall.h"

/* Size 0: there is no such sub-operation. */
struct subop {
    uint8_t size;
    bool back; /* it has fields that the guest is to see */
};

#define SUBOP(type)                                                            \
    {                                                                          \
        sizeof(type), false                                                    \
    }
#define SUBOP_BACK(type)                                                       \
    {                                                                          \
        sizeof(type), true                                                     \
    }

/* @op: the union, fetched.  -EAGAIN: the call goes on, with what is in @op. */
typedef long subop_fn(struct domain *d, uint64_t cmd, void *op);

/*
 * Sub-operation @cmd of the @count in @table.  -ENOSYS, -EFAULT, or what @make
 * says.  In place, so that @make is called by its name and no guest's number
 * chooses where an indirect branch goes.
 */
static __in_place long subop_call(const struct subop *table, uint64_t count,
                                  uint64_t cmd, struct guest_ptr arg, void *op,
                                  subop_fn *make)
{
    struct subop s;
    long rc;

    if (cmd >= count)
        return -ENOSYS;
    s = table[index_nospec(cmd, count)];
    if (s.size == 0)
        return -ENOSYS;
    if (copy_bytes_from_guest(op, arg, s.size))
        return -EFAULT;
    rc = make(current->domain, cmd, op);
    if (rc && rc != -EAGAIN)
        return rc;
    if (s.back && copy_bytes_to_guest(arg, op, s.size))
        return -EFAULT;
    return rc ? hypercall_continue() : 0;
}

#endif /* HYPERCALL_SUBOP_H */
