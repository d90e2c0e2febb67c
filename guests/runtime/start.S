/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image's notes, and its first instructions.
 *
 * The builder enters with start_info in rsi, a stack of one page, and zero in
 * the other registers.
 */

#include <abi/elfnote.h>

/* ELFNOTE section, owner, type, directive, value */
    .macro ELFNOTE section, owner, type, directive, value:vararg
    .pushsection \section, "a", @note
    .p2align 2
    .long   11f - 10f, 13f - 12f, \type
10: .asciz  "\owner"
11: .p2align 2
12: \directive \value
13: .p2align 2
    .popsection
    .endm

    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_GUEST_OS,      .asciz, "cairn"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_GUEST_VERSION, .asciz, "1"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_XEN_VERSION,   .asciz, "xen-3.0"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_LOADER,        .asciz, "generic"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_VIRT_BASE,     .quad,  0
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_PADDR_OFFSET,  .quad,  0
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_ENTRY,         .quad,  _start
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_PAE_MODE,      .asciz, "yes"
    /* Without "!": able to, not in need of.  Xen has no such domains. */
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_FEATURES,      .asciz, "!writable_page_tables|auto_translated_physmap|pae_pgdir_above_4gb"
    ELFNOTE .note.Cairn, Cairn, CAIRN_ELFNOTE_CLASS,   .long,  1

    .section .text.head, "ax", @progbits
    .globl  _start
    .type   _start, @function
_start:
    cld
    mov     %rsi, %rdi                  /* start_info */
    lea     rt_loop_stack_end(%rip), %rsp
    xor     %ebp, %ebp                  /* backtraces end here */
    call    rt_start
    ud2
    .size   _start, . - _start

/* The stack of the event loop, over a page that start-up makes a guard. */
    .section .pages, "aw", @nobits
    .p2align 12
    .globl  rt_loop_guard, rt_loop_stack_end
rt_loop_guard:
    .skip   4096
    .skip   65536                       /* populated as it is touched */
rt_loop_stack_end:

    .section .note.GNU-stack, "", @progbits
