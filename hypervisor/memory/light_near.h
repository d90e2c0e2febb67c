/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way to a page of a light space: it calls nothing, so that what is
 * built on it (grants, copies) is short, too.  Whatever is not usual it leaves
 * to light_get_frame().
 */

#pragma once

#include "arch/x86_64/paging.h"
#include "memory/light.h"

/* The software bits of a leaf; what they mean is said below. */
#define LEAF_SOFT(n)   ((uint64_t)(n) << PTE_SOFT_LOW_SHIFT)
#define LEAF_SOFT_MASK LEAF_SOFT(3)

/* The table that a present entry points to. */
static __in_place uint64_t *table_of_entry(uint64_t entry)
{
    return mfn_to_virt(pte_mfn(entry));
}

/*
 * The leaf of page @page, any number, if it is in the gigabyte of the first L2
 * table, as most are.  False: it is not, or there is no table yet.
 */
static __in_place bool light_leaf_near(const struct light_space *s,
                                       uint64_t page, uint64_t **leaf)
{
    uint64_t number = s->first_leaf + page, entry;

    if (unlikely(page >= s->near_pages))
        return false;
    /* Indices into whole tables: in speculation, too, they stay inside. */
    entry = atomic_read(&s->first_l2[number / PT_ENTRIES % PT_ENTRIES]);
    if (unlikely(!(entry & PTE_PRESENT)))
        return false;
    *leaf = &table_of_entry(entry)[number % PT_ENTRIES];
    return true;
}

/*
 * Whether @va is in a page that the guest made a guard.  No lock: it was one
 * when it was looked at.
 */
static __in_place bool light_near_is_guard(const struct light_space *s,
                                           vaddr_t va)
{
    const uint64_t guard = LEAF_SOFT(LIGHT_PROT_guard ^ LIGHT_PROT_read_write);
    uint64_t entry;

    if (unlikely((va - s->layout.virt_base) >> PAGE_SHIFT >= s->near_pages))
        return false;
    entry = atomic_read(&s->first_l2[pt_index(va, 2)]);
    return entry & PTE_PRESENT &&
           likely(atomic_read(&table_of_entry(entry)[pt_index(va, 1)]) ==
                  guard);
}

/*
 * light_get_frame() of a page that is there already, with the right to write
 * if @write.  False: it is not, or the lock is taken: nothing has changed.
 */
static __in_place bool __must_check light_near_frame(struct light_space *s,
                                                     uint64_t g, bool write,
                                                     mfn_t *m)
{
    uint64_t needed = write ? PTE_PRESENT | PTE_WRITE : PTE_PRESENT;
    uint64_t *at = NULL, leaf = 0;
    bool found = false;

    if (unlikely(!spin_try_lock(&s->base.lock)))
        return false;

    /* A dying space has no tables, perhaps. */
    if (likely(!s->dying) && light_leaf_near(s, g, &at))
        leaf = atomic_read(at);
    /* Only pages of RAM are private. */
    if (likely((leaf & (needed | LEAF_SOFT_MASK)) == needed)) {
        uint32_t *refs = &mfn_to_frame(pte_mfn(leaf))->refs;

        *m = pte_mfn(leaf);
        /* The leaf's own reference keeps it from being the first. */
        found = likely(atomic_read(refs) < FRAME_REFS_MAX);
        if (found)
            (void)atomic_add(refs, 1);
    }
    spin_unlock(&s->base.lock);
    return found;
}

/*
 * The entries of a light space's L1 tables, for the files of this room.
 *
 *                    present         software bits say
 *     private        yes             LEAF_PRIVATE
 *     granted        yes             LEAF_GRANTED
 *     special        yes             LEAF_SPECIAL; in RAM, too
 *     mmio           yes             LEAF_MMIO
 *     demand-zero    no, in RAM      the protection to come; all 0: read-write
 *     guard          no, in RAM      LIGHT_PROT_guard
 *     hole           no, elsewhere   0
 */

#define LEAF_PRIVATE LEAF_SOFT(0)
#define LEAF_GRANTED LEAF_SOFT(1)
#define LEAF_SPECIAL LEAF_SOFT(2)
#define LEAF_MMIO    LEAF_SOFT(3)

