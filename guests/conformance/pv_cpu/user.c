/* SPDX-License-Identifier: BSD-2-Clause */
/* To user mode and back: see user.h. */

#include "user.h"

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

PAGES(stack, USER_KERNEL_STACK / PAGE_SIZE);

extern const char user_back[];

bool user_begin(void)
{
    const void *base = (const void *)(uintptr_t)start_info->pt_base;
    struct callback_register syscall = {
        .type = CALLBACKTYPE_syscall,
        .flags = CALLBACKF_mask_events,
        .address = (uint64_t)(uintptr_t)user_back,
    };

    user_came = 0;
    return hypercall_callback_op(CALLBACKOP_register, &syscall) == 0 &&
           hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS,
                      hypercall_ptr(stack) + sizeof(stack)) == 0 &&
           mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(base), 0) == 0;
}

void user_end(void)
{
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
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

static void go(void *context)
{
    user_go(context);
}

bool user_probe(const struct iret_context *context)
{
    struct iret_context c = *context;
    bool faulted = fault_probe(go, &c);

    mask_upcalls();
    return faulted;
}
