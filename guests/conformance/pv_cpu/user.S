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
    add     user_above(%rip), %rsp
    mov     $0x102, %edx                /* USER_REGISTER() */
    mov     $0x103, %ebx
    mov     $0x105, %ebp
    mov     $0x106, %esi
    mov     $0x107, %edi
    .irp    n, 8, 9, 10, 12, 13, 14, 15
    mov     $0x100 + \n, %r\n
    .endr
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
    mov     %rax, user_seen(%rip)
    mov     %rcx, user_seen + 8(%rip)
    mov     %rdx, user_seen + 16(%rip)
    mov     %rbx, user_seen + 24(%rip)
    mov     %rbp, user_seen + 40(%rip)
    mov     %rsi, user_seen + 48(%rip)
    mov     %rdi, user_seen + 56(%rip)
    .irp    n, 8, 9, 10, 11, 12, 13, 14, 15
    mov     %r\n, user_seen + 8 * \n(%rip)
    .endr
    mov     %rsp, user_seen + 128(%rip)
    mov     %rsp, %rsi
    pushfq
    popq    user_seen + 136(%rip)
    cld
    lea     user_seen + 144(%rip), %rdi
    mov     $7, %ecx
    rep movsq
    lea     user_reads_gs_end(%rip), %rcx
    cmp     user_seen + 144 + 16(%rip), %rcx
    jne     1f
    mov     %gs:0, %rcx
    mov     %rcx, (%rdi)                /* gs, behind the frame */
1:
    incq    user_came(%rip)
    mov     user_saved(%rip), %rsp
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

    .globl  user_reads_gs
    .p2align 4
user_reads_gs:
    mov     %gs:0, %rax
    syscall
user_reads_gs_end:
    ud2

    .globl  user_raises
    .p2align 4
user_raises:
    mov     shared_info(%rip), %rax
    movb    $1, (%rax)
    syscall
    ud2

    .globl  user_cli
    .p2align 4
user_cli:
    cli
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
    .globl  user_above, user_seen
user_above: .quad 0
user_seen:  .skip 208
    .globl  user_rcx, user_r11
user_rcx:   .quad 0
user_r11:   .quad 0
    .globl  user_came
user_came: .quad 0

    .section .note.GNU-stack, "", @progbits
