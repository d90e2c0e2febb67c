/* SPDX-License-Identifier: BSD-2-Clause */
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

#pragma once

#include "memory/light_near.h"

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

/* A frame that has no other type gets a reference of @type. */
void light_type_frame(struct frame *f, enum frame_type type);
