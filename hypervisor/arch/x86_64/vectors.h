/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which of the 256 vectors. */

#pragma once

/* Exceptions, as the processor numbers them. */
#define VECTOR_DE         0  /* divide error */
#define VECTOR_DB         1  /* debug */
#define VECTOR_NMI        2  /* non-maskable interrupt */
#define VECTOR_BP         3  /* INT3 */
#define VECTOR_OF         4  /* INTO */
#define VECTOR_BR         5  /* BOUND */
#define VECTOR_UD         6  /* invalid opcode */
#define VECTOR_NM         7  /* no FPU */
#define VECTOR_DF         8  /* double fault */
#define VECTOR_TS         10 /* bad TSS */
#define VECTOR_NP         11 /* segment not present */
#define VECTOR_SS         12 /* stack segment */
#define VECTOR_GP         13 /* general protection */
#define VECTOR_PF         14 /* page fault */
#define VECTOR_MF         16 /* x87 */
#define VECTOR_AC         17 /* alignment */
#define VECTOR_MC         18 /* machine check */
#define VECTOR_XM         19 /* SSE */
#define VECTOR_EXCEPTIONS 32

/* The 8259s are masked; what strays from them lands here and is ignored. */
#define VECTOR_PIC_FIRST 0x20

/*
 * The device room's.  A guest may execute INT 0x80, so that vector is never a
 * device's.
 */
#define VECTOR_DEVICE_FIRST 0x30
#define VECTOR_DEVICE_LAST  0xdf
#define VECTOR_INT80        0x80

#define VECTOR_TIMER      0xe0
#define VECTOR_CONSOLE    0xe1
#define VECTOR_IPI        0xe2 /* another CPU wants something; smp.c */
#define VECTOR_APIC_ERROR 0xfe
#define VECTOR_SPURIOUS   0xff /* the LAPIC's; wants no EOI */
