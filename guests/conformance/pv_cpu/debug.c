/* SPDX-License-Identifier: BSD-2-Clause */
/* Debug registers: what may be in them, and where a breakpoint may be. */

#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define DR6_DEFAULT 0xffff0ff0UL
#define DR7_DEFAULT 0x400UL

/* Breakpoint 0: on for this guest, 8 bytes; what for. */
#define DR7_WRITE_0 (DR7_DEFAULT | 0x3UL | 0x1UL << 16 | 0x2UL << 18)
#define DR7_FETCH_0 (DR7_DEFAULT | 0x3UL)

static long set_reg(unsigned int reg, uint64_t value)
{
    return hypercall2(HYPERCALL_set_debugreg, reg, value);
}

static uint64_t get_reg(unsigned int reg)
{
    return (uint64_t)hypercall1(HYPERCALL_get_debugreg, reg);
}

static void clear_all(void)
{
    EXPECT_EQ(set_reg(7, 0), 0);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT_EQ(set_reg(i, 0), 0);
    EXPECT_EQ(set_reg(6, 0), 0);
}

TEST("a breakpoint may be anywhere but in the hypervisor")
{
    static const uint64_t good[] = {0, 0x1234567, 0x00007fffffffffff,
                                    0xffff880000000000, ~0UL};
    static const uint64_t bad[] = {
        0xffff800000000000, 0xffff800000000001, 0xffff804000000000,
        0xffff82d040200000, 0xffff830000000000, 0xffff87ffffffffff,
        0x0000800000000000, 0x8000000000000000, 0xffff7fffffffffff};

    for (unsigned int reg = 0; reg < 4; reg++) {
        for (unsigned int i = 0; i < 5; i++) {
            EXPECT_EQ(set_reg(reg, good[i]), 0);
            EXPECT_EQ(get_reg(reg), good[i]);
        }
        for (unsigned int i = 0; i < 9; i++)
            EXPECT_EQ(set_reg(reg, bad[i]), -ABI_EPERM);
        EXPECT_EQ(get_reg(reg), good[4]);
    }
    clear_all();
}

TEST("no breakpoint is anywhere in the hypervisor's part, with all on")
{
    EXPECT_EQ(set_reg(7, DR7_DEFAULT | 0xff), 0);
    for (uint64_t va = 0xffff800000000000; va < 0xffff880000000000;
         va += 0x1000000000 + 8)
        for (unsigned int reg = 0; reg < 4; reg++)
            EXPECT_EQ(set_reg(reg, va), -ABI_EPERM);
    clear_all();
}

TEST("control and status keep their fixed bits, and refuse the rest")
{
    EXPECT_EQ(set_reg(6, 0), 0);
    EXPECT_EQ(get_reg(6), DR6_DEFAULT);
    EXPECT_EQ(set_reg(7, 0), 0);
    EXPECT_EQ(get_reg(7), DR7_DEFAULT);
    EXPECT_EQ(set_reg(7, 1UL << 32), -ABI_EINVAL);
    EXPECT_EQ(set_reg(6, 1UL << 63), -ABI_EINVAL);
    EXPECT_EQ(set_reg(7, 1UL << 13), -ABI_EPERM); /* GD */
    for (unsigned int i = 0; i < 4; i++)
        EXPECT_EQ(set_reg(7, 1UL << 2 * i | 2UL << (16 + 4 * i)),
                  -ABI_EPERM);           /* I/O */
    EXPECT_EQ(set_reg(7, 2UL << 16), 0); /* but it is off */
    EXPECT_EQ(set_reg(7, 2UL << 16 | 4), -ABI_EPERM);
    EXPECT_EQ(set_reg(7, 0xd800), 0);
    EXPECT_EQ(get_reg(7), DR7_DEFAULT);
    clear_all();
}

TEST("4 and 5 are 6 and 7, and from 8 on there is none")
{
    EXPECT_EQ(set_reg(5, 0), 0);
    EXPECT_EQ(get_reg(5), DR7_DEFAULT);
    EXPECT_EQ(get_reg(4), DR6_DEFAULT);
    EXPECT_EQ(set_reg(8, 0), -ABI_ENODEV);
    EXPECT_EQ(get_reg(8), -ABI_ENODEV);
    EXPECT_EQ(set_reg(~0U, 0), -ABI_ENODEV);
    EXPECT_EQ(get_reg(0x80000000), -ABI_ENODEV);
}

static volatile uint64_t watched[8];

static void write_watched(void *unused)
{
    (void)unused;
    watched[0] = 5;
}

static __attribute__((noinline)) void be_called(void)
{
    __asm__ volatile("nop");
}

static void fetch_watched(void *unused)
{
    (void)unused;
    be_called();
}

