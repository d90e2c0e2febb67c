/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls whose second argument points to a structure that the first one, the
 * sub-operation, chooses: fetch it once, make the operation, give it back.
 *
 * A call has a list of its sub-operations, with a line of
 *
 *     OP(number, structure, whether it is given back, what makes it)
 *
 * for each.  In the last, v is whom it is about, d its domain, and op the
 * structure, fetched; -EAGAIN: the call goes on, with what is then in it.
 */

#pragma once

#include "hypercall/hypercall.h"

/* Of the largest structure. */
#define SUBOP_BYTES_MAX 32U

/* Size 0: there is no such sub-operation. */
struct subop {
    uint8_t size;
    bool back; /* it has fields that the guest is to see */
};

typedef long subop_fn(struct vcpu *v, uint64_t cmd, void *arg);

#define SUBOP_ENTRY(number, type, back, call)                                  \
    [number] = {sizeof(struct type), back},
#define SUBOP_CASE(number, type, back, call)                                   \
    case number: {                                                             \
        struct type *op = arg;                                                 \
        static_assert(sizeof(struct type) <= SUBOP_BYTES_MAX, "room for it");  \
        (void)op;                                                              \
        return call;                                                           \
    }

/* A call that was made ends with @rc: what @op holds is the guest's. */
static __in_place long subop_end(struct guest_ptr arg, const void *op,
                                 size_t size, long rc)
{
    if (rc && rc != -EAGAIN)
        return rc;
    if (size && copy_bytes_to_guest(arg, op, size))
        return -EFAULT;
    return rc ? hypercall_continue() : 0;
}

/*
 * Sub-operation @cmd of the @count in @table.  -ENOSYS, -EFAULT, or what @make
 * says.  In place, so that @make is called by its name and no guest's number
 * chooses where an indirect branch goes.
 */
static __in_place long subop_call(const struct subop *table, uint64_t count,
                                  struct vcpu *v, uint64_t cmd,
                                  struct guest_ptr arg, subop_fn *make)
{
    uint64_t op[SUBOP_BYTES_MAX / sizeof(uint64_t)];
    struct subop s;

    if (cmd >= count)
        return -ENOSYS;
    s = table[index_nospec(cmd, count)];
    if (s.size == 0)
        return -ENOSYS;
    if (copy_bytes_from_guest(op, arg, s.size))
        return -EFAULT;
    return subop_end(arg, op, s.back ? s.size : 0, make(v, cmd, op));
}

/*
 * Of a list: the table subops[], the function make(), and call_subop(), apart
 * so that other calls do not pay for what it keeps in registers.
 */
#define SUBOPS(list)                                                           \
    static const struct subop subops[] = {list(SUBOP_ENTRY)};                  \
    static long make(struct vcpu *v, uint64_t cmd, void *arg)                  \
    {                                                                          \
        struct domain *d = v->domain;                                          \
                                                                               \
        (void)d;                                                               \
        switch (cmd) {                                                         \
            list(SUBOP_CASE)                                                   \
        }                                                                      \
        return -ENOSYS;                                                        \
    }                                                                          \
    static __noinline long call_subop(struct vcpu *v, uint64_t cmd,            \
                                      struct guest_ptr arg)                    \
    {                                                                          \
        return subop_call(subops, ARRAY_SIZE(subops), v, cmd, arg, make);      \
    }