/* A and D are set from the start: the processor need not write them later. */
#define LEAF_COMMON (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#define LEAF_WRITE  (PTE_WRITE | PTE_DIRTY)

/* A present leaf that is not the domain's own page. */
static inline bool leaf_is_foreign(uint64_t leaf)
{
    return leaf & PTE_PRESENT && (leaf & LEAF_SOFT_MASK) != LEAF_PRIVATE;
}

/* Protections of an absent leaf: 0 is read-write, as in a fresh table. */
static inline uint64_t leaf_absent(uint32_t prot)
{
    return LEAF_SOFT(prot ^ LIGHT_PROT_read_write);
}

/* What the page at a present or absent RAM leaf may be used for. */
static inline uint32_t leaf_prot(uint64_t leaf)
{
    if (!(leaf & PTE_PRESENT))
        return (uint32_t)((leaf & LEAF_SOFT_MASK) >> PTE_SOFT_LOW_SHIFT) ^
               LIGHT_PROT_read_write;
    if (leaf & PTE_WRITE)
        return LIGHT_PROT_read_write;
    return leaf & PTE_NX ? LIGHT_PROT_read : LIGHT_PROT_execute;
}

/* W^X: the only place that leaves out NX leaves out WRITE, too. */
static inline uint64_t leaf_private(mfn_t m, uint32_t prot)
{
    uint64_t leaf = pte_make(m, LEAF_COMMON | LEAF_PRIVATE);

    if (prot == LIGHT_PROT_execute)
        return leaf;
    return leaf | PTE_NX | (prot == LIGHT_PROT_read_write ? LEAF_WRITE : 0);
}

/* light_leaf() from the root on. */
uint64_t *light_leaf_walk(struct light_space *s, uint64_t page, bool make);

/*
 * The leaf, wherever it is.  NULL: there is no table for it yet; with @make it
 * is made out of the promise: that cannot fail.
 */
static inline uint64_t *light_leaf(struct light_space *s, uint64_t page,
                                   bool make)
{
    uint64_t *leaf = NULL;

    if (likely(light_leaf_near(s, page, &leaf)))
        return leaf;
    return light_leaf_walk(s, page, make);
}

static inline bool in_window(uint64_t page, uint64_t first, uint64_t count)
{
    return page >= first && page - first < count;
}

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

/*
 * The gfn of a page of the grant window; false: @va is none.  Pages below the
 * space come out as larger ones than it has.
 */
static __in_place bool grant_page(const struct light_space *s, vaddr_t va,
                                  uint64_t *page)
{
    *page = (va - s->layout.virt_base) >> PAGE_SHIFT;
    return !(va & ~PAGE_MASK) &&
           in_window(*page, s->layout.grant_gfn, s->layout.grant_pages);
}

/*
 * Install a granted frame at @va of the grant window.  The caller holds a
 * reference to it, and one of type FRAME_WRITABLE to write, until it is
 * unmapped and flushed.  -EINVAL: @va is no page of the window; -EBUSY:
 * something is there.
 */
static __in_place int light_map_granted(struct light_space *s, vaddr_t va,
                                        mfn_t m, bool writable)
{
    uint64_t page;

    if (!grant_page(s, va, &page))
        return -EINVAL;
    return leaf_install(s, page, m, LEAF_GRANTED, writable);
}

/*
 * Remove it again.  The frame may be let go only after tlb_batch_flush(@batch).
 * -EINVAL: @va does not map @m so.
 */
static __in_place int light_unmap_granted(struct light_space *s, vaddr_t va,
                                          mfn_t m, struct tlb_batch *batch)
{
    const uint64_t looked_at = PTE_MADDR_MASK | PTE_PRESENT | LEAF_SOFT_MASK;
    uint64_t *leaf, page;

    if (!grant_page(s, va, &page))
        return -EINVAL;
    SPIN_GUARD(&s->base.lock);
    leaf = light_leaf(s, page, false);
    if (unlikely(!leaf) ||
        (*leaf & looked_at) != pte_make(m, PTE_PRESENT | LEAF_GRANTED))
        return -EINVAL;
    (void)atomic_exchange(leaf, 0);
    tlb_batch_add(batch, va);
    return 0;
}

/* A frame that has no other type gets a reference of @type. */
void light_type_frame(struct frame *f, enum frame_type type);
