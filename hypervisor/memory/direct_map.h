/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's address map, and the window onto all RAM.
 *
 * L4 slots 256-271 belong to the hypervisor in every address space, with the
 * same contents; docs/memory-layout.md has the table.
 */

#ifndef MEMORY_DIRECT_MAP_H
#define MEMORY_DIRECT_MAP_H

#include <stdint.h>

#include "lib/frame_number.h"

#define HV_L4_FIRST 256U /* 0xffff800000000000: M2P, class pv */
#define HV_L4_COUNT 16U

#define FRAME_TABLE_BASE 0xffff810000000000UL /* slot 258 */
#define IMAGE_BASE       0xffff820000000000UL /* slot 260: text and data */
#define CPU_AREAS_BASE   0xffff820040000000UL /* IMAGE_BASE + 1 GiB */
#define DEVICE_MAP_BASE  0xffff820080000000UL /* + 2 GiB: mapped device pages  \
                                               */
#define DEVICE_MAP_SIZE 0x0000000040000000UL
#define DIRECT_MAP_BASE 0xffff830000000000UL /* slot 262: all RAM, no execute  \
                                              */
#define DIRECT_MAP_SIZE 0x0000010000000000UL /* 1 TiB */

/* Guests own what is below and above; a guest address is refused elsewhere. */
#define HV_VIRT_START 0xffff800000000000UL
#define HV_VIRT_END   0xffff880000000000UL

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

#endif /* MEMORY_DIRECT_MAP_H */
