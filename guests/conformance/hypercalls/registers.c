/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypercall changes rax, rcx and r11, and no other register. */

#include "hypercalls/registers.h"

#include <string.h>

#include <abi/hypercall.h>
#include <abi/trap.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/test.h"

/* Linux lets the flags that arithmetic sets go; so does this. */
#define RFLAGS_ARITHMETIC 0x8d5UL

static void fill(struct registers *r, uint64_t seed)
{
    uint64_t *word = (uint64_t *)(void *)r;

    for (size_t i = 0; i < sizeof(*r) / sizeof(*word); i++)
        word[i] = seed + i * 0x0101010101010101UL;
    r->rflags = 0x202;
}

/* Make the call in @r; every register but the three must be as before. */
static void expect_preserved(struct registers *r)
{
    struct registers before = *r;

    call_with_registers(r);
    EXPECT_EQ(r->rbx, before.rbx);
    EXPECT_EQ(r->rdx, before.rdx);
    EXPECT_EQ(r->rsi, before.rsi);
    EXPECT_EQ(r->rdi, before.rdi);
    EXPECT_EQ(r->rbp, before.rbp);
    EXPECT_EQ(r->r8, before.r8);
    EXPECT_EQ(r->r9, before.r9);
    EXPECT_EQ(r->r10, before.r10);
    EXPECT_EQ(r->r12, before.r12);
    EXPECT_EQ(r->r13, before.r13);
    EXPECT_EQ(r->r14, before.r14);
    EXPECT_EQ(r->r15, before.r15);
    EXPECT_EQ(memcmp(r->xmm, before.xmm, sizeof(r->xmm)), 0);
    EXPECT_EQ(r->rflags & ~RFLAGS_ARITHMETIC,
              before.rflags & ~RFLAGS_ARITHMETIC);
}

TEST("all registers but rax, rcx and r11 survive a call that succeeds")
{
    struct registers r;

    fill(&r, 0x1122334455667788);
    r.rax = HYPERCALL_xen_version;
    r.rdi = XENVER_version;
    r.rsi = 0;
    expect_preserved(&r);
    EXPECT_EQ(r.rax, XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR);
}

TEST("all registers but rax, rcx and r11 survive a call that fails")
{
    struct registers r;

    fill(&r, 0x8070605040302010);
    r.rax = HYPERCALL_event_channel_op;
    expect_preserved(&r);
    EXPECT_TRUE((int64_t)r.rax < 0);
    fill(&r, 0x99);
    r.rax = 63;
    expect_preserved(&r);
    EXPECT_EQ(r.rax, -ABI_ENOSYS);
}

TEST("registers survive a call that sleeps, and what runs meanwhile")
{
    struct sched_poll poll = {.timeout = now_ns() + 3000000};
    struct registers r;

    fill(&r, 0x7777000011110000);
    r.rax = HYPERCALL_sched_op;
    r.rdi = SCHEDOP_poll;
    r.rsi = hypercall_ptr(&poll);
    expect_preserved(&r);
    EXPECT_EQ(r.rax, 0);
}

TEST("rcx and r11 come back as rip and rflags, and hold nothing else")
{
    struct registers r;

    fill(&r, 0x123456789abcdef0);
    r.rax = HYPERCALL_xen_version;
    r.rdi = XENVER_version;
    call_with_registers(&r);
    /* Undefined by the ABI, but never a hypervisor's address. */
    EXPECT_TRUE(r.rcx >> 47 != 0x1ffff);
    EXPECT_TRUE(r.r11 >> 47 != 0x1ffff);
}

TEST("flags TF apart, every flag may be set at a hypercall")
{
    static const uint64_t flags[] = {RFLAGS_DF, RFLAGS_NT, RFLAGS_AC,
                                     RFLAGS_DF | RFLAGS_NT | RFLAGS_AC};

    for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct registers r;

        fill(&r, 0x5555);
        r.rax = HYPERCALL_xen_version;
        r.rdi = XENVER_version;
        r.rflags = 0x202 | flags[i];
        expect_preserved(&r);
        EXPECT_EQ(r.rax, XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR);
    }
}

