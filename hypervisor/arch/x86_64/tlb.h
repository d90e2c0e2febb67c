/* SPDX-License-Identifier: BSD-2-Clause */
/* Forgetting translations, on this CPU. */

#ifndef ARCH_X86_64_TLB_H
#define ARCH_X86_64_TLB_H

#include "arch/x86_64/cpu.h"
#include "lib/frame_number.h"

#ifdef UNIT_TEST
void tlb_flush_page(vaddr_t va);
void tlb_flush(void);
#else
/* One page. */
static inline void tlb_flush_page(vaddr_t va)
{
    __asm__ __volatile__("invlpg (%0)" : : "r"(va) : "memory");
}

/* All pages that are not the hypervisor's. */
static inline void tlb_flush(void)
{
    write_cr3(read_cr3());
}
#endif

#endif /* ARCH_X86_64_TLB_H */
