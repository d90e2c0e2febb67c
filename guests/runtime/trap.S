/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions: all of them end the domain, after a report.
 *
 * Each vector has a stub of 16 bytes that brings the frame to one form,
 * struct trap_frame in trap.c:
 *
 *      pushed by the hypervisor, from low to high:
 *          rcx, r11, [error code], rip, cs, rflags, rsp, ss
 *      by the stub, where the hardware gives no error code: a zero, with rcx
 *      and r11 moved below it; and the vector
 *      by the common part: the other registers
 */

    .text
    .macro  STUB vector, has_error
    .p2align 4
    .if \has_error
    pushq   $\vector
    .else
    pushq   (%rsp)                      /* rcx, again */
    pushq   $\vector + 256              /* the common part sorts it out */
    .endif
    jmp     common
    .endm

    .globl  rt_trap_stubs
    .p2align 4
rt_trap_stubs:
    .set    vector, 0
    .rept   32
    .if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
    STUB    vector, 1
    .else
    STUB    vector, 0
    .endif
    .set    vector, vector + 1
    .endr

/* With an error code:    vector, rcx, r11, error, rip ...
   without one:      vector + 256, rcx, rcx, r11, rip ...  becomes the same */
common:
    cmpq    $256, (%rsp)
    jb      1f
    subq    $256, (%rsp)
    pushq   %rax
    movq    32(%rsp), %rax              /* r11 */
    movq    %rax, 24(%rsp)
    movq    $0, 32(%rsp)                /* error */
    popq    %rax
1:  push    %rax
    push    %rbx
    push    %rdx
    push    %rsi
    push    %rdi
    push    %rbp
    push    %r8
    push    %r9
    push    %r10
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    cld
    mov     %rsp, %rdi
    and     $-16, %rsp
    call    rt_trap
    ud2

    .section .note.GNU-stack, "", @progbits
