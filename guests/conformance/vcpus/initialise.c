/* SPDX-License-Identifier: BSD-2-Clause */
/* VCPUOP_initialise: what a further vCPU begins with, and what is refused. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/test.h"
#include "framework/vcpu.h"

static struct vcpu_guest_context context;

/* A good one for vCPU @id, to spoil. */
static void fresh(unsigned int id)
{
    context = *vcpu_context(id, 0x1000);
}

static long initialise(unsigned int id)
{
    return hypercall_vcpu_op(VCPUOP_initialise, id, &context);
}

#define BAD_ADDRESS 0x0000800000000000UL

TEST("a vCPU without registers does not come up")
{
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, VCPU_COUNT - 1, NULL), 0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, VCPU_COUNT - 1, NULL), -ABI_EINVAL);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, VCPU_COUNT - 1, NULL), 0);
}

TEST("a context that is nowhere is -EFAULT")
{
    static const uint64_t nowhere[] = {0, 0x7ffffffff000, BAD_ADDRESS,
                                       0xffff830000000000, ~0UL};

    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    for (unsigned int i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
        /* Address 0 is the image's first page on Xen. */
        if (nowhere[i] == 0 && !on_cairn)
            continue;
        EXPECT_EQ(hypercall3(HYPERCALL_vcpu_op, VCPUOP_initialise,
                             VCPU_COUNT - 1, nowhere[i]),
                  -ABI_EFAULT);
    }
}

#define REFUSED(member)                                                        \
    do {                                                                       \
        fresh(VCPU_COUNT - 1);                                                 \
        context.member = BAD_ADDRESS;                                          \
        test_input = #member;                                                  \
        EXPECT_EQ(initialise(VCPU_COUNT - 1), -ABI_EINVAL);                    \
    } while (0)

TEST("each address of a context must be canonical")
{
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    REFUSED(user_regs.rip);
    REFUSED(user_regs.rsp);
    REFUSED(kernel_sp);
    REFUSED(event_callback_eip);
    REFUSED(failsafe_callback_eip);
    REFUSED(syscall_callback_eip);
    REFUSED(fs_base);
    REFUSED(gs_base_kernel);
    REFUSED(gs_base_user);
    REFUSED(trap_ctxt[0].address);
    REFUSED(trap_ctxt[255].address);
    test_input = NULL;
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, VCPU_COUNT - 1, NULL), -ABI_EINVAL);
}

TEST("a local descriptor table must be a table")
{
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    fresh(VCPU_COUNT - 1);
    context.ldt_base = 0x1008;
    EXPECT_EQ(initialise(VCPU_COUNT - 1), -ABI_EINVAL);
    fresh(VCPU_COUNT - 1);
    context.ldt_ents = 8193;
    EXPECT_EQ(initialise(VCPU_COUNT - 1), -ABI_EINVAL);
}

TEST("the first vCPU has its registers already")
{
    fresh(1);
    EXPECT_EQ(initialise(0), -ABI_EEXIST);
    context.user_regs.rip = BAD_ADDRESS; /* and that comes first */
    EXPECT_EQ(initialise(0), -ABI_EEXIST);
}

static volatile uint64_t ran_with;

static void note(uint64_t argument)
{
    ran_with = argument;
}

TEST("a vCPU that is started runs, goes off line, and comes back")
{
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    for (uint64_t i = 1; i <= 3; i++) {
        REQUIRE(vcpu_start(1, note, i));
        REQUIRE(vcpu_wait(1));
        EXPECT_EQ(ran_with, i);
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 0);
    }
    fresh(1);
    EXPECT_EQ(initialise(1), -ABI_EEXIST);
}

static void see_self(uint64_t unused)
{
    (void)unused;
    ran_with = vcpu_self();
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, 1, NULL), 1);
    EXPECT_EQ(shared_info->vcpu_info[1].evtchn_upcall_mask, 1);
}

TEST("a vCPU knows itself, and begins with upcalls masked")
{
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    REQUIRE(vcpu_start(1, see_self, 0));
    REQUIRE(vcpu_wait(1));
    EXPECT_EQ(ran_with, 1);
}

static void undefined(void *unused)
{
    (void)unused;
    __asm__ volatile("ud2");
}

static void fault(uint64_t unused)
{
    (void)unused;
    ran_with = fault_probe(undefined, NULL) && trap_seen.vector == TRAP_UD;
}

