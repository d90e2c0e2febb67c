/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The array mfn -> pfn at M2P_BASE, which every guest of class pv may read
 * (ABI 2.6).  It is for guests only: they can change what it says of their own
 * frames, so the hypervisor never decides anything by it.
 */

#ifndef MEMORY_M2P_H
#define MEMORY_M2P_H

#include "arch/x86_64/address_map.h"

#define M2P_INVALID (~0UL)

/*
 * Make it for all RAM up to the highest frame, all of it invalid; once, at
 * start-up, before any domain of class pv.  Frames without RAM have no page.
 */
void m2p_init(void);

/* @m is RAM. */
void m2p_set(mfn_t m, uint64_t pfn);
uint64_t m2p_get(mfn_t m);

#endif /* MEMORY_M2P_H */
