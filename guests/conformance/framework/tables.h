/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables of a guest of class pv, on Cairn and on Xen: what it has, what
 * it makes of its own pages, and the hypercalls that change them.
 *
 * An image gives its pages by tables_use(), and tables_reset() before each
 * case takes back whatever a case has made of them.
 */

#ifndef FRAMEWORK_TABLES_H
#define FRAMEWORK_TABLES_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/mmu.h>
#include <abi/paging.h>

#define PTE_PWT    0x008ULL
#define PTE_PCD    0x010ULL
#define PTE_PSE    0x080ULL /* level 1: PAT */
#define PTE_GLOBAL 0x100ULL
#define PTE_KERNEL (1ULL << 52)

#define TABLE_ENTRIES 512U

/* An entry that refers to a table, one that maps read-only, and writable. */
#define TO_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define TO_READ  (PTE_PRESENT | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define TO_WRITE (TO_READ | PTE_WRITE)

/* The hypervisor's slots of a level-4 table. */
#define RESERVED_SLOT_FIRST 256U
#define RESERVED_SLOT_END   272U

/* A level-4 slot that no builder uses, and the address it begins at. */
#define FREE_SLOT    8U
#define FREE_ADDRESS ((uint64_t)FREE_SLOT << 39)

/* Machine address of the page at @va, one of ours that was never moved. */
uint64_t machine_of(const volatile void *va);

/* The same, as an entry. */
static inline uint64_t entry_for(const volatile void *va, uint64_t flags)
{
    return machine_of(va) | flags;
}

/* Where entry @index of the table at @va is, as mmu_update wants it. */
static inline uint64_t entry_at(const volatile void *va, unsigned int index)
{
    return machine_of(va) + 8ULL * index;
}

/* The tables that the builder made: of @level, that maps @va. */
uint64_t *builders_table(const volatile void *va, unsigned int level);

/* The level-1 entry that maps @va. */
uint64_t leaf_of(const volatile void *va);
uint64_t leaf_at(const volatile void *va); /* its machine address */

/* One request of mmu_update, mmuext_op, update_va_mapping; errors. */
long mmu_one(uint64_t ptr, uint64_t value);
long mmuext_call(uint32_t cmd, uint64_t arg1, uint64_t arg2);
long map_at(const volatile void *va, uint64_t entry);

/* How our own page is mapped; 0, or why not. */
long map_readable(const volatile void *va);
long map_writable(const volatile void *va);

/* Pin @va as table of @level 1-4, which must not be mapped writable. */
long pin(const volatile void *va, unsigned int level);
long unpin(const volatile void *va);

/* Pages for tables, whole ones and @count of them. */
void tables_use(void *pages, unsigned int count);

/* All of them ordinary again, and zeros; else an error of the case. */
void tables_reset(void);

/* Page @index of them; @slot: as words. */
uint64_t *page_at(unsigned int index);

/*
 * A tree of four of them, from @first on: level 4, 3, 2, 1, each referring to
 * the next from entry 0, and unpinned; all but the last page read-only.  The
 * entry 0 of the level-1 table maps page @first + 4 for reading.
 */
void tree_make(unsigned int first);

#endif /* FRAMEWORK_TABLES_H */
