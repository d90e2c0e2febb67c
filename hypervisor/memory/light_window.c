/* SPDX-License-Identifier: BSD-2-Clause */
/* The windows of a light space: pages that are not the domain's own RAM. */

#include "memory/light_near.h"

int light_map_special(struct light_space *s, gfn_t g, mfn_t m, bool writable)
{
    if (!in_window(g.raw, s->layout.special_gfn, LIGHT_SPECIAL_PAGES) &&
        !in_window(g.raw, s->layout.module_gfn, s->layout.module_pages))
        return -EINVAL;
    return leaf_install(s, g.raw, m, LEAF_SPECIAL, writable);
}

/*
 * A device's page must not be RAM: an uncached alias of it would break both
 * ownership and coherence.
 */
int light_map_mmio(struct light_space *s, gfn_t g, mfn_t m)
{
    if (!in_window(g.raw, s->layout.mmio_gfn, s->layout.mmio_pages) ||
        mfn_is_ram(m))
        return -EINVAL;
    return leaf_install(s, g.raw, m, LEAF_MMIO | PTE_UNCACHED, true);
}
