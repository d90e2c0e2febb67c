/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of ours that may fault, and where to go on when they do.
 *
 *     __asm__ goto / volatile ("1: mov (%1), %0\n"
 *                              "2:\n"
 *                              EX_TABLE(1b, 3f) ...
 *
 * A page fault at a guest's address there first asks
 * upcall_guest_page_fault(); the fix-up is for what it could not resolve.
 * Registers are as the faulting instruction left them.
 */

#pragma once

#ifdef __ASSEMBLER__

/* clang-format off */
.macro EX_TABLE from, to
    .pushsection .ex_table, "a"
    .balign 4
    .long \from - ., \to - .
    .popsection
.endm
/* clang-format on */

#else

#define EX_TABLE(from, to)                                                     \
    "    .pushsection .ex_table, \"a\"\n"                                      \
    "    .balign 4\n"                                                          \
    "    .long " #from " - ., " #to " - .\n"                                   \
    "    .popsection\n"

/* Both relative to their own address. */
struct ex_entry {
    int32_t from, to;
};

/* Where to go on after a fault at @rip; 0: nowhere, a fault there is a bug. */
uint64_t ex_table_find(uint64_t rip);

#endif /* __ASSEMBLER__ */
