/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to user mode: every corner of an iret's frame.  What the processor
 * refuses is a fault of the guest's kernel, never of the hypervisor's.
 */

#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

#include "user.h"

/* Both ways out: by SYSRET, and by IRET. */
static const uint64_t ways[] = {0, VGCF_in_syscall};

TEST("a program runs in user mode, and comes back by syscall")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 2; i++) {
        c.flags = ways[i];
        EXPECT_FALSE(user_probe(&c));
        EXPECT_EQ(user_came, i + 1);
    }
    user_end();
}

static uint64_t users_tables[TABLE_ENTRIES] __attribute__((aligned(PAGE_SIZE)));

/* The kernel's own tables, which both used until now, show it to both. */
TEST("a program reads the M2P only by tables that are a kernel's, too")
{
    const uint64_t *own = (const void *)(uintptr_t)start_info->pt_base;
    struct iret_context c = user_context();

    for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
        users_tables[i] =
            i < RESERVED_SLOT_FIRST || i >= RESERVED_SLOT_END ? own[i] : 0;
    REQUIRE(user_begin());
    REQUIRE(map_readable(users_tables) == 0);
    REQUIRE(mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(users_tables), 0) ==
            0);
    EXPECT_FALSE(user_probe(&c));
    c.rip = (uint64_t)(uintptr_t)user_reads_m2p;
    EXPECT_TRUE(user_probe(&c));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    user_end();
    EXPECT_EQ(map_writable(users_tables), 0);
}

TEST("an address that is not canonical is #GP there, by either way")
{
    static const uint64_t addresses[] = {
        0x0000800000000000, 0x8000000000000000, 0xffff7fffffffffff,
        0x0001000000000000, 0x7fffffffffffffff, 0xfffe800000000000};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 6; i++)
        for (unsigned int way = 0; way < 2; way++) {
            c.rip = addresses[i];
            c.flags = ways[way];
            EXPECT_TRUE(user_probe(&c));
            EXPECT_EQ(trap_seen.vector, TRAP_GP);
            EXPECT_EQ(trap_seen.rip, addresses[i]);
            EXPECT_EQ(trap_seen.rsp, c.rsp);
        }
    EXPECT_EQ(user_came, 0);
    user_end();
}

TEST("a stack that is none is no concern of the way there")
{
    static const uint64_t stacks[] = {0, 0x0000800000000000, ~0UL,
                                      0x8000000000000000, 0xffff830000000000};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 5; i++)
        for (unsigned int way = 0; way < 2; way++) {
            c.rsp = stacks[i];
            c.flags = ways[way];
            EXPECT_FALSE(user_probe(&c));
        }
    EXPECT_EQ(user_came, 10);
    user_end();
}

TEST("hypervisor addresses are a page fault there")
{
    static const uint64_t addresses[] = {0xffff82d040200000, 0xffff830000000000,
                                         0xffff87fffffffff0};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 3; i++)
        for (unsigned int way = 0; way < 2; way++) {
            c.rip = addresses[i];
            c.flags = ways[way];
            EXPECT_TRUE(user_probe(&c));
            EXPECT_EQ(trap_seen.vector, TRAP_PF);
            EXPECT_EQ(trap_seen_cr2, addresses[i]);
        }
    user_end();
}

TEST("each flag alone and all together come back, but those of the machine")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int bit = 0; bit < 65; bit++) {
        for (unsigned int way = 0; way < 2; way++) {
            c.rflags = bit == 64 ? ~0UL : 1UL << bit;
            c.flags = ways[way];
            c.rip = (uint64_t)(uintptr_t)user_code + 2; /* UD2 */
            EXPECT_TRUE(user_probe(&c));
            EXPECT_TRUE(trap_seen.vector == TRAP_UD ||
                        trap_seen.vector == TRAP_DB);
            EXPECT_EQ(trap_seen.rflags & 0x23000, 0); /* IOPL, VM */
            EXPECT_EQ(trap_seen.cs & 3, 3);
        }
    }
    user_end();
}

/* Selectors that code and stack may have, of the hypervisor's table. */
static bool is_flat(uint64_t cs, uint64_t ss)
{
    return (cs == 0xe033 || cs == 0xe023) && ss == FLAT_RING3_DS;
}

