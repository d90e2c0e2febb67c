/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Dispatch, calls that are made again, and lists of calls: the guest is a loop
 * that makes its call again for as long as its rip was moved back.
 */

/* LINK: hypervisor/hypercall/dispatch.c hypervisor/hypercall/multicall.c */

#include <abi/hypercall.h>
#include <abi/multicall.h>

#include "arch/x86_64/upcalls.h"
#include "core/time.h"
#include "domain/vcpu.h"
#include "hypercall/hypercall.h"
#include "lib/frame_number.h"
#include "pv/guest_copy.h"
#include "unit/test.h"

char unit_test_cpu_area[CPU_AREA_SIZE] __attribute__((aligned(16)));
struct vcpu *percpu_current_vcpu;
bool percpu_need_resched, percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
const uint8_t upcall_due[2];
uint32_t tsc_khz;

static struct vcpu vcpu;
static unsigned int calls, waits, resched_after;

/* What each made call was, in order. */
static struct {
    uint64_t nr, a1, a2;
} made[64];

/* Calls of vm_assist that do a quantum and want to be made again. */
static unsigned int continue_for;

/* The copy that fails for want of memory, counted from 1; 0: none does. */
static unsigned int starve_copy, copies;

/* The frame of the next iret is where no memory is yet. */
static bool starve_iret;

static long note(uint64_t nr, uint64_t a1, uint64_t a2)
{
    if (calls < 64) {
        made[calls].nr = nr;
        made[calls].a1 = a1;
        made[calls].a2 = a2;
    }
    calls++;
    if (resched_after && calls == resched_after)
        percpu_need_resched = true;
    return (long)(nr * 100);
}

