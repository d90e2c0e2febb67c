/* SPDX-License-Identifier: BSD-2-Clause */
/* A test guest of class pv and its own page tables. */

#ifndef PAGING_TABLES_H
#define PAGING_TABLES_H

#include <abi/paging.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define NEEDS_PV                                                               \
    do {                                                                       \
        if (on_cairn)                                                          \
            SKIP("a domain of class light has no page tables of its own");     \
    } while (0)

#define PAGE_BITS                                                              \
    (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define TABLE_BITS PAGE_BITS
#define READ_BITS  (PAGE_BITS & ~PTE_WRITE)

/* What the hypervisor adds to an entry of a kernel's and of a user's page. */
#define PTE_KERNEL (1UL << 52)
#define PTE_GLOBAL 0x100UL

#define ENTRIES 512U

/* Where Xen shows each guest its own number of every frame. */
#define M2P ((const volatile uint64_t *)MACH2PHYS_ADDRESS)

/* The level-1 entry that maps @va: to look at, and its machine address. */
volatile uint64_t *entry_of(const volatile void *va);
uint64_t entry_address(const volatile void *va);

/* An entry that maps the page at @va. */
uint64_t entry_for(const volatile void *va, uint64_t bits);

long mmu_update(const struct mmu_update *list, uint64_t count, uint32_t *done);
long mmu_update_of(const struct mmu_update *list, uint64_t count,
                   uint32_t *done, uint32_t subject);

/* One request. */
long mmu_set(uint64_t address, uint64_t value);

long set_va(const volatile void *va, uint64_t entry, uint64_t flags);

/* The page at @va may be read only, as a table has to be; and written again. */
bool make_read_only(void *va);
bool make_writable(void *va);

long mmuext(const struct mmuext_op *list, uint64_t count, uint32_t *done);
long mmuext_one(uint32_t cmd, uint64_t arg1, uint64_t arg2);

#endif /* PAGING_TABLES_H */
