/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ways to user mode: every corner of an iret's frame.  What the processor
 * refuses is a fault of the guest's kernel, never of the hypervisor's.
 */

#include <abi/assist.h>
#include <abi/trap.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

#include "user.h"

/* By IRET, and by SYSRET; and from where kernels have their stacks. */
static const struct way {
    uint64_t flags;
    bool upper;
} ways[] = {
    {0, false}, {VGCF_in_syscall, false}, {0, true}, {VGCF_in_syscall, true}};

#define WAYS (sizeof(ways) / sizeof(ways[0]))

static void take(struct iret_context *c, unsigned int way)
{
    c->flags = ways[way].flags;
    EXPECT_TRUE(user_kernel(ways[way].upper, true));
}

TEST("a program runs in user mode, and comes back by syscall")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < WAYS; i++) {
        take(&c, i);
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

/* What a kernel finds when a program has made SYSCALL; c is where it was. */
static void check_seen(const struct iret_context *c, bool masks)
{
    uint64_t rip = (uint64_t)(uintptr_t)user_code + USER_SYSCALL_BYTES;
    bool masked = !(c->rflags & RFLAGS_IF);
    const struct user_seen *u = &user_seen;
    uint64_t rflags = (c->rflags & 0x254fd5) | 2;

    for (unsigned int n = 2; n < 16; n++)
        if (n != 4 && n != 11)
            EXPECT_EQ(u->reg[n], USER_REGISTER(n));
    EXPECT_EQ(u->reg[0], c->rax);
    EXPECT_EQ(u->rflags & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC), 0);
    EXPECT_EQ(u->rflags & RFLAGS_IF, RFLAGS_IF);
    EXPECT_EQ(u->rsp % 16, 8);
    EXPECT_EQ(u->rsp >> 47, user_above >> 47);
    EXPECT_EQ(u->frame[0], rip);
    EXPECT_EQ(u->frame[1], rflags | RFLAGS_IF);
    EXPECT_EQ(u->frame[2], rip);
    EXPECT_EQ(u->frame[3], FLAT_RING3_CS64 | (uint64_t)masked << 32);
    EXPECT_EQ(u->frame[4], rflags);
    EXPECT_EQ(u->frame[5], c->rsp);
    EXPECT_EQ(u->frame[6], FLAT_RING3_DS);
    EXPECT_EQ(user_masked, masks || masked);
}

TEST("all registers but two go to a program and come back, and a frame tells")
{
    static const uint64_t flags[] = {RFLAGS_IF, 0, RFLAGS_IF | 0xcd5,
                                     RFLAGS_IF | RFLAGS_NT | RFLAGS_AC};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    c.rax = 0xfedcba9876543210;
    for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        for (unsigned int how = 0; how < 8; how++) {
            c.flags = how & 4 ? VGCF_in_syscall : 0;
            c.rflags = flags[i];
            REQUIRE(user_kernel(how & 1, how & 2));
            EXPECT_FALSE(user_probe(&c));
            check_seen(&c, how & 2);
        }
    user_end();
}

TEST("a program finds its rip and flags in rcx and r11 where it asks for that")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    c.rip = (uint64_t)(uintptr_t)user_shows;
    c.rflags |= 2; /* always 1 in a processor; Xen shows what it was given */
    for (unsigned int i = 0; i < WAYS; i++) {
        take(&c, i);
        EXPECT_FALSE(user_probe(&c));
        EXPECT_EQ(user_rcx, c.flags ? c.rip : c.rcx);
        EXPECT_EQ(user_r11, c.flags ? c.rflags : c.r11);
    }
    user_end();
}

TEST("a kernel and its programs have a GS base each")
{
    static uint64_t words[2] = {0x1234567890, 0x9876543210};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_KERNEL,
               hypercall_ptr(&words[0]));
    hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_USER,
               hypercall_ptr(&words[1]));
    c.rip = (uint64_t)(uintptr_t)user_reads_gs;
    for (unsigned int i = 0; i < WAYS; i++) {
        take(&c, i);
        EXPECT_FALSE(user_probe(&c));
        EXPECT_EQ(user_seen.reg[0], words[1]);
        EXPECT_EQ(user_seen.gs, words[0]);
    }
    hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_KERNEL, 0);
    hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_USER, 0);
    user_end();
}

TEST("a SYSCALL that nobody has asked for, or of 32-bit code, faults there")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int way = 0; way < WAYS; way++) {
        take(&c, way);
        c.flags = 0;
        c.cs = 0xe023;
        EXPECT_TRUE(user_probe(&c));
        EXPECT_TRUE(trap_seen.vector == TRAP_UD || trap_seen.vector == TRAP_GP);
        c.cs = FLAT_RING3_CS64;
        EXPECT_EQ(user_callback(0, 0), 0);
        EXPECT_TRUE(user_probe(&c));
        EXPECT_EQ(trap_seen.vector, TRAP_UD);
        EXPECT_EQ(trap_seen.rip, c.rip);
    }
    EXPECT_EQ(user_came, 0);
    user_end();
}

static unsigned int upcalls;

/* With upcalls masked, where it goes back to. */
static bool count_upcalls(struct trap_frame *frame)
{
    if (frame->vector != TRAP_UPCALL)
        return false;
    upcalls++;
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    frame->cs |= 1ULL << 32;
    frame->rflags &= ~RFLAGS_IF;
    return true;
}

