/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Start-up of a test guest: the image's notes, its first instructions, and
 * its stack.  It has none of the runtime in it, so that nothing but the test
 * itself makes hypercalls.
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

    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_GUEST_OS,      .asciz, "cairn-test"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_GUEST_VERSION, .asciz, "1"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_XEN_VERSION,   .asciz, "xen-3.0"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_LOADER,        .asciz, "generic"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_VIRT_BASE,     .quad,  0
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_PADDR_OFFSET,  .quad,  0
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_ENTRY,         .quad,  _start
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_PAE_MODE,      .asciz, "yes"
    ELFNOTE .note.Xen, Xen, XEN_ELFNOTE_FEATURES,      .asciz, "!writable_page_tables|auto_translated_physmap|pae_pgdir_above_4gb"
    ELFNOTE .note.Cairn, Cairn, CAIRN_ELFNOTE_CLASS,   .long,  1

    .section .text.head, "ax", @progbits
    .globl  _start
    .type   _start, @function
_start:
    /* What the builder promised about the registers, for a test to see. */
    mov     %rsp, start_rsp(%rip)
    mov     %rax, start_others(%rip)
    or      %rbx, start_others(%rip)
    or      %rcx, start_others(%rip)
    or      %rdx, start_others(%rip)
    or      %rdi, start_others(%rip)
    or      %rbp, start_others(%rip)
    or      %r8, start_others(%rip)
    or      %r9, start_others(%rip)
    or      %r10, start_others(%rip)
    or      %r11, start_others(%rip)
    or      %r12, start_others(%rip)
    or      %r13, start_others(%rip)
    or      %r14, start_others(%rip)
    or      %r15, start_others(%rip)
    pushfq
    pop     start_rflags(%rip)
    mov     %cs, %eax
    mov     %eax, start_cs(%rip)
    mov     %ss, %eax
    mov     %eax, start_ss(%rip)
    cld
    mov     %rsi, %rdi                  /* start_info */
    lea     test_stack_end(%rip), %rsp
    xor     %ebp, %ebp
    call    test_start
    ud2
    .size   _start, . - _start

    .bss
    .globl  start_rsp, start_others, start_rflags, start_cs, start_ss
    .p2align 3
start_rsp:    .quad 0
start_others: .quad 0
start_rflags: .quad 0
start_cs:     .quad 0
start_ss:     .quad 0

    .section .pages, "aw", @nobits
    .p2align 12
    .globl  test_guard, test_stack_end
test_guard:
    .skip   4096                        /* made a guard page at the start */
    .skip   32768
test_stack_end:

    .section .note.GNU-stack, "", @progbits
