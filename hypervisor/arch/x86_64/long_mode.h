/* SPDX-License-Identifier: BSD-2-Clause */
/* For the assembly that brings a CPU into 64-bit mode on boot.S's tables. */

#pragma once

#include "arch/x86_64/address_map.h"

#define CR0_FIRST  0x80050033 /* PG AM WP NE ET MP PE */
#define CR4_FIRST  0x00000620 /* PAE OSFXSR OSXMMEXCPT */
#define EFER       0xc0000080
#define EFER_FIRST 0x00000901 /* NXE LME SCE */

/* boot_gdt: 64-bit code is its selector 8. */
#define BOOT_GDT_LIMIT 15

/* The machine address of a symbol. */
#define MADDR(symbol) (symbol - IMAGE_BASE)

#ifdef __ASSEMBLER__
/* clang-format off */

/*
 * From real or protected mode, with what loads the GDT's pointer.  Uses eax,
 * ecx and edx.
 */
.macro ENTER_LONG_MODE lgdt:vararg
    mov $CR4_FIRST, %eax
    mov %eax, %cr4
    mov $MADDR(boot_l4), %eax
    mov %eax, %cr3
    mov $EFER, %ecx
    mov $EFER_FIRST, %eax
    xor %edx, %edx
    wrmsr
    \lgdt
    mov $CR0_FIRST, %eax /* Both PE and PG: there is no stop between. */
    mov %eax, %cr0
.endm

/* rax is 0 afterwards. */
.macro CLEAR_SEGMENTS
    xor %eax, %eax
    .irp segment, ds, es, fs, gs, ss
    mov %eax, %\segment
    .endr
.endm

/* clang-format on */
#endif
