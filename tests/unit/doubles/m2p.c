/* SPDX-License-Identifier: BSD-2-Clause */
/* The array mfn to pfn of class pv, for few frames. */

#include "memory/m2p.h"

#include <stdlib.h>

#define FRAMES 65536U

static uint64_t pfns[FRAMES];

void m2p_set(mfn_t m, uint64_t pfn)
{
    if (m.raw >= FRAMES)
        abort();
    pfns[m.raw] = pfn;
}

uint64_t m2p_get(mfn_t m)
{
    return m.raw < FRAMES ? pfns[m.raw] : M2P_INVALID;
}
