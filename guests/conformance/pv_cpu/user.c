/* SPDX-License-Identifier: BSD-2-Clause */
/* To user mode and back: see user.h. */

#include "user.h"

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

PAGES(stack, USER_KERNEL_STACK / PAGE_SIZE);

extern const char user_back[];

long user_callback(uint64_t address, uint16_t flags)
{
    struct callback_register syscall = {
        .type = CALLBACKTYPE_syscall, .flags = flags, .address = address};

    return hypercall_callback_op(CALLBACKOP_register, &syscall);
}

bool user_kernel(bool upper, bool masks)
{
    user_above = upper ? USER_UPPER : 0;
    return user_callback((uint64_t)(uintptr_t)user_back,
                         masks ? CALLBACKF_mask_events : 0) == 0 &&
           hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS,
                      hypercall_ptr(stack) + sizeof(stack) + user_above) == 0;
}

static long map_above(uint64_t entry)
{
    const void *base = (const void *)(uintptr_t)start_info->pt_base;

    return mmu_one(entry_at(base, USER_UPPER_SLOT), entry);
}

bool user_begin(void)
{
    const uint64_t *base = (const void *)(uintptr_t)start_info->pt_base;

    user_came = 0;
    return map_above(base[0]) == 0 && user_kernel(false, true) &&
           mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(base), 0) == 0;
}

void user_end(void)
{
    EXPECT_TRUE(user_kernel(false, true));
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
    EXPECT_EQ(map_above(0), 0);
}

struct iret_context user_context(void)
{
    return (struct iret_context){
        .rip = (uint64_t)(uintptr_t)user_code,
        .cs = FLAT_RING3_CS64,
        .rflags = RFLAGS_IF,
        .rsp = hypercall_ptr(stack) + PAGE_SIZE,
        .ss = FLAT_RING3_DS,
    };
}

bool user_masked;

static void go(void *context)
{
    user_go(context);
}

bool user_probe(const struct iret_context *context)
{
    struct iret_context c = *context;
    bool faulted = fault_probe(go, &c);

    user_masked = shared_info->vcpu_info[0].evtchn_upcall_mask != 0;
    mask_upcalls();
    return faulted;
}
