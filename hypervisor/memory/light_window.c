/* SPDX-License-Identifier: BSD-2-Clause */
/* The windows of a light space: pages that are not the domain's own RAM. */

#include "memory/light_near.h"

/* Fill an empty leaf; it was absent, so no CPU has to forget anything. */
static __in_place int leaf_install(struct light_space *s, uint64_t page,
                                   mfn_t m, uint64_t flags, bool writable)
{
    uint64_t *leaf;

    flags |= LEAF_COMMON | PTE_NX | (writable ? LEAF_WRITE : 0);
    SPIN_GUARD(&s->base.lock);
    if (unlikely(s->dying))
        return -EINVAL;
    leaf = light_leaf(s, page, true);
    if (unlikely(*leaf))
        return -EBUSY;
    atomic_write(leaf, pte_make(m, flags));
    return 0;
}

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

/*
 * The gfn of a page of the grant window; false: @va is none.  Pages below the
 * space come out as larger ones than it has.
 */
static bool grant_page(const struct light_space *s, vaddr_t va, uint64_t *page)
{
    *page = (va - s->layout.virt_base) >> PAGE_SHIFT;
    return !(va & ~PAGE_MASK) &&
           in_window(*page, s->layout.grant_gfn, s->layout.grant_pages);
}

int light_map_granted(struct light_space *s, vaddr_t va, mfn_t m, bool writable)
{
    uint64_t page;

    if (!grant_page(s, va, &page))
        return -EINVAL;
    return leaf_install(s, page, m, LEAF_GRANTED, writable);
}

int light_unmap_granted(struct light_space *s, vaddr_t va, mfn_t m,
                        struct tlb_batch *batch)
{
    uint64_t *leaf, page;
    int rc = -EINVAL;

    if (!grant_page(s, va, &page))
        return -EINVAL;

    spin_lock(&s->base.lock);
    leaf = light_leaf(s, page, false);
    if (leaf && *leaf & PTE_PRESENT &&
        (*leaf & LEAF_SOFT_MASK) == LEAF_GRANTED && mfn_eq(pte_mfn(*leaf), m)) {
        (void)atomic_exchange(leaf, 0);
        rc = 0;
    }
    spin_unlock(&s->base.lock);
    if (!rc)
        tlb_batch_add(batch, va);
    return rc;
}
