/* SPDX-License-Identifier: BSD-2-Clause */
/* Instructions that belong to the hypervisor are #GP(0), and do nothing. */

#include <abi/hypercall.h>

#include "framework/test.h"

#define INSTRUCTION(name, text)                                                \
    static void name(void *unused)                                             \
    {                                                                          \
        (void)unused;                                                          \
        __asm__ volatile(text : : : "rax", "rcx", "rdx", "memory");            \
    }

INSTRUCTION(do_lgdt, "lgdt (%%rsp)")
INSTRUCTION(do_lidt, "lidt (%%rsp)")
INSTRUCTION(do_lldt, "xor %%eax, %%eax; lldt %%ax")
INSTRUCTION(do_ltr, "mov $0xe040, %%eax; ltr %%ax")
INSTRUCTION(do_invlpg, "invlpg (%%rsp)")
INSTRUCTION(do_swapgs, "swapgs")
INSTRUCTION(do_sysret, "sysretq")
INSTRUCTION(do_cr8, "xor %%eax, %%eax; mov %%rax, %%cr8")
INSTRUCTION(do_lmsw, "mov $1, %%eax; lmsw %%ax")
INSTRUCTION(do_in, "mov $0x3f8, %%edx; in %%dx, %%al")
INSTRUCTION(do_out, "mov $0x80, %%edx; out %%al, %%dx")
INSTRUCTION(do_cli, "cli")
INSTRUCTION(do_sti, "sti")
INSTRUCTION(do_lstar, "mov $0xc0000082, %%ecx; xor %%eax, %%eax;"
                      "xor %%edx, %%edx; wrmsr")
INSTRUCTION(do_efer, "mov $0xc0000080, %%ecx; xor %%eax, %%eax;"
                     "xor %%edx, %%edx; wrmsr")
INSTRUCTION(do_apic_base, "mov $0x1b, %%ecx; mov $0xfee00000, %%eax;"
                          "xor %%edx, %%edx; wrmsr")
INSTRUCTION(do_vmcall, "vmmcall")

TEST("privileged instructions fault, with #GP(0) or #UD")
{
    static const struct {
        const char *name;
        void (*fn)(void *);
    } all[] = {
        {"lgdt", do_lgdt},       {"lidt", do_lidt},
        {"lldt", do_lldt},       {"ltr", do_ltr},
        {"invlpg", do_invlpg},   {"swapgs", do_swapgs},
        {"sysret", do_sysret},   {"mov cr8", do_cr8},
        {"lmsw", do_lmsw},       {"in", do_in},
        {"out", do_out},         {"cli", do_cli},
        {"sti", do_sti},         {"wrmsr LSTAR", do_lstar},
        {"wrmsr EFER", do_efer}, {"wrmsr APIC_BASE", do_apic_base},
        {"vmmcall", do_vmcall},
    };

    for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        test_input = all[i].name;
        EXPECT_TRUE(fault_probe(all[i].fn, NULL));
        EXPECT_TRUE(trap_seen.vector == TRAP_GP || trap_seen.vector == TRAP_UD);
        EXPECT_EQ(trap_seen.error, 0);
    }
    test_input = NULL;
}

TEST("popf cannot turn interrupts off or give access to ports")
{
    uint64_t flags;

    __asm__ volatile("push $0x3002; popfq; pushfq; pop %0"
                     : "=r"(flags)
                     :
                     : "cc", "memory");
    EXPECT_EQ(flags & 0x3000, 0);
    EXPECT_EQ(flags & RFLAGS_IF, RFLAGS_IF);
}
