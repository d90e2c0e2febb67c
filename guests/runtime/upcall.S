/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The event upcall: returns at once.
 *
 * It comes while the loop sleeps in SCHEDOP_block, or on the way out of it.
 * Delivery has set the upcall mask, and it stays set: the loop finds the
 * pending bits itself.  The frame, from low to high: rcx, r11, rip, cs,
 * rflags, rsp, ss, with the privilege bits of the selectors cleared.
 */

    .text
    .globl  rt_upcall
    .type   rt_upcall, @function
rt_upcall:
    pop     %rcx
    pop     %r11
    orb     $3, 8(%rsp)                 /* cs */
    orb     $3, 32(%rsp)                /* ss */
    iretq
    .size   rt_upcall, . - rt_upcall

    .section .note.GNU-stack, "", @progbits
