/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Windows in which ring 0 may touch pages of ring 3.  Where the processor has
 * SMAP, start-up patches the no-ops below into STAC and CLAC; everywhere else
 * they cost an instruction and nothing more.
 */

#pragma once

#define PATCH_STAC 1 /* kinds of struct patch_site */
#define PATCH_CLAC 2

/* Last stop before a guest: a no-op of five bytes, or a jump to xpti.S. */
#define PATCH_LEAVE       3 /* all registers hold the guest's values */
#define PATCH_LEAVE_SAVED 4 /* the same, and rsp is guest_regs() */

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

#ifdef __ASSEMBLER__

/* A no-op of three bytes, the length of STAC and CLAC. */
/* clang-format off */
.macro PATCH_SITE kind, nop="0x0f, 0x1f, 0x00"
771:
    .byte \nop
    .pushsection .patch_sites, "a"
    .balign 4
    .long 771b - ., \kind
    .popsection
.endm

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

#define PATCH_SITE_(kind)                                                      \
    "771: .byte 0x0f, 0x1f, 0x00\n"                                            \
    "    .pushsection .patch_sites, \"a\"\n"                                   \
    "    .balign 4\n"                                                          \
    "    .long 771b - ., " #kind "\n"                                          \
    "    .popsection\n"
#define PATCH_SITE(kind) PATCH_SITE_(kind)

struct patch_site {
    int32_t at; /* relative to its own address */
    uint32_t kind;
};

static inline void guest_access_begin(void)
{
    __asm__ __volatile__(PATCH_SITE(PATCH_STAC)::: "memory", "cc");
}

static inline void guest_access_end(void)
{
    __asm__ __volatile__(PATCH_SITE(PATCH_CLAC)::: "memory", "cc");
}

/* Write STAC and CLAC into all sites; before the image becomes read-only. */
void guest_access_patch(void);

#endif /* __ASSEMBLER__ */
