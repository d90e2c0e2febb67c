/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing the running guest's memory: for the hypercall and control
 * rooms, and for the frames that a bounce or an iret moves.
 *
 * A guest address is a struct guest_ptr until it goes through here; it cannot
 * be dereferenced by mistake, and no room below this one ever sees it.
 *
 * A fault on a page that is merely not populated yet is resolved and the copy
 * goes on.  When that finds no memory the copy fails with -EFAULT and
 * current->wants_memory is set: the way out of the hypervisor then lets the
 * guest repeat the call once there is memory again.  No lock may be held by
 * the caller.
 */

#ifndef PV_GUEST_COPY_H
#define PV_GUEST_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/compiler.h"

struct guest_ptr {
    uint64_t va;
};

static inline struct guest_ptr guest_ptr(uint64_t va)
{
    return (struct guest_ptr){va};
}

/* Element @index of an array of @size-byte elements; checked when copied. */
static inline struct guest_ptr guest_ptr_at(struct guest_ptr base,
                                            uint64_t index, size_t size)
{
    uint64_t offset, va;

    if (__builtin_mul_overflow(index, size, &offset) ||
        __builtin_add_overflow(base.va, offset, &va))
        return (struct guest_ptr){~0ULL}; /* no guest's address */
    return (struct guest_ptr){va};
}

/*
 * Copy in once: the caller checks and uses the copy, never the original,
 * because another vcpu of the guest may be changing it.  0 or -EFAULT.
 */
int __must_check copy_from_guest(void *dst, struct guest_ptr src, size_t size);
int __must_check copy_to_guest(struct guest_ptr dst, const void *src,
                               size_t size);

#endif /* PV_GUEST_COPY_H */