TEST("the trap table of a context handles what its vCPU does")
{
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    REQUIRE(vcpu_start(1, fault, 0));
    REQUIRE(vcpu_wait(1));
    EXPECT_EQ(ran_with, 1);
}

/* --- The registers, as VCPU_COUNT - 1 first sees them --------------------- */

struct seen {
    uint64_t general[15], rflags, fs, gs;
    uint32_t mxcsr;
    uint16_t control, ds, es;
} seen_registers;
static volatile bool seen_all;

void registers_seen(void);
extern const char registers_entry[];

_Noreturn void registers_seen_all(void);
_Noreturn void registers_seen_all(void)
{
    for (;;) {
        seen_all = true;
        hypercall_vcpu_op(VCPUOP_down, VCPU_COUNT - 1, NULL);
    }
}

__asm__("    .text\n"
        "registers_entry:\n"
        "    mov %r15, seen_registers(%rip)\n"
        "    mov %r14, seen_registers+8(%rip)\n"
        "    mov %r13, seen_registers+16(%rip)\n"
        "    mov %r12, seen_registers+24(%rip)\n"
        "    mov %rbp, seen_registers+32(%rip)\n"
        "    mov %rbx, seen_registers+40(%rip)\n"
        "    mov %r11, seen_registers+48(%rip)\n"
        "    mov %r10, seen_registers+56(%rip)\n"
        "    mov %r9, seen_registers+64(%rip)\n"
        "    mov %r8, seen_registers+72(%rip)\n"
        "    mov %rax, seen_registers+80(%rip)\n"
        "    mov %rcx, seen_registers+88(%rip)\n"
        "    mov %rdx, seen_registers+96(%rip)\n"
        "    mov %rsi, seen_registers+104(%rip)\n"
        "    mov %rdi, seen_registers+112(%rip)\n"
        "    pushfq\n"
        "    popq seen_registers+120(%rip)\n"
        "    mov %fs:0, %rax\n"
        "    mov %rax, seen_registers+128(%rip)\n"
        "    mov %gs:0, %rax\n"
        "    mov %rax, seen_registers+136(%rip)\n"
        "    stmxcsr seen_registers+144(%rip)\n"
        "    fnstcw seen_registers+148(%rip)\n"
        "    mov %ds, seen_registers+150(%rip)\n"
        "    mov %es, seen_registers+152(%rip)\n"
        "    cld\n"
        "    jmp registers_seen_all\n");

static uint64_t at_fs = 0x1111, at_gs = 0x2222;

TEST("a vCPU begins with the registers of its context")
{
    const unsigned int id = VCPU_COUNT - 1;
    uint64_t *general = &context.user_regs.r15;

    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    context = *vcpu_context(id, (uint64_t)(uintptr_t)registers_entry);
    for (unsigned int i = 0; i < 15; i++)
        general[i] = 0x1234500000000000UL + i;
    context.user_regs.rflags = RFLAGS_DF | 0x3000; /* IOPL 3, IF off */
    context.user_regs.ds = FLAT_RING3_DS;
    context.user_regs.es = FLAT_RING3_DS;
    context.fs_base = hypercall_ptr(&at_fs);
    context.gs_base_kernel = hypercall_ptr(&at_gs);
    context.flags |= VGCF_i387_valid;
    context.fpu_ctxt.x[0] = 0x7f;  /* precision control 0 */
    context.fpu_ctxt.x[25] = 0x3f; /* MXCSR 0x3f80: rounding down */

    EXPECT_EQ(initialise(id), 0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_is_up, id, NULL), 0);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, id, NULL), 0);
    YIELD_UNTIL(seen_all && hypercall_vcpu_op(VCPUOP_is_up, id, NULL) == 0);
    for (unsigned int i = 0; i < 15; i++)
        EXPECT_EQ(seen_registers.general[i], 0x1234500000000000UL + i);
    EXPECT_EQ(seen_registers.rflags & (RFLAGS_DF | RFLAGS_IF),
              RFLAGS_DF | RFLAGS_IF);
    EXPECT_EQ(seen_registers.rflags & 0x3000, 0);
    EXPECT_EQ(seen_registers.fs, at_fs);
    EXPECT_EQ(seen_registers.gs, at_gs);
    EXPECT_EQ(seen_registers.mxcsr, 0x3f00);
    EXPECT_EQ(seen_registers.control, 0x7f | 0x40);
    EXPECT_EQ(seen_registers.ds, FLAT_RING3_DS);
    EXPECT_EQ(seen_registers.es, FLAT_RING3_DS);
}
