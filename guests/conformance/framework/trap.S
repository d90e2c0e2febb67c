/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where exceptions and upcalls arrive, how they leave, and the probe that
 * survives a fault.
 *
 * The hypervisor has pushed, from low to high: rcx, r11, [error code], rip, cs
 * with the upcall mask, rflags, rsp, ss.  Each stub turns that into a struct
 * trap_frame (trap.h): the two registers are taken off, a missing error code
 * becomes 0, the vector goes below it, then all registers.
 */

#include <abi/elfnote.h>

#define NR_IRET 23

    .macro PUSH_REGISTERS
    push    %rax
    push    %rcx
    push    %rdx
    push    %rbx
    push    %rbp
    push    %rsi
    push    %rdi
    push    %r8
    push    %r9
    push    %r10
    push    %r11
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    .endm

    .macro POP_REGISTERS
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %r11
    pop     %r10
    pop     %r9
    pop     %r8
    pop     %rdi
    pop     %rsi
    pop     %rbp
    pop     %rbx
    pop     %rdx
    pop     %rcx
    pop     %rax
    .endm

    .text

/* One stub of 16 bytes for each vector. */
    .globl  trap_stubs
    .p2align 4
trap_stubs:
    .set    vector, 0
    .rept   256
    .p2align 4
    pop     %rcx
    pop     %r11
    .if (vector != 8) && ((vector < 10) || (vector > 14)) && (vector != 17) && (vector != 21)
    push    $0
    .endif
    .byte   0x68                        /* push imm32 in all cases */
    .long   vector
    .byte   0xe9                        /* jmp rel32 */
    .long   trap_common - (. + 4)
    .set    vector, vector + 1
    .endr

    .globl  upcall_stub
    .p2align 4
upcall_stub:
    pop     %rcx
    pop     %r11
    push    $0
    push    $256                        /* TRAP_UPCALL */
    jmp     trap_common

    .globl  failsafe_stub
    .p2align 4
failsafe_stub:
    pop     %rcx
    pop     %r11
    lea     32(%rsp), %rsp              /* ds, es, fs, gs */
    push    $0
    push    $257                        /* TRAP_FAILSAFE */

/* DF may be set by what was interrupted. */
trap_common:
    PUSH_REGISTERS
    cld
    mov     %rsp, %rdi
    mov     %rsp, %rbx
    and     $~15, %rsp
    call    trap_arrived
    mov     %rbx, %rsp

/*
 * Back by the hypercall: what it wants below rip is rax, r11, rcx and flags,
 * and those slots are free now.
 */
    .globl  trap_return
trap_return:
    POP_REGISTERS
    movq    $0, 8(%rsp)
    mov     %rcx, (%rsp)
    push    %r11
    push    %rax
    mov     $NR_IRET, %eax
    syscall
    ud2

/*
 * bool fault_probe(void (*fn)(void *), void *arg): true if fn ended by an
 * exception.  Probes may nest.
 */
    .globl  fault_probe
    .type   fault_probe, @function
fault_probe:
    push    %rbx
    push    %rbp
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rdi, %rbx
    mov     %rsi, %r12
    push    %rax                        /* align */
    call    fault_resume_of_self
    pop     %rcx
    mov     %rax, %r13
    push    %rax
    push    (%r13)                      /* that of an outer probe */
    mov     %rsp, (%r13)
    push    %rax                        /* align */
    mov     %r12, %rdi
    call    *%rbx
    pop     %rcx
    xor     %eax, %eax
1:  pop     %rcx
    pop     %rdx
    mov     %rcx, (%rdx)
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbp
    pop     %rbx
    ret
    .size   fault_probe, . - fault_probe

    .globl  fault_leave
    .type   fault_leave, @function
fault_leave:
    call    fault_resume_of_self        /* on the stack it will give up */
    mov     (%rax), %rsp
    push    $0x202
    popfq
    mov     $1, %eax
    jmp     1b
    .size   fault_leave, . - fault_leave

    .section .note.GNU-stack, "", @progbits
