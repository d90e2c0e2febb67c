/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From real mode, where an INIT and a SIPI leave another CPU, to C.
 *
 * boot.S's tables, which nobody uses any more, serve once again until the CPU
 * runs at the image's addresses: they map the trampoline identically.  Nothing
 * in it depends on where it lies.
 */

#include "asm_offsets.h"

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/long_mode.h"

    .section .rodata.trampoline, "a"
    .code16
    .globl trampoline, trampoline_end, trampoline_stack
trampoline:
    cli
    cld
    mov %cs, %ax
    mov %ax, %ds
    ENTER_LONG_MODE lgdtl gdt_pointer - trampoline
    ljmpl $8, $MADDR(arrive_low)

gdt_pointer:
    .word BOOT_GDT_LIMIT
    .long MADDR(boot_gdt)
trampoline_end:

    .text
    .code64
arrive_low:
    movabs $arrive, %rax
    jmp *%rax

arrive:
    lea hv_l4(%rip), %rax
    movabs $IMAGE_BASE, %rcx
    sub %rcx, %rax
    mov %rax, %cr3 /* Nothing is mapped identically from here on. */

    CLEAR_SEGMENTS
    xchg %rax, trampoline_stack(%rip)
    test %rax, %rax
    jz 1f
    mov %rax, %rsp
    xor %ebp, %ebp /* the end of every backtrace */
    call upcall_start_cpu
1:  cli
    hlt
    jmp 1b

    .bss
    .balign 8
trampoline_stack:
    .skip 8

    .section .note.GNU-stack, "", @progbits
