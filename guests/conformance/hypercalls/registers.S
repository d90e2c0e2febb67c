/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void call_with_registers(struct registers *r): load every register from *r,
 * make the hypercall, and put every register back into *r.  The layout is
 * registers.h's.
 */

    .text
    .globl  call_with_registers
    .type   call_with_registers, @function
call_with_registers:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    push    %rdi

    .set    n, 0
    .irp    reg, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movups  128 + 16 * \reg(%rdi), %xmm\reg
    .endr
    pushq   120(%rdi)                   /* rflags */
    popfq
    mov     0(%rdi), %rax
    mov     8(%rdi), %rbx
    mov     16(%rdi), %rcx
    mov     24(%rdi), %rdx
    mov     32(%rdi), %rsi
    mov     48(%rdi), %rbp
    mov     56(%rdi), %r8
    mov     64(%rdi), %r9
    mov     72(%rdi), %r10
    mov     80(%rdi), %r11
    mov     88(%rdi), %r12
    mov     96(%rdi), %r13
    mov     104(%rdi), %r14
    mov     112(%rdi), %r15
    mov     40(%rdi), %rdi
    syscall
    push    %rdi                        /* 8 below the saved pointer */
    mov     8(%rsp), %rdi
    mov     %rax, 0(%rdi)
    mov     %rbx, 8(%rdi)
    mov     %rcx, 16(%rdi)
    mov     %rdx, 24(%rdi)
    mov     %rsi, 32(%rdi)
    pop     40(%rdi)
    mov     %rbp, 48(%rdi)
    mov     %r8, 56(%rdi)
    mov     %r9, 64(%rdi)
    mov     %r10, 72(%rdi)
    mov     %r11, 80(%rdi)
    mov     %r12, 88(%rdi)
    mov     %r13, 96(%rdi)
    mov     %r14, 104(%rdi)
    mov     %r15, 112(%rdi)
    pushfq
    popq    120(%rdi)
    push    $0x202
    popfq
    .irp    reg, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
    movups  %xmm\reg, 128 + 16 * \reg(%rdi)
    .endr

    pop     %rdi
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret
    .size   call_with_registers, . - call_with_registers

    .section .note.GNU-stack, "", @progbits
