/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that are no hypercall, and commands that none of them knows. */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

static bool is_known(uint64_t number)
{
    switch (number) {
#define HYPERCALL(number_, name, args) case number_:
#include <abi/hypercalls.def>
#undef HYPERCALL
        return true;
    default:
        return false;
    }
}

/* eax is the number: what is above it counts for nothing or as unknown. */
static long raw_call(uint64_t number)
{
    long rc;

    __asm__ volatile("syscall"
                     : "=a"(rc)
                     : "0"(number), "D"(0UL), "S"(0UL), "d"(0UL)
                     : "rcx", "r11", "memory");
    return rc;
}

/* Known, and refused in their own way: refused.c. */
static bool is_refused(uint64_t number)
{
    return number == 7 || (number >= 34 && number <= 42) || number == 48;
}

TEST("every number that is not in the list answers -ENOSYS")
{
    /* Xen has calls that Cairn has not; there only what no Xen has. */
    for (uint64_t number = on_xen ? 56 : 0; number < 1024; number++) {
        if ((!is_known(number) && !is_refused(number)) ||
            (on_xen && number > 63))
            EXPECT_EQ(raw_call(number), -ABI_ENOSYS);
    }
}

TEST("large and negative numbers answer -ENOSYS")
{
    static const uint64_t numbers[] = {0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       0xfffffff0,
                                       1UL << 20,
                                       ~0UL,
                                       0x8000000000000040 | 63};

    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        EXPECT_EQ(raw_call(numbers[i]), -ABI_ENOSYS);
}

TEST("the page table calls of class pv answer -ENOSYS in class light")
{
    /* mmu_update, set_gdt, update_va_mapping, mmuext_op, update_descriptor. */
    static const unsigned int numbers[] = {1, 2, 10, 14, 22, 26};

    SKIP_ON_XEN("they are Xen's own way");
    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        EXPECT_EQ(raw_call(numbers[i]), -ABI_ENOSYS);
}

TEST("an unknown command answers -ENOSYS in every call that has commands")
{
    static const struct {
        const char *name;
        unsigned int number;
        bool only_cairn;
    } calls[] = {
        {"memory_op", HYPERCALL_memory_op, false},
        {"xen_version", HYPERCALL_xen_version, false},
        {"console_io", HYPERCALL_console_io, false},
        {"sched_op", HYPERCALL_sched_op, false},
        {"callback_op", HYPERCALL_callback_op, false},
        {"event_channel_op", HYPERCALL_event_channel_op, false},
        {"light_op", HYPERCALL_light_op, true},
    };
    uint64_t arg[16] = {0};

    for (unsigned int i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if (calls[i].only_cairn && !on_cairn)
            continue;
        if (calls[i].number == HYPERCALL_console_io && !on_cairn &&
            !initial_domain)
            continue; /* -EPERM, whatever it is */
        test_input = calls[i].name;
        EXPECT_EQ(hypercall3(calls[i].number, 61, hypercall_ptr(arg), 0),
                  -ABI_ENOSYS);
        EXPECT_EQ(
            hypercall3(calls[i].number, 0x7fffffff, hypercall_ptr(arg), 0),
            -ABI_ENOSYS);
    }
    test_input = NULL;
}

TEST("callback_op knows its types, refuses others and bad addresses")
{
    struct callback_register op = {.type = 99, .address = 0x1000};
    struct callback_unregister gone = {.type = CALLBACKTYPE_event};

    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_register, &op), -ABI_ENOSYS);
    op.type = 0xffff;
    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_register, &op), -ABI_ENOSYS);
    op.type = CALLBACKTYPE_event;
    op.address = 0x0000800000000000;
    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_register, &op), -ABI_EINVAL);
    op.address = hypercall_ptr(upcall_stub);
    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_register, &op), 0);
    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_unregister, &gone), -ABI_EINVAL);
}

TEST("callback_op takes every type that kernels register")
{
    static const uint16_t types[] = {CALLBACKTYPE_failsafe,
                                     CALLBACKTYPE_syscall, 5, 7};
    struct callback_register op = {.flags = CALLBACKF_mask_events};

    for (unsigned int i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        op.type = types[i];
        op.address = 0x0000800000000000;
        EXPECT_EQ(hypercall_callback_op(CALLBACKOP_register, &op), -ABI_EINVAL);
        op.address = hypercall_ptr(failsafe_stub);
        EXPECT_EQ(hypercall_callback_op(CALLBACKOP_register, &op), 0);
    }
}

TEST("only the NMI's callback can be taken back")
{
    struct callback_unregister op = {.type = CALLBACKTYPE_nmi};

    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_unregister, &op), 0);
    for (op.type = 0; op.type <= CALLBACKTYPE_syscall; op.type++)
        EXPECT_EQ(hypercall_callback_op(CALLBACKOP_unregister, &op),
                  -ABI_EINVAL);
    op.type = 99;
    EXPECT_EQ(hypercall_callback_op(CALLBACKOP_unregister, &op), -ABI_ENOSYS);
}

TEST("set_callbacks returns 0, and keeps the old callback if one is bad")
{
    EXPECT_EQ(hypercall3(HYPERCALL_set_callbacks, 0x8000000000000000,
                         hypercall_ptr(failsafe_stub), 0),
              0);
    EXPECT_EQ(hypercall3(HYPERCALL_set_callbacks, hypercall_ptr(upcall_stub),
                         0x8000000000000000, ~0UL >> 1),
              0);
    EXPECT_EQ(hypercall3(HYPERCALL_set_callbacks, hypercall_ptr(upcall_stub),
                         hypercall_ptr(failsafe_stub), 0),
              0);
}
