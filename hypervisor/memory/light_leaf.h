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

#ifndef MEMORY_LIGHT_LEAF_H
#define MEMORY_LIGHT_LEAF_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/light.h>

#include "arch/x86_64/paging.h"
#include "lib/compiler.h"
#include "lib/frame_number.h"
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
uint64_t *light_leaf_walk(struct light_space *s, uint64_t page);

/* The leaf, wherever it is.  NULL: there is no table for it yet. */
static inline uint64_t *light_leaf(struct light_space *s, uint64_t page)
{
    uint64_t *leaf = light_leaf_near(s, page);

    return likely(leaf != NULL) ? leaf : light_leaf_walk(s, page);
}

/* The same, with the tables made out of the promise: it cannot fail. */
uint64_t *light_leaf_make(struct light_space *s, uint64_t page);

/* Tables that the layout can ever need, the root among them. */
uint64_t light_tables_needed(const struct light_space *s);

/* Make the root, with the hypervisor's slots in it, and the first L2 table. */
void light_root_make(struct light_space *s);

/* The first page behind the largest table that @page, without a leaf, lacks. */
uint64_t light_skip_tables(struct light_space *s, uint64_t page);

/* Free the tables that only mapped pages up to @page, going on at @next. */
void light_tables_leave(struct light_space *s, uint64_t page, uint64_t next);

/* Free the root, when all others are gone. */
void light_root_free(struct light_space *s);

/* Give the demand-zero page at @leaf a frame.  -ENOMEM. */
int __must_check light_populate(struct light_space *s, uint64_t *leaf);

#endif /* MEMORY_LIGHT_LEAF_H */
