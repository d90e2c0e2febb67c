/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The array mfn -> pfn at M2P_BASE, which every kernel of class pv may read. It
 * is for guests only: they can change what it says of their own frames, so the
 * hypervisor never decides anything by it.
 *
 * Start-up makes it (boot/memory.c), all of it invalid; where there is no RAM
 * at all, there is no page of it.  M2P_OWN_BASE is where we write it.  L4 slot
 * 256 lets only ring 0 in as hv_l4_slots() has it; an L4 table that a kernel
 * was given as its base has PTE_USER there (pv_set_kernel_base()).
 */

#pragma once

#include "arch/x86_64/address_map.h"

#define M2P_INVALID (~0UL)

/* @m is RAM. */
#ifdef UNIT_TEST
void m2p_set(mfn_t m, uint64_t pfn);
uint64_t m2p_get(mfn_t m);
#else
static inline void m2p_set(mfn_t m, uint64_t pfn)
{
    atomic_write(&((uint64_t *)M2P_OWN_BASE)[m.raw], pfn);
}

static inline uint64_t m2p_get(mfn_t m)
{
    return atomic_read(&((uint64_t *)M2P_OWN_BASE)[m.raw]);
}
#endif
