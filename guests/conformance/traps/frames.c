/* SPDX-License-Identifier: BSD-2-Clause */
/* Each exception is bounced with the right frame. */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define NON_CANONICAL 0x8000000000001000UL

static void divide(void *unused)
{
    (void)unused;
    __asm__ volatile("xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx\n"
                     "frames_divide: div %%ecx"
                     :
                     :
                     : "rax", "rcx", "rdx");
}

static void breakpoint(void *unused)
{
    (void)unused;
    __asm__ volatile("int3\nframes_after_int3:");
}

static void undefined(void *unused)
{
    (void)unused;
    __asm__ volatile("frames_ud2: ud2");
}

static void single_step(void *unused)
{
    (void)unused;
    __asm__ volatile("pushfq; orl $0x100, (%%rsp); popfq; nop\n"
                     "frames_after_step: nop; nop"
                     :
                     :
                     : "cc", "memory");
}

static void read_from(void *address)
{
    *(volatile uint64_t *)address;
}

static void write_to(void *address)
{
    *(volatile uint64_t *)address = 1;
}

static void jump_to(void *address)
{
    ((void (*)(void))address)();
}

static void bad_selector(void *unused)
{
    (void)unused;
    __asm__ volatile("frames_selector: mov %0, %%ds" : : "r"(0x1238));
}

static void halt(void *unused)
{
    (void)unused;
    __asm__ volatile("frames_hlt: hlt");
}

static void x87_error(void *unused)
{
    uint16_t control = 0x0040; /* all exceptions unmasked */

    (void)unused;
    __asm__ volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait"
                     :
                     : "m"(control));
}

extern const char frames_divide[], frames_after_int3[], frames_ud2[],
    frames_after_step[], frames_selector[], frames_hlt[];

static uint64_t at(const char *label)
{
    return (uint64_t)(uintptr_t)label;
}

