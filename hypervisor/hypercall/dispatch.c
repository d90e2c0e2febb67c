/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a hypercall's number to its handler.
 *
 * The switch is made by the compiler into a tree of comparisons: a guest's
 * number never becomes an index or the target of an indirect branch, so there
 * is nothing in it to be mistrained.
 */

#include "hypercall/hypercall.h"

#include "arch/x86_64/upcalls.h"

#define SYSCALL_BYTES 2U

long hypercall_continue(void)
{
    vcpu_repeat(current);
    return 0;
}

void hypercall_set_arg(unsigned int n, uint64_t value)
{
    struct cpu_regs *regs = guest_regs();
    uint64_t *const args[] = {&regs->rdi, &regs->rsi, &regs->rdx, &regs->r10,
                              &regs->r8};

    if (this_cpu(multicall_rest))
        multicall_set_arg(this_cpu(multicall_rest), n, value);
    else
        *args[n - 1] = value;
}

#define ARGS_0 ()
#define ARGS_1 (a1)
#define ARGS_2 (a1, a2)
#define ARGS_3 (a1, a2, a3)
#define ARGS_4 (a1, a2, a3, a4)
#define CASE(number, name, args)                                               \
    case number:                                                               \
        return hypercall_##name ARGS_##args;
#define NOTHING(number, name, args)

long upcall_hypercall_pv(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5, uint64_t nr)
{
    (void)a5;

    switch (nr) {
#define HYPERCALL    CASE
#define HYPERCALL_PV NOTHING
#include <abi/hypercalls.def>
#undef HYPERCALL
    default:
        break;
    }
    switch (nr) {
#define HYPERCALL    NOTHING
#define HYPERCALL_PV CASE
#include <abi/hypercalls.def>
#undef HYPERCALL
    default:
        return hypercall_refused(nr, a1);
    }
}

/* In a multicall. */
static __noinline long hypercall_other(uint64_t a1, uint64_t a2, uint64_t a3,
                                       uint64_t a4, uint64_t nr)
{
    return current->pv ? upcall_hypercall_pv(a1, a2, a3, a4, 0, nr)
                       : hypercall_refused(nr, a1);
}

/* The number is last, so that arguments stay in the registers they came in. */
long upcall_hypercall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                      uint64_t a5, uint64_t nr)
{
    (void)a5; /* None of ours has as many. */

    switch (nr) {
#define HYPERCALL    CASE
#define HYPERCALL_PV NOTHING
#include <abi/hypercalls.def>
#undef HYPERCALL
    default:
        return nr > HYPERCALL_REFUSED_LAST
                   ? -ENOSYS
                   : hypercall_other(a1, a2, a3, a4, nr);
    }
}

void upcall_hypercall_done(long rc)
{
    struct cpu_regs *regs = guest_regs();
    struct vcpu *v = current;

    if (!v->repeat) {
        regs->rax = (uint64_t)rc;
        return;
    }
    /* The guest executes its SYSCALL again, now or once there is memory. */
    regs->rip -= SYSCALL_BYTES;
    if (v->wants_memory)
        fault_wait_for_memory();
    v->repeat = false;
}
