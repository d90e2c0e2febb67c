/* SPDX-License-Identifier: BSD-2-Clause */
/* The window onto all RAM; arch/x86_64/address_map.h says where. */

#pragma once

#include "arch/x86_64/address_map.h"

#ifdef UNIT_TEST
void *mfn_to_virt(mfn_t m);
mfn_t virt_to_mfn(const void *p);
#else
static inline void *mfn_to_virt(mfn_t m)
{
    return (void *)(DIRECT_MAP_BASE + (m.raw << PAGE_SHIFT));
}

/* @p must lie in the direct map. */
static inline mfn_t virt_to_mfn(const void *p)
{
    return mfn(((uintptr_t)p - DIRECT_MAP_BASE) >> PAGE_SHIFT);
}
#endif

/*
 * Map @size bytes of device memory at @maddr for the hypervisor itself,
 * uncached; never undone.  NULL when the window is full.
 */
volatile void *device_map(maddr_t maddr, uint64_t size);
