/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 32-bit code: any program of ring 3 can jump there, for the hypervisor's flat
 * selectors are in the descriptor table that it runs on.  What 64-bit entry
 * code takes for granted must hold there, too.
 */

#include <abi/hypercall.h>
#include <abi/trap.h>
#include <abi/version.h>

#include "framework/test.h"

#define FLAT_RING3_CS32 0xe023

#define ONLY_CAIRN SKIP_ON_XEN("what 32-bit code may do is Cairn's own")

/* Far, to what follows, as 32-bit code. */
#define TO_32_BITS                                                             \
    "push %[cs32]\n\t"                                                         \
    "lea 1f(%%rip), %%rax\n\t"                                                 \
    "push %%rax\n\t"                                                           \
    "lretq\n"                                                                  \
    "1:\n\t"                                                                   \
    ".code32\n\t"

#define CS32 [cs32] "i"(FLAT_RING3_CS32)

static void undefined(void *unused)
{
    (void)unused;
    __asm__ volatile(TO_32_BITS "ud2\n\t"
                                ".code64"
                     :
                     : CS32
                     : "rax", "memory");
}

static void bad_address(void *unused)
{
    (void)unused;
    __asm__ volatile(TO_32_BITS "mov %%eax, 0xfffffff0\n\t"
                                ".code64"
                     :
                     : CS32
                     : "rax", "memory");
}

static void interrupt(void *unused)
{
    (void)unused;
    __asm__ volatile(TO_32_BITS "int $0x42\n\t"
                                ".code64"
                     :
                     : CS32
                     : "rax", "memory");
}

/* SYSCALL there is of some processors only, and leads back to 64 bits. */
static void call(void *unused)
{
    (void)unused;
    __asm__ volatile(TO_32_BITS "mov %[nr], %%eax\n\t"
                                "xor %%edi, %%edi\n\t"
                                "syscall\n\t"
                                "ud2\n\t"
                                ".code64"
                     :
                     : CS32, [nr] "i"(HYPERCALL_xen_version)
                     : "rax", "rcx", "rdi", "r11", "memory");
}

static void enter_kernel(void *unused)
{
    (void)unused;
    __asm__ volatile(TO_32_BITS "sysenter\n\t"
                                "ud2\n\t"
                                ".code64"
                     :
                     : CS32
                     : "rax", "memory");
}

TEST("exceptions of 32-bit code come to 64-bit handlers")
{
    ONLY_CAIRN;
    EXPECT_TRUE(fault_probe(undefined, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_UD);
    EXPECT_EQ(trap_seen.cs & 0xfffc, FLAT_RING3_CS32 & 0xfffc);
    EXPECT_TRUE(fault_probe(bad_address, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_TRUE(fault_probe(interrupt, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 0x42 << 3 | 2);
}

TEST("SYSCALL and SYSENTER of 32-bit code harm nobody")
{
    ONLY_CAIRN;
    EXPECT_TRUE(fault_probe(call, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_UD);
    if ((trap_seen.cs & 0xfffc) != (FLAT_RING3_CS32 & 0xfffc))
        EXPECT_EQ(trap_seen.rax >> 16, 4);
    EXPECT_TRUE(fault_probe(enter_kernel, NULL));
    EXPECT_TRUE(trap_seen.vector == TRAP_GP || trap_seen.vector == TRAP_UD);
}