TEST("an upcall that is due comes before a program, or before its SYSCALL")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    trap_hook = count_upcalls;
    for (unsigned int way = 0; way < WAYS; way++) {
        take(&c, way);
        REQUIRE(user_kernel(ways[way].upper, false));
        upcalls = 0;
        shared_info->vcpu_info[0].evtchn_upcall_pending = 1;
        c.rip = (uint64_t)(uintptr_t)user_code;
        EXPECT_FALSE(user_probe(&c));
        EXPECT_EQ(upcalls, 1);
        EXPECT_EQ(user_seen.frame[3] >> 32, 1);

        c.rip = (uint64_t)(uintptr_t)user_raises;
        EXPECT_FALSE(user_probe(&c));
        EXPECT_EQ(upcalls, 2);
    }
    EXPECT_EQ(user_came, 2 * WAYS);
    user_end();
}

TEST("a program has the right to ports that the frame gives, and shows it")
{
    const uint64_t iopl = 3ULL << 12;
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable,
                         VMASST_TYPE_architectural_iopl),
              0);
    c.rip = (uint64_t)(uintptr_t)user_cli;
    for (unsigned int i = 0; i < 2 * WAYS; i++) {
        take(&c, i / 2);
        c.rflags = RFLAGS_IF | (i % 2 ? iopl : 0);
        EXPECT_EQ(user_probe(&c), i % 2 == 0);
        EXPECT_EQ((i % 2 ? user_seen.frame[4] : trap_seen.rflags) & iopl,
                  i % 2 ? iopl : 0);
    }
    c.rflags = RFLAGS_IF;
    EXPECT_TRUE(user_probe(&c));
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_disable,
                         VMASST_TYPE_architectural_iopl),
              0);
    EXPECT_TRUE(user_probe(&c));
    user_end();
}

TEST("an address that is not canonical is #GP there, by either way")
{
    static const uint64_t addresses[] = {
        0x0000800000000000, 0x8000000000000000, 0xffff7fffffffffff,
        0x0001000000000000, 0x7fffffffffffffff, 0xfffe800000000000};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 6; i++)
        for (unsigned int way = 0; way < WAYS; way++) {
            c.rip = addresses[i];
            take(&c, way);
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
        for (unsigned int way = 0; way < WAYS; way++) {
            c.rsp = stacks[i];
            take(&c, way);
            EXPECT_FALSE(user_probe(&c));
        }
    EXPECT_EQ(user_came, 5 * WAYS);
    user_end();
}

TEST("hypervisor addresses are a page fault there")
{
    static const uint64_t addresses[] = {0xffff82d040200000, 0xffff830000000000,
                                         0xffff87fffffffff0};
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    for (unsigned int i = 0; i < 3; i++)
        for (unsigned int way = 0; way < WAYS; way++) {
            c.rip = addresses[i];
            take(&c, way);
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
        for (unsigned int way = 0; way < WAYS; way++) {
            c.rflags = bit == 64 ? ~0UL : 1UL << bit;
            take(&c, way);
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

    EXPECT_TRUE(user_kernel(cs >> 3 & 1, true));
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

TEST("an iret within the kernel stays in ring 3, whatever level it asks for")
{
    struct iret_context c = user_context();

    REQUIRE(user_begin());
    c.rip = (uint64_t)(uintptr_t)user_code + USER_SYSCALL_BYTES; /* UD2 */
    for (uint64_t selector = 0xe000; selector < 0xe070; selector++)
        for (unsigned int half = 0; half < 2; half++) {
            REQUIRE(user_kernel(half, true));
            c.cs = (selector & 3) == 3 ? FLAT_RING3_CS64 : selector;
            c.ss = (selector & 3) == 3 ? selector & ~3UL : FLAT_RING3_DS;
            EXPECT_TRUE(user_probe(&c));
            c.cs = FLAT_RING3_CS64 & ~3UL;
            c.ss = selector;
            EXPECT_TRUE(user_probe(&c));
        }
    EXPECT_EQ(user_came, 0);
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

TEST("selectors that SYSRET would not load are those of the frame, too")
{
    struct iret_context c = user_context();

    CAIRN_ONLY("it goes back by SYSRET whatever they are");
    REQUIRE(user_begin());
    page_at(0)[1] = CODE64;
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    REQUIRE_EQ(mmuext_call(MMUEXT_SET_LDT, hypercall_ptr(page_at(0)), 512), 0);
    c.rip = (uint64_t)(uintptr_t)user_code + USER_SYSCALL_BYTES; /* UD2 */
    for (unsigned int way = 0; way < WAYS; way++) {
        take(&c, way);
        c.cs = LOCAL_CS;
        EXPECT_TRUE(user_probe(&c));
        EXPECT_EQ(trap_seen.vector, TRAP_UD);
        EXPECT_EQ(trap_seen.cs & 0xffff, LOCAL_CS);
        c.cs = FLAT_RING3_CS64;
        c.ss = LOCAL_CS;
        EXPECT_TRUE(user_probe(&c));
        EXPECT_EQ(trap_seen.vector, TRAP_GP);
        EXPECT_EQ(trap_seen.rip, c.rip);
        c.ss = FLAT_RING3_DS;
    }
    EXPECT_EQ(user_came, 0);
    EXPECT_EQ(mmuext_call(MMUEXT_SET_LDT, 0, 0), 0);
    EXPECT_EQ(map_writable(page_at(0)), 0);
    user_end();
}
