/* SPDX-License-Identifier: BSD-2-Clause */
/* To user mode and back: see user.h. */

    .text

/* void user_go(const struct iret_context *): what it pushed, user_back pops. */
    .globl  user_go
    .type   user_go, @function
user_go:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rsp, user_saved(%rip)
    sub     $72, %rsp
    mov     %rdi, %rsi
    mov     %rsp, %rdi
    mov     $9, %ecx
    rep movsq
    mov     $23, %eax
    syscall
    ud2
    .size   user_go, . - user_go

/* long user_list(const struct iret_context *, calls, count): by a list. */
    .globl  user_list
    .type   user_list, @function
user_list:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rsp, user_saved(%rip)
    sub     $72, %rsp
    mov     %rsi, %rax
    mov     %rdi, %rsi
    mov     %rsp, %rdi
    mov     $9, %ecx
    rep movsq
    mov     %rax, %rdi
    mov     %rdx, %rsi
    mov     $13, %eax
    syscall
    jmp     user_back                   /* it came back, as it must not */
    .size   user_list, . - user_list

/* The callback for SYSCALL. */
    .globl  user_back
    .p2align 4
user_back:
    incq    user_came(%rip)
    mov     user_saved(%rip), %rsp
    cld
    push    $0x202
    popfq
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret

    .globl  user_code
    .p2align 4
user_code:
    syscall
    ud2

    .globl  user_reads_m2p
    .p2align 4
user_reads_m2p:
    movabs  $0xffff800000000000, %rax
    mov     (%rax), %rax
    syscall
    ud2

    .globl  user_shows
    .p2align 4
user_shows:
    mov     %rcx, user_rcx(%rip)
    mov     %r11, user_r11(%rip)
    syscall
    ud2

    .bss
    .p2align 3
user_saved: .quad 0
    .globl  user_rcx, user_r11
user_rcx:   .quad 0
user_r11:   .quad 0
    .globl  user_came
user_came: .quad 0

    .section .note.GNU-stack, "", @progbits
