/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading tables and forgetting translations on this CPU, counted. */

#pragma once

#include "arch/x86_64/smp.h"

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
