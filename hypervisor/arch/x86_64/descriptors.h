/* SPDX-License-Identifier: BSD-2-Clause */
/* GDT, TSS and IDT of a CPU, and the MSRs of SYSCALL. */

#ifndef ARCH_X86_64_DESCRIPTORS_H
#define ARCH_X86_64_DESCRIPTORS_H

#include "arch/x86_64/segment.h"

/* So much is mapped at gdt_area_of(). */
#define GDT_AREA_USED (SELECTOR_RESERVED + 0x1000UL)

/*
 * Load them on this CPU.  Its area and its GDT area are mapped.  CPU 0 makes
 * the IDT, which all share, and makes it anew when xpti has been set up.
 */
void descriptors_init_cpu(unsigned int cpu);

/*
 * Let selectors of page @page of this CPU's GDT, one below the last, be the
 * descriptors in frame @m, which the processor may mark as accessed; MFN_NONE:
 * be null.
 */
void gdt_map(unsigned int page, mfn_t m);

/* The same for this CPU's LDT, where nothing is mapped at first. */
#define LDT_PAGES 16U
void ldt_map(unsigned int page, mfn_t m);

/* Load an LDT of @entries; 0: none. */
void ldt_load(uint32_t entries);

/* Whether @va is in this CPU's LDT. */
bool ldt_holds(vaddr_t va);

/* Where the IDT is: one page. */
const void *idt_page(void);

#endif /* ARCH_X86_64_DESCRIPTORS_H */
