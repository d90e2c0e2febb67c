/* SPDX-License-Identifier: BSD-2-Clause */
/* The iret hypercall: its forms, and frames that cannot be. */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

/*
 * void iret_with(struct iret_context *context): copy it below the stack, make
 * the call; what was in rcx, r11 and the flags behind it is kept.  The context
 * leads to iret_landed, with this function's stack in rsp, or anywhere.
 */
__asm__(".text\n.p2align 4\n"
        ".globl iret_with, iret_landed\n"
        "iret_with:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rsp, iret_stack(%rip)\n"
        "sub $72, %rsp\n"
        "mov %rdi, %rsi\n"
        "mov %rsp, %rdi\n"
        "mov $9, %ecx\n"
        "rep movsq\n"
        "mov $23, %eax\n"
        "syscall\n"
        "ud2\n"
        "iret_landed:\n"
        "mov %rax, iret_rax(%rip)\n"
        "mov %rcx, iret_rcx(%rip)\n"
        "mov %r11, iret_r11(%rip)\n"
        "mov %rsp, iret_rsp(%rip)\n"
        "mov iret_stack(%rip), %rsp\n"
        "pushfq\n"
        "pop iret_rflags(%rip)\n"
        "cld\n"
        "push $0x202\n"
        "popfq\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n"
        /* void iret_native(void): iretq to a label, a stack and all flags. */
        ".globl iret_native\n"
        "iret_native:\n"
        "mov %rsp, iret_stack(%rip)\n"
        "lea -256(%rsp), %rax\n"
        "push $0xe02b\n"
        "push %rax\n"
        "push $0xed7\n"
        "push $0xe033\n"
        "lea 1f(%rip), %rax\n"
        "push %rax\n"
        "iretq\n"
        "1: mov %rsp, iret_rsp(%rip)\n"
        "pushfq\n"
        "pop iret_rflags(%rip)\n"
        "cld\n"
        "mov iret_stack(%rip), %rsp\n"
        "ret\n");

extern const char iret_landed[];
void iret_with(const struct iret_context *context);
void iret_native(void);

uint64_t iret_stack, iret_rax, iret_rcx, iret_r11, iret_rsp, iret_rflags;

static struct iret_context context;

static void prepare(void)
{
    context = (struct iret_context){
        .rax = 0xaaaa,
        .r11 = 0xbbbb,
        .rcx = 0xcccc,
        .rip = (uint64_t)(uintptr_t)iret_landed,
        .cs = FLAT_RING3_CS64 & ~3U,
        .rflags = RFLAGS_IF,
        .rsp = 0x123450,
        .ss = FLAT_RING3_DS,
    };
}

static void call_iret(void *unused)
{
    (void)unused;
    iret_with(&context);
}

TEST("iret loads rip, rsp, rax, rcx and r11")
{
    prepare();
    EXPECT_FALSE(fault_probe(call_iret, NULL));
    EXPECT_EQ(iret_rax, 0xaaaa);
    EXPECT_EQ(iret_rcx, 0xcccc);
    EXPECT_EQ(iret_r11, 0xbbbb);
    EXPECT_EQ(iret_rsp, 0x123450);
}

TEST("iret with VGCF_in_syscall leaves rip and rflags in rcx and r11")
{
    /* In class pv level 3 is a program's. */
    for (unsigned int level = 0; level <= (on_cairn ? 3U : 0U); level += 3) {
        prepare();
        context.flags = VGCF_in_syscall;
        context.cs |= level;
        EXPECT_FALSE(fault_probe(call_iret, NULL));
        EXPECT_EQ(iret_rax, 0xaaaa);
        EXPECT_EQ(iret_rcx, (uint64_t)(uintptr_t)iret_landed);
        EXPECT_EQ(iret_r11 & RFLAGS_IF, RFLAGS_IF);
    }
}

TEST("the upcall mask is the frame's IF turned round")
{
    prepare();
    context.rflags = 0;
    fault_probe(call_iret, NULL);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 1);
    context.rflags = RFLAGS_IF;
    fault_probe(call_iret, NULL);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 0);
    mask_upcalls();
}