/* What is noted of a handler's arguments: the first two, if it has as many. */
#define NOTED_1 a1, 0
#define NOTED_2 a1, a2
#define NOTED_3 a1, a2 + 0 * a3
#define NOTED_4 a1, a2 + 0 * (a3 + a4)
#define FAKE(number, name, args)                                               \
    long hypercall_##name(HYPERCALL_PARAMS_##args)                             \
    {                                                                          \
        return note(number, NOTED_##args);                                     \
    }
FAKE(0, set_trap_table, 1)
FAKE(3, stack_switch, 2)
FAKE(4, set_callbacks, 3)
FAKE(12, memory_op, 2)
FAKE(15, set_timer_op, 1)
FAKE(17, xen_version, 2)
FAKE(18, console_io, 3)
FAKE(20, grant_table_op, 3)
FAKE(24, vcpu_op, 3)
FAKE(25, set_segment_base, 2)
FAKE(29, sched_op, 2)
FAKE(30, callback_op, 2)
FAKE(32, event_channel_op, 2)
FAKE(33, physdev_op, 2)
FAKE(64, light_op, 2)
FAKE(65, control_op, 1)
FAKE(66, device_op, 1)
FAKE(1, mmu_update, 4)
FAKE(2, set_gdt, 2)
FAKE(5, fpu_taskswitch, 1)
FAKE(8, set_debugreg, 2)
FAKE(9, get_debugreg, 1)
FAKE(10, update_descriptor, 2)
FAKE(14, update_va_mapping, 3)
FAKE(22, update_va_mapping_otherdomain, 4)
FAKE(26, mmuext_op, 4)
FAKE(28, nmi_op, 2)

/* Numbers that are none of ours. */
long hypercall_refused(uint64_t nr, uint64_t a1)
{
    (void)nr, (void)a1;
    return -ENOSYS;
}

/* Counts its second argument down, one a quantum. */
long hypercall_vm_assist(uint64_t a1, uint64_t a2)
{
    note(21, a1, a2);
    if (!continue_for)
        return 2100;
    continue_for--;
    hypercall_set_arg(1, a1 + 1);
    hypercall_set_arg(2, a2 - 1);
    return hypercall_continue();
}

long hypercall_iret(void)
{
    return note(23, 0, 0);
}

void upcall_iret(struct cpu_regs *regs, struct vcpu *v)
{
    note(23, 0, 0);
    if (starve_iret) {
        starve_iret = false;
        v->wants_memory = v->repeat = true;
        return;
    }
    regs->rip = 0x777;
    regs->rax = 0x1234;
}

void fault_wait_for_memory(void)
{
    waits++;
    fault_do_not_wait();
}

static bool is_starved(void)
{
    if (++copies != starve_copy)
        return false;
    vcpu.wants_memory = vcpu.repeat = true;
    return true;
}

/* Addresses below a page are nobody's. */
bool unit_test_guest_word(uint64_t va, void *value, size_t size, bool store)
{
    if (va < PAGE_SIZE || va >= 1ULL << 47 || is_starved())
        return false;
    memcpy(store ? (void *)va : value, store ? value : (void *)va, size);
    return true;
}

int copy_bytes_to_guest(struct guest_ptr dst, const void *src, size_t size)
{
    if (dst.va < PAGE_SIZE || dst.va > 1ULL << 47 || is_starved())
        return -EFAULT;
    memcpy((void *)dst.va, src, size);
    return 0;
}

/* --- The guest -------------------------------------------------------------
 */

static unsigned int entries;

#define AFTER_SYSCALL 0x1002U

/* As SYSCALL and entry.S do it, until the call has returned. */
static long call(uint64_t nr, uint64_t a1, uint64_t a2)
{
    struct cpu_regs *r = guest_regs();

    r->rax = nr;
    r->rdi = a1;
    r->rsi = a2;
    for (entries = 0; entries < 1000; entries++) {
        r->rip = AFTER_SYSCALL;
        percpu_need_resched = false;
        upcall_hypercall_done(
            upcall_hypercall(r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->rax));
        if (r->rip != AFTER_SYSCALL - 2)
            break;
        EXPECT_EQ(r->rax, nr);
    }
    return (long)r->rax;
}

void setup(void)
{
    memset(&vcpu, 0, sizeof(vcpu));
    memset(guest_regs(), 0, sizeof(struct cpu_regs));
    percpu_current_vcpu = &vcpu;
    calls = waits = resched_after = continue_for = 0;
    starve_copy = copies = 0;
    tsc_khz = 1U << 31; /* A quantum that does not end by itself. */
}

void teardown(void)
{
    EXPECT_FALSE(vcpu.repeat);
    EXPECT_FALSE(vcpu.wants_memory);
    EXPECT_PTR(percpu_multicall_rest, NULL);
}

static struct multicall_entry list[40];

/* Moved for an entry: its number, result, five arguments; again the result. */
#define WORDS 8U

static void fill(unsigned int count)
{
    memset(list, 0, sizeof(list));
    for (unsigned int i = 0; i < count; i++)
        list[i] = (struct multicall_entry){
            .op = HYPERCALL_event_channel_op, .result = -1, .args = {i, i + 1}};
}

static long multicall(unsigned int count)
{
    return call(HYPERCALL_multicall, (uintptr_t)list, count);
}

TEST("every number of the list reaches its handler, with its arguments")
{
    static const struct {
        uint64_t number, args;
    } all[] = {
#define HYPERCALL(number, name, args) {number, args},
#include <abi/hypercalls.def>
#undef HYPERCALL
    };

    vcpu.pv = (struct pv_vcpu *)(void *)&vcpu; /* only that there is one */
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        uint64_t nr = all[i].number;

        if (nr == HYPERCALL_multicall || nr == HYPERCALL_iret)
            continue;
        calls = 0;
        EXPECT_EQ(call(nr, 7, 8), (long)nr * 100);
        EXPECT_EQ(made[0].nr, nr);
        EXPECT_EQ(made[0].a1, 7);
        EXPECT_EQ(made[0].a2, all[i].args > 1 ? 8 : 0);
    }
}

TEST("the calls of class pv are no others'")
{
    vcpu.pv = NULL;
    EXPECT_EQ(call(HYPERCALL_mmu_update, 7, 8), -ENOSYS);
    EXPECT_EQ(call(HYPERCALL_mmuext_op, 7, 8), -ENOSYS);
    EXPECT_EQ(call(HYPERCALL_set_gdt, 7, 8), -ENOSYS);
    EXPECT_EQ(calls, 0);
}

TEST("any other number is -ENOSYS")
{
    static const uint64_t numbers[] = {
        1, 2, 31, 67, 72, 128, 1UL << 32, (1UL << 32) + 17, 1UL << 63, ~0UL};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        EXPECT_EQ(call(numbers[i], 0, 0), -ENOSYS);
    EXPECT_EQ(calls, 0);
}

TEST("a call that continues is made again with what it changed, then returns")
{
    continue_for = 3;
    EXPECT_EQ(call(HYPERCALL_vm_assist, 10, 20), 2100);
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(made[3].a1, 13);
    EXPECT_EQ(made[3].a2, 17);
}

TEST("the entries of a list are made in order, with a result each")
{
    fill(5);
    list[2].op = 999;
    EXPECT_EQ(multicall(5), 0);
    EXPECT_EQ(calls, 4);
    for (unsigned int i = 0; i < 5; i++)
        EXPECT_EQ(list[i].result, i == 2 ? -ENOSYS : 3200);
    EXPECT_EQ(made[3].a1, 4);
    EXPECT_EQ(entries, 0);
}

