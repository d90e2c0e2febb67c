/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Address spaces of a guest of class pv: from one to another, and from the
 * kernel's to a program's and back.
 */

#include "micro/measure.h"

#include <abi/hypercall.h>
#include <abi/mmu.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/tables.h"

#include "micro/entry.h"

/* Table of level 4 with all that our own has, but what the hypervisor puts. */
PAGES(copy, 1);
PAGES(program_stack, 1);
PAGES(kernel_stack, 1);

static struct mmuext_op going, *going_at;
static uint64_t own_frame, copy_frame, kernel_rsp;

OPERATION(new_base)
{
    return hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(going_at), 1, 0,
                      DOMID_SELF);
}

OPERATION(stack_switch)
{
    return hypercall2(HYPERCALL_stack_switch, FLAT_RING3_DS, kernel_rsp);
}

OPERATION(set_segment_base)
{
    return hypercall2(HYPERCALL_set_segment_base, SEGBASE_FS, 0);
}

static void choose_base(void)
{
    going.arg1 = going.arg1 == own_frame ? copy_frame : own_frame;
}

static void mark_program(void)
{
    micro_program_came = 0;
}

/* The program's interrupts were open, and so were upcalls. */
static long check_program(long rc)
{
    mask_upcalls();
    return rc != 0 || micro_program_came == 1 ? rc : 1;
}

static int make_copy(void)
{
    const uint64_t *own = (const void *)(uintptr_t)start_info->pt_base;
    uint64_t *to = (uint64_t *)(void *)copy;

    for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
        if (i < RESERVED_SLOT_FIRST || i >= RESERVED_SLOT_END)
            to[i] = own[i];
    own_frame = frame_of(own);
    copy_frame = frame_of(copy);
    return map_readable(copy) == 0 && pin(copy, 4) == 0;
}

static void measure_program(void)
{
    static const struct operation by_iret = {"program_syscall", micro_program,
                                             mark_program, check_program};
    static const struct operation by_sysret = {
        "program_syscall_sysret", micro_program, mark_program, check_program};
    struct callback_register back = {
        .type = CALLBACKTYPE_syscall,
        .flags = CALLBACKF_mask_events,
        .address = hypercall_ptr(micro_program_back),
    };

    program_stack[0] = 1;
    micro_program_rsp = hypercall_ptr(program_stack) + PAGE_SIZE;
    if (stack_switch() != 0 ||
        hypercall_callback_op(CALLBACKOP_register, &back) != 0 ||
        mmuext_call(MMUEXT_NEW_USER_BASEPTR, copy_frame, 0) != 0) {
        print("no program\n");
        return;
    }
    measure(&by_iret);
    micro_program_context = VGCF_in_syscall;
    measure(&by_sysret);
    (void)mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0);
}

void measure_spaces(void)
{
    static const struct operation segment = {"set_segment_base",
                                             set_segment_base, NULL, NULL};
    static const struct operation stack = {"stack_switch", stack_switch, NULL,
                                           NULL};
    static const struct operation base = {"new_baseptr", new_base, choose_base,
                                          NULL};

    if (on_cairn)
        return;
    kernel_rsp = hypercall_ptr(upper(kernel_stack)) + PAGE_SIZE;
    measure(&stack);
    measure(&segment);
    if (!make_copy()) {
        print("no second space\n");
        return;
    }
    going = (struct mmuext_op){.cmd = MMUEXT_NEW_BASEPTR, .arg1 = own_frame};
    going_at = upper(&going);
    measure(&base);
    going.arg1 = own_frame;
    new_base();
    measure_program();
}