TEST("iret never gives IOPL, and the processor's IF stays on")
{
    prepare();
    context.rflags = 0x3000 | 0x20000;
    EXPECT_FALSE(fault_probe(call_iret, NULL));
    EXPECT_EQ(iret_rflags & 0x3000, 0);
    EXPECT_EQ(iret_rflags & 0x20000, 0);
    EXPECT_EQ(iret_rflags & RFLAGS_IF, RFLAGS_IF);
}

TEST("iret restores DF and the arithmetic flags")
{
    prepare();
    context.rflags = RFLAGS_IF | RFLAGS_DF | 0x8d5;
    EXPECT_FALSE(fault_probe(call_iret, NULL));
    EXPECT_EQ(iret_rflags & (RFLAGS_DF | 0x8d5), RFLAGS_DF | 0x8d5);
}

TEST("a native iretq within the kernel loads rip, rsp and rflags")
{
    iret_native();
    EXPECT_EQ(iret_rsp, iret_stack - 256);
    EXPECT_EQ(iret_rflags & 0xfd7, RFLAGS_IF | RFLAGS_DF | 0x8d7);
}

TEST("iret to an rip that is not canonical becomes #GP with that rip")
{
    static const uint64_t bad[] = {0x0000800000000000, 0x8000000000000000,
                                   0xffff7fffffffffff};

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        prepare();
        context.rip = bad[i];
        context.rsp = hypercall_ptr(&context);
        /* The frame goes where rsp says: below a page of our own. */
        static uint8_t stack[4096] __attribute__((aligned(16)));

        context.rsp = hypercall_ptr(stack + sizeof(stack));
        EXPECT_TRUE(fault_probe(call_iret, NULL));
        EXPECT_EQ(trap_seen.vector, TRAP_GP);
        EXPECT_EQ(trap_seen.rip, bad[i]);
        EXPECT_EQ(trap_seen.rsp, context.rsp);
    }
}

TEST("iret to a code selector that is none faults, here, and does no harm")
{
    static const uint64_t bad[] = {0,      0xe008, 0xe010, 0xe02b,
                                   0xfff8, 0x10,   0x7fff};
    static uint8_t stack[4096] __attribute__((aligned(16)));

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        prepare();
        context.cs = bad[i] & ~3UL;
        context.rsp = hypercall_ptr(stack + sizeof(stack));
        if (!fault_probe(call_iret, NULL)) {
            /* Class light knows one code selector, and may just use it. */
            EXPECT_TRUE(on_cairn);
            continue;
        }
        EXPECT_TRUE(trap_seen.vector == TRAP_GP || trap_seen.vector == TRAP_NP);
    }
}

TEST("iret to a stack selector that is none faults, here, and does no harm")
{
    static const uint64_t bad[] = {0, 0xe008, 0xe010, 0xfff8, 0x10, 0x7fff};
    static uint8_t stack[4096] __attribute__((aligned(16)));

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        prepare();
        context.ss = bad[i] & ~3UL;
        context.rsp = hypercall_ptr(stack + sizeof(stack));
        EXPECT_TRUE(fault_probe(call_iret, NULL));
        EXPECT_TRUE(trap_seen.vector == TRAP_GP ||
                    (!on_cairn && (trap_seen.vector == TRAP_NP ||
                                   trap_seen.vector == TRAP_SS)));
    }
}

/* --- What ends a domain, and nothing but the domain ----------------------- */

static uint64_t unreadable_frame(uint64_t rsp)
{
    __asm__ volatile("mov %0, %%rsp; mov $23, %%eax; syscall"
                     :
                     : "r"(rsp)
                     : "rax", "rcx", "r11", "memory");
    return 0;
}

TEST("an iret whose frame cannot be read crashes the domain alone")
{
    static const uint64_t bad[] = {0,
                                   8,
                                   0x8000000000000000,
                                   0xffff820000000000,
                                   0xfffffffffffffff8,
                                   0x00007ffffffffff0};

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        child_must_crash(unreadable_frame, bad[i]);
}

static uint64_t bad_iret_loop(uint64_t rip)
{
    prepare();
    context.rip = rip;
    context.rsp = 0x8000000000000000; /* the #GP's frame cannot be pushed */
    iret_with(&context);
    return 0;
}

TEST("an iret that faults with nowhere to tell it crashes the domain alone")
{
    child_must_crash(bad_iret_loop, 0x8000000000000000);
    child_must_crash(bad_iret_loop, 0xffff820000001000);
}
