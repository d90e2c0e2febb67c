/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain of the crowd runs, copied to its only page of text: sleep until
 * an event comes on its port, answer it, sleep again.  rsi: struct
 * member_data, in its other page.
 */

#include "micro/member.h"

#define NR_SCHED_OP         29
#define NR_EVENT_CHANNEL_OP 32
#define OP_SEND             4
#define OP_POLL             3

    .section .rodata

    .globl  member_code, member_code_end
    .p2align 4
member_code:
    mov     %rsi, %rbx
1:  mov     $NR_SCHED_OP, %eax
    mov     $OP_POLL, %edi
    lea     MEMBER_POLL(%rbx), %rsi
    syscall
    mov     MEMBER_PENDING(%rbx), %rdx
    movq    $0, (%rdx)
    mov     $NR_EVENT_CHANNEL_OP, %eax
    mov     $OP_SEND, %edi
    lea     MEMBER_PORT(%rbx), %rsi
    syscall
    jmp     1b
member_code_end:

    .section .note.GNU-stack, "", @progbits