TEST("breakpoints hit, and say which")
{
    EXPECT_EQ(set_reg(0, hypercall_ptr(watched)), 0);
    EXPECT_EQ(set_reg(7, DR7_WRITE_0), 0);
    EXPECT_TRUE(fault_probe(write_watched, NULL));
    EXPECT_EQ(set_reg(7, 0), 0);
    EXPECT_EQ(trap_seen.vector, TRAP_DB);
    EXPECT_EQ(get_reg(6) & 0xf, 1);
    EXPECT_EQ(watched[0], 5);

    EXPECT_EQ(set_reg(6, 0), 0);
    EXPECT_EQ(set_reg(0, (uint64_t)(uintptr_t)be_called), 0);
    EXPECT_EQ(set_reg(7, DR7_FETCH_0), 0);
    EXPECT_TRUE(fault_probe(fetch_watched, NULL));
    EXPECT_EQ(set_reg(7, 0), 0);
    EXPECT_EQ(trap_seen.vector, TRAP_DB);
    EXPECT_EQ(trap_seen.rip, (uint64_t)(uintptr_t)be_called);
    clear_all();
}

/*
 * With "leave=1" the domain ends as it is then; tests/system/test_pv.py has
 * another run on the same processor after it.
 */
TEST("what a domain leaves in a processor ends with it")
{
    EXPECT_FALSE(fault_probe(fetch_watched, NULL));
    EXPECT_EQ(set_reg(0, (uint64_t)(uintptr_t)be_called), 0);
    EXPECT_EQ(set_reg(7, DR7_FETCH_0), 0);
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 1), 0);
    if (option_number("leave", 0))
        return;
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 0), 0);
    clear_all();
}

static void call_with_watched(void *unused)
{
    union {
        volatile void *from;
        void *to;
    } arg = {.from = watched};

    (void)unused;
    for (unsigned int i = 0; i < 100; i++)
        hypercall_xen_version(XENVER_get_features, arg.to);
}

TEST("what the hypervisor writes for us hits nothing that hurts it")
{
    EXPECT_EQ(set_reg(0, hypercall_ptr(watched)), 0);
    EXPECT_EQ(set_reg(1, hypercall_ptr(shared_info)), 0);
    EXPECT_EQ(set_reg(7, DR7_WRITE_0 | 0xc | 3UL << 20 | 2UL << 22), 0);
    fault_probe(call_with_watched, NULL);
    EXPECT_EQ(set_reg(7, 0), 0);
    clear_all();
}

static void debug_extensions(void *on)
{
    uint64_t cr4;

    __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
    cr4 = *(const bool *)on ? cr4 | 8 : cr4 & ~8UL;
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

static void call_console(void *unused)
{
    (void)unused;
    hypercall_console_io(CONSOLEIO_write, 15, "# by its ports\n");
}

TEST("ports that the hypervisor uses hit nothing, either")
{
    bool on = true;

    REQUIRE(!fault_probe(debug_extensions, &on));
    for (unsigned int i = 0; i < 4; i++)
        EXPECT_EQ(set_reg(i, i < 3 ? 0x3f8 + i : 0x3fd), 0);
    EXPECT_EQ(set_reg(7, DR7_DEFAULT | 0xff | 0x22220000), 0);
    EXPECT_FALSE(fault_probe(call_console, NULL));
    EXPECT_EQ(set_reg(7, 0), 0);
    on = false;
    EXPECT_FALSE(fault_probe(debug_extensions, &on));
    clear_all();
}

static void blocked_then_call(void *unused)
{
    (void)unused;
    /* The load of SS is the one that is watched: #DB waits for the next. */
    __asm__ volatile("mov %%ss, (%0)\n\t"
                     "mov (%0), %%ss\n\t"
                     "syscall"
                     :
                     : "r"(watched), "a"(HYPERCALL_xen_version), "D"(0)
                     : "rcx", "r11", "memory");
}

TEST("a breakpoint that is put off until a hypercall is the guest's")
{
    EXPECT_EQ(set_reg(0, hypercall_ptr(watched)), 0);
    EXPECT_EQ(set_reg(7, DR7_DEFAULT | 0x3UL | 0x3UL << 16 | 0x1UL << 18), 0);
    fault_probe(blocked_then_call, NULL);
    EXPECT_EQ(set_reg(7, 0), 0);
    clear_all();
}

#define MOV_DR(n)                                                              \
    static void write_dr##n(void *value)                                       \
    {                                                                          \
        __asm__ volatile("mov %0, %%dr" #n : : "r"(*(uint64_t *)value));       \
    }                                                                          \
    static void read_dr##n(void *value)                                        \
    {                                                                          \
        __asm__ volatile("mov %%dr" #n ", %0" : "=r"(*(uint64_t *)value));     \
    }
MOV_DR(0)
MOV_DR(7)

TEST("the instructions do as the hypercalls, and fault where those refuse")
{
    uint64_t value = 0x123456;

    EXPECT_FALSE(fault_probe(write_dr0, &value));
    EXPECT_EQ(get_reg(0), 0x123456);
    value = 0;
    EXPECT_FALSE(fault_probe(read_dr0, &value));
    EXPECT_EQ(value, 0x123456);
    value = 0xffff82d040200000;
    EXPECT_TRUE(fault_probe(write_dr0, &value));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(get_reg(0), 0x123456);
    value = 1UL << 13;
    EXPECT_TRUE(fault_probe(write_dr7, &value));
    EXPECT_FALSE(fault_probe(read_dr7, &value));
    EXPECT_EQ(value, DR7_DEFAULT);
    clear_all();
}
