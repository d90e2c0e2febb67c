/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain can do to itself: each of these ends the child, with a reason
 * that can be read, and leaves everybody else alone.
 */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("how a domain ended is asked by control_op")

static uint64_t fault_without_handlers(uint64_t kind)
{
    hypercall_set_trap_table(NULL);
    switch (kind) {
    case 0:
        /* On Xen there is something at 0. */
        *(volatile int *)0x00007fff00000000 = 1;
        break;
    case 1:
        __asm__ volatile("ud2");
        break;
    case 2:
        __asm__ volatile("int3");
        break;
    case 3:
        __asm__ volatile("hlt");
        break;
    case 4:
        __asm__ volatile("xor %%ecx, %%ecx; div %%ecx" : : : "rcx", "rax");
        break;
    default:
        break;
    }
    return 0;
}

TEST("an exception without a handler crashes the domain")
{
    for (uint64_t kind = 0; kind < 5; kind++)
        child_must_crash(fault_without_handlers, kind);
}

static uint64_t fault_on_stack(uint64_t rsp)
{
    __asm__ volatile("mov %0, %%rsp; ud2" : : "r"(rsp) : "memory");
    return 0;
}

TEST("a stack that cannot hold the frame crashes the domain")
{
    static const uint64_t stacks[] = {0,
                                      8,
                                      16,
                                      0x0000800000000000,
                                      0x8000000000000000,
                                      0xffff820000002000,
                                      0xffff800000000000,
                                      0xffff880000000000,
                                      ~0UL,
                                      0x00007ffffffff000};

    for (unsigned int i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++)
        child_must_crash(fault_on_stack, stacks[i]);
}

PAGES(guarded, 2);

static uint64_t overflow_stack(uint64_t unused)
{
    (void)unused;
    guard_page(guarded);
    return fault_on_stack(hypercall_ptr(guarded + PAGE_SIZE + 16));
}

TEST("a frame that would reach into a guard page crashes the domain")
{
    child_must_crash(overflow_stack, 0);
}

static uint64_t handler_nowhere(uint64_t address)
{
    struct trap_info table[3] = {
        {.vector = TRAP_PF, .address = address},
        {.vector = TRAP_UD, .address = address},
    };

    hypercall_set_trap_table(table);
    __asm__ volatile("ud2");
    return 0;
}

TEST("a handler that faults for ever crashes the domain, not the host")
{
    child_must_crash(handler_nowhere, 0x00007fffdead0000);
    child_must_crash(handler_nowhere, 0xffff820000001000);
}

static uint64_t event_at_nowhere(uint64_t address)
{
    evtchn_port_t port = port_bind_ipi(0);

    hypercall3(HYPERCALL_set_callbacks, address, 0, 0);
    port_send(port);
    unmask_upcalls();
    return 0;
}

TEST("an event without a callback crashes the domain")
{
    child_must_crash(event_at_nowhere, 0);
}

static uint64_t execute_data(uint64_t unused)
{
    static const uint8_t code[] = {0xc3};

    (void)unused;
    hypercall_set_trap_table(NULL);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}

TEST("executing data without a handler crashes the domain")
{
    SKIP_ON_XEN("its builder maps data executable");
    child_must_crash(execute_data, 0);
}

static uint64_t ask_to_crash(uint64_t reason)
{
    struct sched_shutdown op = {.reason = (uint32_t)reason};

    hypercall_sched_op(SCHEDOP_shutdown, &op);
    return 0;
}

TEST("a domain's shutdown tells its reason, and ends nobody else")
{
    static const uint32_t reasons[] = {SHUTDOWN_poweroff, SHUTDOWN_reboot,
                                       SHUTDOWN_crash, SHUTDOWN_watchdog};
    struct child child;

    ONLY_CAIRN;
    for (unsigned int i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (!child_start(&child, NULL, ask_to_crash, reasons[i]))
            return;
        EXPECT_TRUE(child_wait(&child));
        EXPECT_FALSE(child.finished);
        EXPECT_EQ(child.info.shutdown_reason, reasons[i]);
        child_destroy(&child);
    }
}

static uint64_t bad_reason(uint64_t reason)
{
    struct sched_shutdown op = {.reason = (uint32_t)reason};

    return (uint64_t)hypercall_sched_op(SCHEDOP_shutdown, &op);
}

TEST("a shutdown for a reason that is none is -EINVAL or ends the domain")
{
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, NULL, bad_reason, 0xffffffff))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_TRUE(!child.finished || (int64_t)child.result == -ABI_EINVAL);
    child_destroy(&child);
}
