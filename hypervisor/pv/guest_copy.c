/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying from and to the running guest.
 *
 * What hypercalls copy is mostly a structure of a few words: those are moved
 * one by one, anything else by string instructions.
 */

#include "pv/guest_copy.h"

#include "arch/x86_64/guest_access.h"
#include "arch/x86_64/guest_copy.h"
#include "lib/errno.h"
#include "memory/direct_map.h"

#define WORD sizeof(uint64_t)

/* End of the lower half of canonical addresses. */
#define LOWER_END (1UL << 47)

/* Whether all of the range is in one of the parts that guests own. */
static bool range_is_guests(uint64_t va, size_t size)
{
    uint64_t end;

    if (__builtin_add_overflow(va, size, &end))
        return false;
    return end <= LOWER_END || va >= HV_VIRT_END;
}

static bool load_word(void *dst, uint64_t va, unsigned int n)
{
    uint64_t value;

    if (!guest_load(va + n * WORD, &value))
        return false;
    __builtin_memcpy((char *)dst + n * WORD, &value, WORD);
    return true;
}

static bool store_word(uint64_t va, const void *src, unsigned int n)
{
    uint64_t value;

    __builtin_memcpy(&value, (const char *)src + n * WORD, WORD);
    return guest_store(va + n * WORD, value);
}

static bool copy_in(void *dst, uint64_t va, size_t size)
{
    switch (size) {
    case 5 * WORD:
        return load_word(dst, va, 0) && load_word(dst, va, 1) &&
               load_word(dst, va, 2) && load_word(dst, va, 3) &&
               load_word(dst, va, 4);
    case 4 * WORD:
        return load_word(dst, va, 0) && load_word(dst, va, 1) &&
               load_word(dst, va, 2) && load_word(dst, va, 3);
    case 3 * WORD:
        return load_word(dst, va, 0) && load_word(dst, va, 1) &&
               load_word(dst, va, 2);
    case 2 * WORD:
        return load_word(dst, va, 0) && load_word(dst, va, 1);
    case WORD:
        return load_word(dst, va, 0);
    default:
        return guest_string_copy((uintptr_t)dst, va, size);
    }
}

static bool copy_out(uint64_t va, const void *src, size_t size)
{
    switch (size) {
    case 4 * WORD:
        return store_word(va, src, 0) && store_word(va, src, 1) &&
               store_word(va, src, 2) && store_word(va, src, 3);
    case 3 * WORD:
        return store_word(va, src, 0) && store_word(va, src, 1) &&
               store_word(va, src, 2);
    case 2 * WORD:
        return store_word(va, src, 0) && store_word(va, src, 1);
    case WORD:
        return store_word(va, src, 0);
    default:
        return guest_string_copy(va, (uintptr_t)src, size);
    }
}

int copy_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    bool ok;

    if (!range_is_guests(src.va, size))
        return -EFAULT;
    guest_access_begin();
    ok = copy_in(dst, guest_address_nospec(src.va, LOWER_END, HV_VIRT_END),
                 size);
    guest_access_end();
    return ok ? 0 : -EFAULT;
}

int copy_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    bool ok;

    if (!range_is_guests(dst.va, size))
        return -EFAULT;
    guest_access_begin();
    ok = copy_out(guest_address_nospec(dst.va, LOWER_END, HV_VIRT_END), src,
                  size);
    guest_access_end();
    return ok ? 0 : -EFAULT;
}
