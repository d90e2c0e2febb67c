/* SPDX-License-Identifier: BSD-2-Clause */
/* The window in which the hypervisor maps device memory for itself. */

#include "arch/x86_64/paging.h"
#include "core/lock.h"
#include "memory/frame.h"

static struct spinlock device_map_lock = SPINLOCK_INIT(LOCK_space);
static vaddr_t next = DEVICE_MAP_BASE;

/* An address that lets large pages be used where @maddr does. */
static vaddr_t place(maddr_t maddr, uint64_t size)
{
    uint64_t large = (1UL << PT_SHIFT_L2) - 1;

    if (size <= large)
        return next;
    return ((next + large) & ~large) + (maddr & large);
}

volatile void *device_map(maddr_t maddr, uint64_t size)
{
    uint64_t offset = maddr & (PAGE_SIZE - 1);
    vaddr_t va;
    bool mapped = false;

    maddr -= offset;
    size = (offset + size + PAGE_SIZE - 1) & PAGE_MASK;
    spin_lock(&device_map_lock);
    va = place(maddr, size);
    if (size <= DEVICE_MAP_SIZE &&
        va - DEVICE_MAP_BASE <= DEVICE_MAP_SIZE - size) {
        next = va + size; /* also after a failure: a part may be mapped */
        mapped = hv_map(va, maddr, size,
                        PTE_WRITE | PTE_NX | PTE_GLOBAL | PTE_UNCACHED);
    }
    spin_unlock(&device_map_lock);
    return mapped ? (volatile char *)va + offset : NULL;
}
