/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side of traps and upcalls, as short as a kernel could make it.
 *
 * The hypervisor has pushed, from low to high: rcx, r11, [error code], rip, cs,
 * rflags, rsp, ss.  The iret hypercall wants rax, r11, rcx, flags below rip.
 */

#define NR_IRET 23

/* Of struct shared_info. */
#define UPCALL_PENDING 0
#define PENDING_SEL    8
#define PENDING_WORD0  2048

/* Of a program's context: FLAT_RING3_*. */
#define FLAT_CS      0xe033
#define FLAT_SS      0xe02b
#define RFLAGS_IF_ON 0x202

/* Bytes of the load in micro_fault. */
#define LOAD_BYTES 2

    .text

    .globl  micro_move_stack
    .type   micro_move_stack, @function
micro_move_stack:
    push    %rbx
    mov     %rsi, %rbx
    add     %rbx, %rsp
    call    *%rdi
    sub     %rbx, %rsp
    pop     %rbx
    ret
    .size   micro_move_stack, . - micro_move_stack

    .globl  micro_nothing
    .type   micro_nothing, @function
micro_nothing:
    ret
    .size   micro_nothing, . - micro_nothing

    .globl  micro_thousand
    .type   micro_thousand, @function
micro_thousand:
    xor     %eax, %eax
    .rept   999
    nop
    .endr
    ret
    .size   micro_thousand, . - micro_thousand

    .globl  micro_fault
    .type   micro_fault, @function
micro_fault:
    xor     %eax, %eax
    mov     micro_hole(%rip), %rdx
1:  mov     (%rdx), %cl
2:  ret
    .if     (2b - 1b) != LOAD_BYTES
    .error  "LOAD_BYTES"
    .endif
    .size   micro_fault, . - micro_fault

/* Back to behind the load; rsp is at the error code. */
    .macro  COUNT_FAULT
    incq    micro_faults(%rip)
    pop     %rcx
    pop     %r11
    addq    $LOAD_BYTES, 8(%rsp)
    .endm

    .globl  micro_fault_iretq
    .p2align 4
micro_fault_iretq:
    COUNT_FAULT
    lea     8(%rsp), %rsp
    orb     $3, 8(%rsp)                 /* cs came with ring 0 for "kernel" */
    iretq

    .globl  micro_fault_hypercall
    .p2align 4
micro_fault_hypercall:
    COUNT_FAULT
    movq    $0, (%rsp)
    push    %rcx
    push    %r11
    push    %rax
    mov     $NR_IRET, %eax
    syscall
    ud2

    .globl  micro_upcall
    .p2align 4
micro_upcall:
    pop     %rcx
    pop     %r11
    push    $0                          /* flags of the iret */
    push    %rcx
    push    %r11
    push    %rax
    mov     shared_info(%rip), %rax
    movb    $0, UPCALL_PENDING(%rax)
    movq    $0, PENDING_SEL(%rax)
    movq    $0, PENDING_WORD0(%rax)
    incq    micro_upcalls(%rip)
    mov     $NR_IRET, %eax
    syscall
    ud2

/*
 * To a program, as a kernel goes back to one from its system call, and what the
 * program does: its next one.
 */
    .globl  micro_program
    .type   micro_program, @function
    .p2align 4
micro_program:
    mov     %rsp, kernel_rsp(%rip)
    push    $FLAT_SS
    push    micro_program_rsp(%rip)
    push    $RFLAGS_IF_ON
    push    $FLAT_CS
    lea     program(%rip), %rax
    push    %rax
    push    micro_program_context(%rip)
    push    %rcx
    push    %r11
    push    %rax
    mov     $NR_IRET, %eax
    syscall
    ud2
    .size   micro_program, . - micro_program

    .p2align 4
program:
    syscall
    ud2

    .globl  micro_program_back
    .p2align 4
micro_program_back:
    pop     %rcx
    pop     %r11
    mov     kernel_rsp(%rip), %rsp
    incq    micro_program_came(%rip)
    xor     %eax, %eax
    ret

    .bss
    .globl  micro_hole, micro_faults, micro_upcalls
    .globl  micro_program_rsp, micro_program_came, micro_program_context
    .p2align 3
micro_hole:    .quad 0
micro_faults:  .quad 0
micro_upcalls: .quad 0
micro_program_rsp:  .quad 0
micro_program_came: .quad 0
micro_program_context: .quad 0
kernel_rsp:         .quad 0

    .section .note.GNU-stack, "", @progbits
