/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Segments: the selectors of class pv, loading a guest's, and each CPU's tables
 * of them: GDT, TSS and IDT, with the MSRs of SYSCALL.
 *
 * Each CPU's GDT is 15 pages of which the last, from 0xe000 on, is ours; the
 * pages below are where class pv maps its guest's descriptors, and hold
 * nothing until then.
 */

#pragma once

#define SELECTOR_RESERVED 0xe000 /* first that guests may not fill */
#define SELECTOR_HV_CS    0xe008
#define SELECTOR_HV_DS    0xe010
#define SELECTOR_CS32     0xe023
#define SELECTOR_DS       0xe02b
#define SELECTOR_CS64     0xe033
#define SELECTOR_TSS      0xe040 /* two entries */
#define SELECTOR_LDT      0xe050 /* two entries */
#define SELECTOR_PER_CPU  0xe060
#define GDT_LIMIT         0xe067

/* In a selector: of ring 3. */
#define RPL_3 3

#ifndef __ASSEMBLER__

#include "arch/x86_64/guest_access.h"

/* The data segment registers of a vCPU. */
struct segments {
    uint16_t ds, es, fs, gs;
};

static inline struct segments segments_read(void)
{
    struct segments s;

    __asm__ __volatile__("mov %%ds, %0\n\t"
                         "mov %%es, %1\n\t"
                         "mov %%fs, %2\n\t"
                         "mov %%gs, %3"
                         : "=r"(s.ds), "=r"(s.es), "=r"(s.fs), "=r"(s.gs));
    return s;
}

/* Whether @selector is of 64-bit code, in the tables that are loaded. */
static inline bool segment_is_long(uint16_t selector)
{
    uint32_t rights = 0;

    if (likely(selector == SELECTOR_CS64))
        return true;
    /* What IRET refused may be in a page of the LDT that is not there yet. */
    __asm__ __volatile__("1: lar %1, %0\n"
                         "2:\n" EX_TABLE(1b, 2b)
                         : "+r"(rights)
                         : "r"((uint32_t)selector)
                         : "cc");
    return rights >> 21 & 1;
}

/* Load a register with a guest's selector; null if the CPU refuses it. */
#define SEGMENT_LOADER_(reg)                                                   \
    static inline void segment_load_##reg(uint16_t selector)                   \
    {                                                                          \
        __asm__ __volatile__("1: mov %0, %%" #reg "\n"                         \
                             "    .pushsection .text.fixup, \"ax\"\n"          \
                             "3:  xor %0, %0\n"                                \
                             "    jmp 1b\n"                                    \
                             "    .popsection\n" EX_TABLE(1b, 3b)              \
                             : "+r"(selector)                                  \
                             :                                                 \
                             : "memory", "cc");                                \
    }
SEGMENT_LOADER_(ds)
SEGMENT_LOADER_(es)
SEGMENT_LOADER_(fs)
SEGMENT_LOADER_(gs)
#undef SEGMENT_LOADER_

/*
 * Loading fs or gs changes the base, so MSR_FS_BASE and MSR_GS_BASE come after:
 * canonical, and the hypervisor itself uses none.
 */
static inline void segments_load(struct segments s)
{
    segment_load_ds(s.ds);
    segment_load_es(s.es);
    segment_load_fs(s.fs);
    segment_load_gs(s.gs);
}

/* So much is mapped of each CPU at GDT_AREAS_BASE. */
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

/* The same for this CPU's LDT; MFN_NONE: nothing is mapped there. */
#define LDT_PAGES 16U
void ldt_map(unsigned int page, mfn_t m);

/* Load an LDT of @entries; 0: none. */
void ldt_load(uint32_t entries);

/* Whether @va is in this CPU's LDT. */
bool ldt_holds(vaddr_t va);

/* Where the IDT is: one page. */
const void *idt_page(void);

#endif /* __ASSEMBLER__ */