static unsigned int single_steps;

static bool count_steps(struct trap_frame *frame)
{
    if (frame->vector != TRAP_DB)
        return false;
    single_steps++;
    /* Far enough behind the call: stop. */
    if (single_steps > 64)
        frame->rflags &= ~RFLAGS_TF;
    return true;
}

TEST("single-stepping over a hypercall traps behind it and nowhere else")
{
    struct registers r;

    fill(&r, 0x4444);
    r.rax = HYPERCALL_xen_version;
    r.rdi = XENVER_version;
    r.rflags = 0x202 | RFLAGS_TF;
    single_steps = 0;
    trap_hook = count_steps;
    call_with_registers(&r);
    trap_hook = NULL;
    EXPECT_EQ(r.rax, XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR);
    EXPECT_TRUE(single_steps > 10);
}

TEST("an rsp that points nowhere does no harm at a hypercall")
{
    static const uint64_t stacks[] = {0,
                                      8,
                                      0x8000000000000000,
                                      0xffff82d040200000,
                                      ~0UL - 7,
                                      0x00007ffffffffff8};

    for (unsigned int i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
        uint64_t rc = HYPERCALL_xen_version, a = XENVER_version, b = 0;

        __asm__ volatile("mov %%rsp, %%r12\n\t"
                         "mov %[stack], %%rsp\n\t"
                         "syscall\n\t"
                         "mov %%r12, %%rsp\n\t"
                         : "+a"(rc), "+D"(a), "+S"(b)
                         : [stack] "r"(stacks[i])
                         : "rcx", "r11", "r12", "memory");
        EXPECT_EQ(rc, XEN_VERSION_MAJOR << 16 | XEN_VERSION_MINOR);
    }
}

static uint64_t read_fs0(void)
{
    uint64_t value;

    __asm__ volatile("mov %%fs:0, %0" : "=r"(value));
    return value;
}

static uint64_t read_gs0(void)
{
    uint64_t value;

    __asm__ volatile("mov %%gs:0, %0" : "=r"(value));
    return value;
}

TEST("segment bases are set, survive hypercalls and sleep, and are checked")
{
    static uint64_t at_fs = 0xf5f5f5f5, at_gs = 0x65656565;

    EXPECT_EQ(hypercall2(HYPERCALL_set_segment_base, SEGBASE_FS,
                         hypercall_ptr(&at_fs)),
              0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_KERNEL,
                         hypercall_ptr(&at_gs)),
              0);
    EXPECT_EQ(read_fs0(), at_fs);
    EXPECT_EQ(read_gs0(), at_gs);
    sleep_until(now_ns() + 2000000);
    EXPECT_EQ(read_fs0(), at_fs);
    EXPECT_EQ(read_gs0(), at_gs);
    EXPECT_EQ(
        hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_USER, 0x1234000), 0);
    EXPECT_EQ(read_gs0(), at_gs);
}

TEST("a segment base that is not canonical is -EINVAL, and changes nothing")
{
    static const uint64_t bad[] = {0x0000800000000000, 0x8000000000000000,
                                   0xffff7fffffffffff};
    static uint64_t at_fs = 0x77;

    hypercall2(HYPERCALL_set_segment_base, SEGBASE_FS, hypercall_ptr(&at_fs));
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        for (unsigned int which = 0; which < 3; which++)
            EXPECT_EQ(hypercall2(HYPERCALL_set_segment_base, which, bad[i]),
                      -ABI_EINVAL);
    }
    EXPECT_EQ(read_fs0(), 0x77);
    EXPECT_EQ(hypercall2(HYPERCALL_set_segment_base, 4, 0), -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_set_segment_base, ~0U, 0), -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_set_segment_base, SEGBASE_GS_USER_SEL, 0),
              0);
}
