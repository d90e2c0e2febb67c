/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory below 4 GiB while boot.S's tables are loaded: RAM or not, all of it
 * can be read, such as what firmware and boot loader left there.
 */

#pragma once

#include "arch/x86_64/address_map.h"

/* The @bytes at @maddr; NULL if they do not lie below 4 GiB. */
#ifdef UNIT_TEST
const void *early_memory(uint64_t maddr, uint64_t bytes);
#else
static inline const void *early_memory(uint64_t maddr, uint64_t bytes)
{
    if (maddr >= EARLY_MAP_SIZE || bytes > EARLY_MAP_SIZE - maddr)
        return NULL;
    return (const void *)(DIRECT_MAP_BASE + maddr);
}
#endif
