/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of iret that another vCPU changes while they are read. */

#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define ROUNDS      2000U
#define TOO_LONG_NS 10000000000UL

/* Where the image is once more: kernels have their stacks in the upper half. */
#define UPPER_SLOT 304U
#define UPPER      (~0UL << 48 | (uint64_t)UPPER_SLOT << 39)

PAGES(kernel_stack, 1);
PAGES(landing_stack, 1);

/*
 * Where frames lead: in a program as in a kernel its SYSCALL is the end of the
 * probe, which it leaves by #UD; so is where SYSCALL of a program enters.
 */
extern const char race_landing[], race_entered[];
__asm__(".pushsection .text\n"
        "race_iret: mov %rdi, %rsp\n"
        "    mov $23, %eax\n"
        "    syscall\n"
        "    ud2\n"
        "race_landing: mov $17, %eax\n"
        "    xor %edi, %edi\n"
        "    syscall\n"
        "race_entered: ud2\n"
        ".popsection\n");
void race_iret(void *frame);

static volatile struct iret_context frame;
static volatile bool stop;

static void change_frame(uint64_t unused)
{
    const uint64_t landing = (uint64_t)(uintptr_t)race_landing;
    const uint64_t rip[] = {landing, landing, landing, 0x0000800000000000,
                            0xffff830000000000};
    static const uint64_t cs[] = {0xe033, 0xe030, 0xe033, 0xe030, 0x7, 0xe008};
    static const uint64_t ss[] = {0xe02b, 0xe02b, 0xe028, 0, 0xe010, 0x1f};
    static const uint64_t rflags[] = {0x202, 0x2, 0x102, ~0ULL};

    (void)unused;
    for (unsigned int i = 0; !stop; i++) {
        frame.cs = cs[i % 6];
        frame.flags = i % 7 == 0 ? VGCF_in_syscall : 0;
        frame.ss = ss[i % 11 % 6];
        frame.rip = rip[i % 13 % 5];
        frame.rflags = rflags[i % 17 % 4];
        if (i % 64 == 0)
            vcpu_yield();
    }
}

/* Until both kinds were seen, and long enough for a change to be in between. */
static void race(uint64_t above)
{
    const uint64_t at = above + hypercall_ptr((const void *)(uintptr_t)&frame);
    uint64_t end = now_ns() + TOO_LONG_NS;
    unsigned int came = 0, n = 0;

    EXPECT_EQ(hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS,
                         above + hypercall_ptr(kernel_stack) + PAGE_SIZE),
              0);
    stop = false;
    if (!vcpu_start(1, change_frame, 0))
        return;
    for (; n < ROUNDS || ((!came || came == n) && now_ns() < end); n++) {
        EXPECT_TRUE(fault_probe(race_iret, (void *)(uintptr_t)at));
        mask_upcalls();
        came += trap_seen.rip == (uint64_t)(uintptr_t)race_entered;
        if (n % 16 == 0)
            vcpu_yield();
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    EXPECT_TRUE(came > 0 && came < n);
}

TEST("a frame that changes under an iret leads to a guest's place, or faults")
{
    struct callback_register syscall = {
        .type = CALLBACKTYPE_syscall,
        .address = (uint64_t)(uintptr_t)race_entered,
    };
    const uint64_t *base = (const void *)(uintptr_t)start_info->pt_base;

    CAIRN_ONLY("what its iret refuses goes to a callback of its own");
    SKIP_UNLESS_VCPUS(2);
    REQUIRE_EQ(hypercall_callback_op(CALLBACKOP_register, &syscall), 0);
    REQUIRE_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(base), 0), 0);
    REQUIRE_EQ(mmu_one(entry_at(base, UPPER_SLOT), base[0]), 0);
    frame.rsp = hypercall_ptr(landing_stack) + PAGE_SIZE;
    frame.rip = (uint64_t)(uintptr_t)race_landing;
    frame.cs = FLAT_RING3_CS64;
    frame.ss = FLAT_RING3_DS;
    race(0);
    race(UPPER);
    EXPECT_EQ(mmu_one(entry_at(base, UPPER_SLOT), 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
}
