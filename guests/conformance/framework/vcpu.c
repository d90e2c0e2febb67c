/* SPDX-License-Identifier: BSD-2-Clause */
/* Further vCPUs of a test guest: see vcpu.h. */

#include "framework/vcpu.h"

#include <string.h>

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define STACK_BYTES (4 * PAGE_SIZE)
#define WAIT_NS     60000000000UL

PAGES(stacks, (VCPU_COUNT - 1) * STACK_BYTES / PAGE_SIZE);

static struct {
    vcpu_fn *fn;
    uint64_t argument;
    bool started;       /* it has registers */
    volatile bool busy; /* its function runs */
} vcpus[VCPU_COUNT];

unsigned int vcpu_self(void)
{
    uint64_t offset =
        (uint64_t)(uintptr_t)__builtin_frame_address(0) - hypercall_ptr(stacks);

    return offset < sizeof(stacks) ? 1 + (unsigned int)(offset / STACK_BYTES)
                                   : 0;
}

unsigned int vcpu_count(void)
{
    unsigned int count = 1;

    while (count < VCPU_COUNT &&
           hypercall_vcpu_op(VCPUOP_is_up, count, NULL) >= 0)
        count++;
    return count;
}

/* Off line whenever there is nothing to do; vcpu_start() gets it up again. */
static _Noreturn void vcpu_main(void)
{
    unsigned int id = vcpu_self();

    for (;;) {
        vcpus[id].fn(vcpus[id].argument);
        __atomic_store_n(&vcpus[id].busy, false, __ATOMIC_SEQ_CST);
        while (!__atomic_load_n(&vcpus[id].busy, __ATOMIC_SEQ_CST))
            hypercall_vcpu_op(VCPUOP_down, id, NULL);
    }
}

const struct vcpu_guest_context *vcpu_context(unsigned int id, uint64_t entry)
{
    static struct vcpu_guest_context c;
    /* As if the entry had been called. */
    uint64_t stack = hypercall_ptr(stacks) + id * STACK_BYTES - 8;

    c = (struct vcpu_guest_context){
        .flags = VGCF_in_kernel,
        .user_regs = {.rip = entry,
                      .rsp = stack,
                      .rflags = RFLAGS_IF,
                      .cs = FLAT_RING3_CS64,
                      .ss = FLAT_RING3_DS},
        .kernel_ss = FLAT_RING3_DS,
        .kernel_sp = stack,
        .event_callback_eip = hypercall_ptr(upcall_stub),
        .failsafe_callback_eip = hypercall_ptr(failsafe_stub),
    };
    for (unsigned int i = 0; i < EXCEPTION_COUNT; i++)
        c.trap_ctxt[i] = trap_entry(i);
    if (!on_cairn)
        c.ctrlreg[3] =
            frame_of((const void *)(uintptr_t)start_info->pt_base) * PAGE_SIZE;
    return &c;
}

const struct vcpu_guest_context *vcpu_own_context(unsigned int id)
{
    return vcpu_context(id, (uint64_t)(uintptr_t)vcpu_main);
}

/* Or somebody has done so, from vcpu_own_context(). */
static bool initialise(unsigned int id)
{
    union {
        const struct vcpu_guest_context *from;
        void *plain;
    } context = {.from = vcpu_own_context(id)};
    long rc = hypercall_vcpu_op(VCPUOP_initialise, id, context.plain);

    if (rc != 0 && rc != -ABI_EEXIST)
        print("vCPU %u cannot be initialised: %ld\n", id, rc);
    return rc == 0 || rc == -ABI_EEXIST;
}

bool vcpu_start(unsigned int id, vcpu_fn *fn, uint64_t argument)
{
    if (vcpus[id].busy) {
        test_error("a vCPU is busy");
        return false;
    }
    /* It may be on its way off line: up would come too early. */
    if (!vcpu_wait(id))
        return false;
    if (!vcpus[id].started && !initialise(id)) {
        test_error("a vCPU does not start");
        return false;
    }
    vcpus[id].started = true;
    vcpus[id].fn = fn;
    vcpus[id].argument = argument;
    __atomic_store_n(&vcpus[id].busy, true, __ATOMIC_SEQ_CST);
    if (hypercall_vcpu_op(VCPUOP_up, id, NULL) != 0) {
        test_error("a vCPU does not come up");
        return false;
    }
    return true;
}

void vcpus_forget(void)
{
    memset(vcpus, 0, sizeof(vcpus));
}

bool vcpu_done(unsigned int id)
{
    return !__atomic_load_n(&vcpus[id].busy, __ATOMIC_SEQ_CST) &&
           hypercall_vcpu_op(VCPUOP_is_up, id, NULL) == 0;
}

void vcpu_yield(void)
{
    hypercall_sched_op(SCHEDOP_yield, NULL);
}

bool vcpu_wait(unsigned int id)
{
    uint64_t deadline = now_ns() + WAIT_NS;

    while (!vcpu_done(id)) {
        if (now_ns() > deadline) {
            test_error("a vCPU does not end its function");
            return false;
        }
        vcpu_yield();
    }
    return true;
}