static void try_selectors(uint64_t cs, uint64_t ss)
{
    struct iret_context c = user_context();
    uint64_t came = user_came;
    bool faulted;

    c.cs = cs;
    c.ss = ss;
    faulted = user_probe(&c);
    if (is_flat(cs, ss | 3))
        return;
    if (faulted && user_came == came)
        return;
    EXPECT_EQ(cs, 0);
    EXPECT_EQ(ss, 0);
}

TEST("selectors of the hypervisor are #GP, and nothing else is reached")
{
    REQUIRE(user_begin());
    /* Of the flat ones the kernel's code is the user's; others fault. */
    for (uint64_t selector = 0xe000; selector < 0xe200; selector += 8) {
        try_selectors(selector | 3, FLAT_RING3_DS);
        if ((selector | 3) != FLAT_RING3_DS)
            try_selectors(FLAT_RING3_CS64, selector | 3);
    }
    for (uint64_t selector = 0; selector < 0xe000; selector += 0x1c8) {
        try_selectors(selector | 3, FLAT_RING3_DS);
        try_selectors(selector | 7, FLAT_RING3_DS);
        try_selectors(FLAT_RING3_CS64, selector | 7);
    }
    try_selectors(0xffff, FLAT_RING3_DS);
    try_selectors(FLAT_RING3_CS64, 0xffff);
    user_end();
}

TEST("a program can make no hypercall")
{
    struct iret_context c = user_context();
    uint64_t came;

    REQUIRE(user_begin());
    came = user_came;
    c.rax = HYPERCALL_xen_version;
    EXPECT_FALSE(user_probe(&c));
    EXPECT_EQ(user_came, came + 1);
    user_end();
}

TEST("what follows an iret in a list of calls is not done for a program")
{
    struct iret_context c = user_context();
    static char version[3][16];
    struct multicall_entry calls[3];

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 3; i++) {
        version[i][0] = '\0';
        calls[i] = (struct multicall_entry){
            .op = HYPERCALL_xen_version,
            .result = 77,
            .args = {XENVER_extraversion, hypercall_ptr(version[i])}};
    }
    calls[1].op = HYPERCALL_iret;
    user_list(&c, calls, 3);
    mask_upcalls();
    EXPECT_EQ(user_came, 1);
    EXPECT_EQ(calls[0].result, 0);
    EXPECT_EQ(version[0][0], '.');
    EXPECT_EQ(calls[2].result, 77);
    EXPECT_EQ(version[2][0], 0);
    user_end();
}

TEST("an iret in a list of calls loads all that is in its frame")
{
    struct multicall_entry call = {.op = HYPERCALL_iret};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    c.rip = (uint64_t)(uintptr_t)user_shows;
    c.rcx = 0x1122334455667788;
    c.r11 = 0x8877665544332211;
    user_list(&c, &call, 1);
    mask_upcalls();
    EXPECT_EQ(user_came, 1);
    EXPECT_EQ(user_rcx, c.rcx);
    EXPECT_EQ(user_r11, c.r11);
    user_end();
}

#define CODE64   0x00affb000000ffff
#define NOWHERE  0x7e0000000000
#define LOCAL_CS 0xf

TEST("a local code segment, there or not, and an address that is not canonical")
{
    const uint64_t tables[] = {hypercall_ptr(page_at(0)), NOWHERE};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    page_at(0)[1] = CODE64;
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    c.cs = LOCAL_CS;
    for (unsigned int i = 0; i < 2; i++) {
        c.rip = 0x0000800000000000;
        EXPECT_EQ(mmuext_call(MMUEXT_SET_LDT, tables[i], 512), 0);
        EXPECT_TRUE(user_probe(&c));
        EXPECT_TRUE(trap_seen.vector == TRAP_GP || trap_seen.vector == TRAP_PF);
        c.rip = (uint64_t)(uintptr_t)user_code;
        EXPECT_EQ(mmuext_call(MMUEXT_SET_LDT, tables[i], 512), 0);
        EXPECT_EQ(user_probe(&c), i == 1);
        EXPECT_EQ(user_came, 1);
    }
    EXPECT_EQ(mmuext_call(MMUEXT_SET_LDT, 0, 0), 0);
    EXPECT_EQ(map_writable(page_at(0)), 0);
    user_end();
}
