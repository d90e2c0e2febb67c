/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions that an ordinary program has no use for.  Whoever calls these
 * is within a fault_probe(), which puts the stack and the flags in order.
 */

#define NR_IRET 23

    .text

/* One stub of 4 bytes for each vector: int n; ret. */
    .globl  wild_int
    .p2align 4
wild_int:
    .set    vector, 0
    .rept   256
    .byte   0xcd, vector
    ret
    .byte   0x90
    .set    vector, vector + 1
    .endr

/* wild_iret(frame): the hypercall, with the frame where it is. */
    .globl  wild_iret
wild_iret:
    mov     %rdi, %rsp
    mov     $NR_IRET, %eax
    syscall
    ud2

/* wild_iretq(frame): the instruction. */
    .globl  wild_iretq
wild_iretq:
    mov     %rdi, %rsp
    iretq

/*
 * Two pages that wild addresses of text are in: an exception at each byte, so
 * that nothing of ours is executed out of step, or with 32 bits.
 */
    .globl  wild_text, wild_text_end
    .p2align 12
wild_text:
    .fill   2 * 4096, 1, 0xcc
wild_text_end:

/* wild_lret(rip, cs) */
    .globl  wild_lret
wild_lret:
    push    %rsi
    push    %rdi
    lretq

/* wild_stack(rsp, what): an exception, or a call, on that stack. */
    .globl  wild_stack
wild_stack:
    push    %rbx
    mov     %rsp, %rbx
    mov     %rdi, %rsp
    test    $1, %sil
    jnz     1f
    ud2
1:  mov     $17, %eax                   /* xen_version */
    xor     %edi, %edi
    syscall
    mov     %rbx, %rsp
    pop     %rbx
    ret

/* wild_flags(rflags): with these, a call and some instructions. */
    .globl  wild_flags
wild_flags:
    push    %rdi
    popfq
    mov     $17, %eax
    xor     %edi, %edi
    syscall
    nop
    nop
    push    $0x202
    popfq
    ret

/* wild_registers(words): all registers hold something; then a call. */
    .globl  wild_registers
wild_registers:
    push    %rbp
    push    %rbx
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     0(%rdi), %rbx
    mov     8(%rdi), %rbp
    mov     16(%rdi), %r12
    mov     24(%rdi), %r13
    mov     32(%rdi), %r14
    mov     40(%rdi), %r15
    mov     48(%rdi), %r9
    mov     56(%rdi), %rax              /* upper half of the number */
    mov     $17, %al
    mov     64(%rdi), %rsi
    mov     72(%rdi), %rdx
    mov     80(%rdi), %r10
    xor     %edi, %edi
    syscall
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbx
    pop     %rbp
    ret

    .macro LOAD_REGISTERS
    mov     8(%rsi), %rbx
    mov     16(%rsi), %rcx
    mov     24(%rsi), %rdx
    mov     32(%rsi), %rbp
    mov     40(%rsi), %rdi
    mov     48(%rsi), %r8
    mov     56(%rsi), %r9
    mov     64(%rsi), %r10
    mov     72(%rsi), %r11
    mov     80(%rsi), %r12
    mov     88(%rsi), %r13
    mov     96(%rsi), %r14
    mov     104(%rsi), %r15
    .endm

/* wild_code(rip, registers, rsp): go there with these. */
    .globl  wild_code
wild_code:
    mov     %rdx, %rsp
    push    %rdi
    mov     (%rsi), %rax
    LOAD_REGISTERS
    ret

/* wild_user(frame, registers): by the iret hypercall, which has rax and rcx. */
    .globl  wild_user
wild_user:
    mov     %rdi, %rsp
    LOAD_REGISTERS
    mov     $NR_IRET, %eax
    syscall
    ud2

    .section .note.GNU-stack, "", @progbits
