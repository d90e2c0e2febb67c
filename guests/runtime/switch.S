/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * void rt_switch(uint64_t *save_rsp, uint64_t load_rsp): go on on another
 * stack, where an earlier rt_switch() returns.
 */

    .text
    .globl  rt_switch
    .type   rt_switch, @function
rt_switch:
    push    %rbp
    push    %rbx
    push    %r12
    push    %r13
    push    %r14
    push    %r15
    mov     %rsp, (%rdi)
    mov     %rsi, %rsp
    pop     %r15
    pop     %r14
    pop     %r13
    pop     %r12
    pop     %rbx
    pop     %rbp
    ret
    .size   rt_switch, . - rt_switch

/* The first return of a new thread comes here, its record in r12. */
    .globl  rt_thread_entry
    .type   rt_thread_entry, @function
rt_thread_entry:
    mov     %r12, %rdi
    call    rt_thread_start
    ud2
    .size   rt_thread_entry, . - rt_thread_entry

    .section .note.GNU-stack, "", @progbits