TEST("a division by zero is #DE at the instruction")
{
    EXPECT_TRUE(fault_probe(divide, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_DE);
    EXPECT_EQ(trap_seen.rip, at(frames_divide));
}

TEST("int3 is #BP behind the instruction")
{
    EXPECT_TRUE(fault_probe(breakpoint, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_BP);
    EXPECT_EQ(trap_seen.rip, at(frames_after_int3));
}

TEST("an undefined instruction is #UD at the instruction")
{
    EXPECT_TRUE(fault_probe(undefined, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_UD);
    EXPECT_EQ(trap_seen.rip, at(frames_ud2));
}

TEST("a single step is #DB behind one instruction")
{
    EXPECT_TRUE(fault_probe(single_step, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_DB);
    EXPECT_EQ(trap_seen.rip, at(frames_after_step));
    EXPECT_TRUE((trap_seen.rflags & RFLAGS_TF) != 0);
}

TEST("a load of a selector that does not exist is #GP with the selector")
{
    EXPECT_TRUE(fault_probe(bad_selector, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 0x1238);
    EXPECT_EQ(trap_seen.rip, at(frames_selector));
}

TEST("hlt is #GP(0) at the instruction")
{
    EXPECT_TRUE(fault_probe(halt, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 0);
    EXPECT_EQ(trap_seen.rip, at(frames_hlt));
}

TEST("an address that is not canonical is #GP(0)")
{
    EXPECT_TRUE(fault_probe(read_from, (void *)NON_CANONICAL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 0);
}

TEST("a jump to an address that is not canonical is #GP(0)")
{
    EXPECT_TRUE(fault_probe(jump_to, (void *)NON_CANONICAL));
    EXPECT_EQ(trap_seen.vector, TRAP_GP);
    EXPECT_EQ(trap_seen.error, 0);
}

PAGES(guarded, 1);

TEST("a read of a page that is not there is #PF with code 0 and its address")
{
    REQUIRE(guard_page(guarded));
    EXPECT_TRUE(fault_probe(read_from, guarded + 24));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, 0);
    EXPECT_EQ(trap_seen_cr2, hypercall_ptr(guarded + 24));
    EXPECT_TRUE(unguard_page(guarded));
}

TEST("a write to a page that is not there is #PF with code 2")
{
    REQUIRE(guard_page(guarded));
    EXPECT_TRUE(fault_probe(write_to, guarded + 32));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, PF_WRITE);
    EXPECT_EQ(trap_seen_cr2, hypercall_ptr(guarded + 32));
    EXPECT_TRUE(unguard_page(guarded));
    EXPECT_FALSE(fault_probe(write_to, guarded + 32));
}

TEST("a jump into a page that is not there is a fetch #PF")
{
    REQUIRE(guard_page(guarded));
    EXPECT_TRUE(fault_probe(jump_to, guarded));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen.error, PF_FETCH);
    EXPECT_EQ(trap_seen.rip, hypercall_ptr(guarded));
    EXPECT_TRUE(unguard_page(guarded));
}

TEST("an x87 error is #MF")
{
    EXPECT_TRUE(fault_probe(x87_error, NULL));
    EXPECT_EQ(trap_seen.vector, TRAP_MF);
    __asm__ volatile("fninit");
}

TEST("the frame is aligned to 16 and holds the flat selectors")
{
    EXPECT_TRUE(fault_probe(undefined, NULL));
    /* Rounded down before seven words, or eight, were pushed. */
    EXPECT_EQ((trap_seen_at + 7 * 8) % 16, 0);
    EXPECT_EQ(trap_seen.cs & 0xffff, FLAT_RING3_CS64 & ~3U);
    EXPECT_EQ(trap_seen.ss & 0xffff, FLAT_RING3_DS);
    EXPECT_TRUE(trap_seen_at < trap_seen.rsp);
    EXPECT_TRUE(trap_seen.rsp - trap_seen_at < 128);
    EXPECT_TRUE(fault_probe(halt, NULL));
    EXPECT_EQ((trap_seen_at + 8 * 8) % 16, 0);
}

TEST("the frame tells the upcall mask, in cs and turned round in IF")
{
    mask_upcalls();
    EXPECT_TRUE(fault_probe(undefined, NULL));
    EXPECT_EQ(trap_seen.cs >> 32 & 0xff, 1);
    EXPECT_EQ(trap_seen.rflags & RFLAGS_IF, 0);
    unmask_upcalls();
    EXPECT_TRUE(fault_probe(undefined, NULL));
    EXPECT_EQ(trap_seen.cs >> 32 & 0xff, 0);
    EXPECT_EQ(trap_seen.rflags & RFLAGS_IF, RFLAGS_IF);
    mask_upcalls();
}

TEST("upcalls stay as they are on entry, unless the trap says otherwise")
{
    struct trap_info table[2] = {
        {.vector = TRAP_UD,
         .flags = TRAP_MASK_EVENTS,
         .address = trap_stub(TRAP_UD)},
    };

    unmask_upcalls();
    EXPECT_TRUE(fault_probe(undefined, NULL));
    EXPECT_EQ(trap_seen_mask, 0);
    EXPECT_EQ(hypercall_set_trap_table(table), 0);
    EXPECT_TRUE(fault_probe(undefined, NULL));
    EXPECT_EQ(trap_seen_mask, 1);
    EXPECT_EQ(trap_seen.cs >> 32 & 0xff, 0);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 0);
    mask_upcalls();
    traps_init();
}

static bool skip_ud2(struct trap_frame *frame)
{
    if (frame->vector != TRAP_UD)
        return false;
    frame->rip += 2;
    return true;
}

TEST("all registers, rcx and r11 too, are as before behind an exception")
{
    uint64_t rcx = 0x1111, r11 = 0x2222, rax = 0x3333, r15 = 0x4444;

    trap_hook = skip_ud2;
    __asm__ volatile("mov %0, %%rcx; mov %1, %%r11; mov %2, %%rax\n\t"
                     "mov %3, %%r15; ud2\n\t"
                     "mov %%rcx, %0; mov %%r11, %1; mov %%rax, %2\n\t"
                     "mov %%r15, %3"
                     : "+r"(rcx), "+r"(r11), "+r"(rax), "+r"(r15)
                     :
                     : "rcx", "r11", "rax", "r15", "memory");
    trap_hook = NULL;
    EXPECT_EQ(rcx, 0x1111);
    EXPECT_EQ(r11, 0x2222);
    EXPECT_EQ(rax, 0x3333);
    EXPECT_EQ(r15, 0x4444);
}

uint64_t flags_in_handler; /* named by the assembly below */

/* A handler of its own, that looks at its flags first. */
__asm__(".text\n.p2align 4\n"
        "frames_flags_stub:\n"
        "pushfq\n"
        "pop flags_in_handler(%rip)\n"
        "cld\n"
        "jmp trap_stubs + 6 * 16\n");
extern const char frames_flags_stub[];

TEST("a handler starts without TF, NT and AC")
{
    struct trap_info table[2] = {
        {.vector = TRAP_UD, .address = at(frames_flags_stub)},
    };

    EXPECT_EQ(hypercall_set_trap_table(table), 0);
    trap_hook = skip_ud2;
    __asm__ volatile("pushfq; orl $0x44400, (%%rsp); popfq; ud2\n\t"
                     "pushfq; andl $0xfffbbbff, (%%rsp); popfq"
                     :
                     :
                     : "cc", "memory");
    trap_hook = NULL;
    EXPECT_EQ(flags_in_handler & (RFLAGS_TF | RFLAGS_NT | RFLAGS_AC), 0);
    traps_init();
}