TEST("an empty list is done, wherever it is")
{
    EXPECT_EQ(call(HYPERCALL_multicall, 8, 0), 0);
}

TEST("a list inside a list is refused, alone")
{
    fill(3);
    list[1].op = HYPERCALL_multicall;
    list[1].args[0] = (uintptr_t)list;
    list[1].args[1] = 3;
    EXPECT_EQ(multicall(3), 0);
    EXPECT_EQ(list[1].result, -EINVAL);
    EXPECT_EQ(list[2].result, 3200);
}

TEST("a list that cannot be read is -EFAULT")
{
    EXPECT_EQ(call(HYPERCALL_multicall, 8, 1), -EFAULT);
    EXPECT_EQ(call(HYPERCALL_multicall, ~0UL - 63, 2), -EFAULT);
    EXPECT_EQ(call(HYPERCALL_multicall, 8, ~0UL), -EFAULT);
    EXPECT_EQ(calls, 0);
}

TEST("a long list lets others run when its time is over, and makes each once")
{
    tsc_khz = 0;
    fill(40);
    EXPECT_EQ(multicall(40), 0);
    EXPECT_EQ(entries, 39);
    EXPECT_EQ(calls, 40);
    for (unsigned int i = 0; i < 40; i++) {
        EXPECT_EQ(made[i].a1, i);
        EXPECT_EQ(list[i].result, 3200);
    }
}

TEST("a list stops for a vCPU that has to go, and goes on behind")
{
    fill(10);
    resched_after = 4;
    EXPECT_EQ(multicall(10), 0);
    EXPECT_EQ(entries, 1);
    EXPECT_EQ(calls, 10);
    EXPECT_EQ(made[4].a1, 4);
}

TEST("an entry that continues is gone on with, what was before it is not")
{
    fill(4);
    list[1].op = HYPERCALL_vm_assist;
    continue_for = 2;
    EXPECT_EQ(multicall(4), 0);
    EXPECT_EQ(calls, 6);
    EXPECT_EQ(made[0].nr, 32);
    EXPECT_EQ(made[1].nr, 21);
    EXPECT_EQ(made[3].nr, 21);
    EXPECT_EQ(made[3].a1, 3);
    EXPECT_EQ(made[3].a2, 0);
    EXPECT_EQ(list[1].result, 2100);
    EXPECT_EQ(list[3].result, 3200);
    EXPECT_EQ(entries, 2);
}

TEST("an iret in a list ends it, and its rax is the guest's")
{
    fill(3);
    list[1].op = HYPERCALL_iret;
    this_cpu(slow_return) = false;
    EXPECT_EQ(multicall(3), 0x1234);
    EXPECT_TRUE(this_cpu(slow_return)); /* registers are the frame's */
    EXPECT_EQ(guest_regs()->rip, 0x777);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(list[2].result, -1);
}

TEST("an iret that finds no memory for its frame makes no entry twice")
{
    fill(3);
    list[1].op = HYPERCALL_iret;
    starve_iret = true;
    EXPECT_EQ(multicall(3), 0x1234);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(calls, 3);
    EXPECT_EQ(made[1].nr, 23);
    EXPECT_EQ(made[2].nr, 23);
}

TEST("a list that finds no memory for an entry waits, and makes each once")
{
    fill(4);
    starve_copy = 2 * WORDS + 3; /* Reading the third. */
    EXPECT_EQ(multicall(4), 0);
    EXPECT_EQ(waits, 1);
    EXPECT_EQ(calls, 4);
    for (unsigned int i = 0; i < 4; i++)
        EXPECT_EQ(made[i].a1, i);
}

TEST("a result that cannot be written ends the list, with no call made twice")
{
    fill(4);
    starve_copy = 2 * WORDS; /* The result of the second. */
    EXPECT_EQ(multicall(4), -EFAULT);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(waits, 0);
}

TEST("what an entry has left to do and cannot be written ends the list, too")
{
    fill(4);
    list[1].op = HYPERCALL_vm_assist;
    continue_for = 2;
    starve_copy = 2 * WORDS; /* Its first argument, in place of its result. */
    EXPECT_EQ(multicall(4), -EFAULT);
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(waits, 0);
    EXPECT_EQ(list[2].result, -1);
}

TEST("progress inside a list goes into the list, not into registers")
{
    fill(2);
    list[0].op = HYPERCALL_vm_assist;
    continue_for = 1;
    EXPECT_EQ(multicall(2), 0);
    EXPECT_EQ(list[0].args[0], 1);
    EXPECT_EQ(list[0].args[1], 0);
    EXPECT_EQ(list[0].op, HYPERCALL_vm_assist);
    EXPECT_EQ(guest_regs()->rdi, (uintptr_t)list);
}
