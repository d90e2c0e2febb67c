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

#pragma once

#include "arch/x86_64/guest_copy.h"

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

/* Whether all of the range is in one of the parts that guests own. */
bool guest_range(uint64_t va, size_t size);

/* Any size, any address: what the two below do out of line. */
int __must_check copy_bytes_from_guest(void *dst, struct guest_ptr src,
                                       size_t size);
int __must_check copy_bytes_to_guest(struct guest_ptr dst, const void *src,
                                     size_t size);

/*
 * Sizes of which the compiler makes single moves, in place.  In unit tests, but
 * that of these functions, all goes out of line: doubles/guest_words.h.
 */
#define GUEST_COPY_WORDS 9U /* the frame of iret */
#define GUEST_WORD       sizeof(uint64_t)
#ifndef guest_copy_inline
#define guest_copy_inline(size)                                                \
    (__builtin_constant_p(size) &&                                             \
     ((size) == sizeof(uint32_t) ||                                            \
      ((size) % GUEST_WORD == 0 && (size) <= GUEST_COPY_WORDS * GUEST_WORD)))
#endif

/* End of the lower half of canonical addresses, where light guests are. */
#define GUEST_LOWER_END (1UL << 47)

/* Up to this many moves in place of a loop: all that there can be. */
#define UNROLL _Pragma("GCC unroll 9")

static __in_place bool guest_load_words(void *dst, uint64_t va, size_t size)
{
    uint64_t value;
    bool ok = true;

    guest_access_begin();
    if (size == sizeof(uint32_t))
        ok = guest_load32(va, dst);
    else
        UNROLL for (size_t at = 0; at < size; at += GUEST_WORD)
        {
            ok = guest_load(va + at, &value);
            if (!ok)
                break;
            __builtin_memcpy((char *)dst + at, &value, sizeof(value));
        }
    guest_access_end();
    return ok;
}

static __in_place bool guest_store_words(uint64_t va, const void *src,
                                         size_t size)
{
    uint64_t value;
    bool ok = true;

    guest_access_begin();
    if (size == sizeof(uint32_t))
        ok = guest_store32(va, *(const uint32_t *)src);
    else
        UNROLL for (size_t at = 0; at < size; at += GUEST_WORD)
        {
            __builtin_memcpy(&value, (const char *)src + at, sizeof(value));
            ok = guest_store(va + at, value);
            if (!ok)
                break;
        }
    guest_access_end();
    return ok;
}

/*
 * Copy in once: the caller checks and uses the copy, never the original,
 * because another vcpu of the guest may be changing it.  0 or -EFAULT.
 */
static __in_place int __must_check copy_from_guest(void *dst,
                                                   struct guest_ptr src,
                                                   size_t size)
{
    if (guest_copy_inline(size))
        return guest_load_words(dst, guest_address(src.va), size) ? 0 : -EFAULT;
    return copy_bytes_from_guest(dst, src, size);
}

static __in_place int __must_check copy_to_guest(struct guest_ptr dst,
                                                 const void *src, size_t size)
{
    if (guest_copy_inline(size))
        return guest_store_words(guest_address(dst.va), src, size) ? 0
                                                                   : -EFAULT;
    return copy_bytes_to_guest(dst, src, size);
}
