/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The processor's page tables: bits of an entry, indices, and the
 * hypervisor's own part of the address space.
 */

#pragma once

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/smp.h"

#define PTE_PRESENT  (1UL << 0)
#define PTE_WRITE    (1UL << 1)
#define PTE_USER     (1UL << 2)
#define PTE_PWT      (1UL << 3)
#define PTE_PCD      (1UL << 4) /* with PWT: uncached (PAT entry 3) */
#define PTE_ACCESSED (1UL << 5)
#define PTE_DIRTY    (1UL << 6)
#define PTE_LARGE    (1UL << 7) /* 2 MiB in an L2, 1 GiB in an L3 */
#define PTE_GLOBAL   (1UL << 8)
#define PTE_NX       (1UL << 63)

#define PTE_UNCACHED   (PTE_PWT | PTE_PCD)
#define PTE_MADDR_MASK 0x000ffffffffff000UL

/* Bits 9-11 and 52-58 are ignored by the processor. */
#define PTE_SOFT_LOW_SHIFT 9

#define PT_ENTRIES 512U

#define PT_SHIFT_L1 12
#define PT_SHIFT_L2 21

/* Index of @va in a table of @level, 1 .. 4. */
static inline unsigned int pt_index(vaddr_t va, unsigned int level)
{
    return (unsigned int)(va >> (PT_SHIFT_L1 + 9 * (level - 1))) &
           (PT_ENTRIES - 1);
}

static inline mfn_t pte_mfn(uint64_t pte)
{
    return maddr_to_mfn(pte & PTE_MADDR_MASK);
}

static inline uint64_t pte_make(mfn_t m, uint64_t flags)
{
    return mfn_to_maddr(m) | flags;
}

/* Error code of a page fault. */
#define PF_PRESENT  (1U << 0) /* else: not present */
#define PF_WRITE    (1U << 1)
#define PF_USER     (1U << 2)
#define PF_RESERVED (1U << 3) /* the table itself is broken */
#define PF_FETCH    (1U << 4)

/*
 * The hypervisor's L4 slots: HV_L4_COUNT entries which every address space
 * holds at HV_L4_FIRST.  They never change after start-up.
 */
const uint64_t *hv_l4_slots(void);

/*
 * Load the hypervisor's own tables, which map no guest at all: before a space
 * goes away, and once at start-up.  Until then hv_map() makes tables that are
 * not in use yet, beside those of boot.S.
 */
void hv_tables_load(void);

/*
 * Map [@maddr, @maddr + @size) at @va in the hypervisor's slots with @flags
 * (PRESENT is implied), in the largest pages that fit, at most 1 GiB each.
 * False: no table to be had, or something is mapped there already.
 */
bool __must_check hv_map(vaddr_t va, maddr_t maddr, uint64_t size,
                         uint64_t flags);

/*
 * Let the page @va, mapped by hv_map() as a small one, have @entry from now on,
 * and not be executable; for this CPU only.
 */
void hv_remap(vaddr_t va, uint64_t entry);

/*
 * Let the tables under @l4 map the page at @va as the hypervisor's do, which
 * are in force.  False: no table to be had.
 */
bool __must_check hv_map_again(uint64_t *l4, vaddr_t va);

/*
 * Loading tables and forgetting translations on this CPU, counted; and the
 * @bytes at @maddr while boot.S's tables are loaded, RAM or not, such as what
 * firmware and boot loader left there: NULL if they do not lie below 4 GiB.
 */
#ifdef UNIT_TEST
#include "doubles/tables.h"
#else
/* The tables whose L4 is at @root. */
static inline void tables_load(maddr_t root)
{
    this_cpu(cpu_counts).cr3_loads++;
    write_cr3(root);
}

/* One page. */
static inline void tlb_flush_page(vaddr_t va)
{
    this_cpu(cpu_counts).flushes++;
    __asm__ __volatile__("invlpg (%0)" : : "r"(va) : "memory");
}

/* All pages that are not the hypervisor's. */
static inline void tlb_flush(void)
{
    this_cpu(cpu_counts).flushes++;
    write_cr3(read_cr3());
}

/* All of them: user pages of class pv are global. */
static inline void tlb_flush_global(void)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 & ~CR4_PGE);
    tlb_flush();
    write_cr4(cr4);
}

/* tables_load() and that. */
static inline void tables_load_all(maddr_t root)
{
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 & ~CR4_PGE);
    tables_load(root);
    write_cr4(cr4);
}

static inline const void *early_memory(uint64_t maddr, uint64_t bytes)
{
    if (maddr >= EARLY_MAP_SIZE || bytes > EARLY_MAP_SIZE - maddr)
        return NULL;
    return (const void *)(DIRECT_MAP_BASE + maddr);
}
#endif
