/* SPDX-License-Identifier: BSD-2-Clause */
/* GDT, TSS and IDT of a CPU, and the MSRs of SYSCALL. */

#pragma once

#include "arch/x86_64/segment.h"

/* So much is mapped at gdt_area_of(). */
#define GDT_AREA_USED (SELECTOR_RESERVED + 0x1000UL)

/*
 * Load them on this CPU.  Its area and its GDT area are mapped.  CPU 0 makes
 * the IDT, which all share, and makes it anew when xpti has been set up.
 */
void descriptors_init_cpu(unsigned int cpu);

/* Where the IDT is: one page. */
const void *idt_page(void);
