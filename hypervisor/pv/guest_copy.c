/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying from and to the running guest, any number of bytes by string
 * instructions.
 */

#include "pv/guest_copy.h"

bool guest_range(uint64_t va, size_t size)
{
    uint64_t end;

    if (__builtin_add_overflow(va, size, &end))
        return false;
    return end <= GUEST_LOWER_END || va >= HV_VIRT_END;
}

static uint64_t masked(struct guest_ptr p)
{
    return guest_address_nospec(p.va, GUEST_LOWER_END, HV_VIRT_END);
}

/* One of the two is at @guest. */
static __in_place int copy(uint64_t dst, uint64_t src, struct guest_ptr guest,
                           size_t size)
{
    bool ok;

    if (!guest_range(guest.va, size))
        return -EFAULT;
    guest_access_begin();
    ok = guest_string_copy(dst, src, size);
    guest_access_end();
    return ok ? 0 : -EFAULT;
}

int copy_bytes_from_guest(void *dst, struct guest_ptr src, size_t size)
{
    return copy((uintptr_t)dst, masked(src), src, size);
}

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    return copy(masked(dst), (uintptr_t)src, dst, size);
}
