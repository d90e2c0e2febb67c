/* SPDX-License-Identifier: BSD-2-Clause */
/* multicall: a list of hypercalls, one after the other. */

#include "hypercall/hypercall.h"

#include <abi/hypercall.h>
#include <abi/multicall.h>

#include "arch/x86_64/cpu.h"
#include "core/time.h"
#include "domain/fault.h"
#include "domain/vcpu.h"
#include "lib/errno.h"
#include "pv/guest_copy.h"

/*
 * How long one goes on before pending work is looked at; and the clock is
 * looked at after every so many entries, each of which is bounded by itself.
 */
#define QUANTUMS_PER_MS 64U
#define CLOCK_ENTRIES   4U

/* One entry; its result, or what is left of it, goes back to the guest. */
static int make_entry(struct guest_ptr at, struct multicall_entry *e)
{
    this_cpu(multicall_args) = e->args;
    if (e->op == HYPERCALL_multicall)
        e->result = -EINVAL;
    else
        e->result = hypercall_call(e->op, e->args);
    this_cpu(multicall_args) = NULL;

    if (current->repeat)
        return copy_to_guest(at, e, sizeof(*e));
    return copy_to_guest(
        guest_ptr(at.va + offsetof(struct multicall_entry, result)), &e->result,
        sizeof(e->result));
}

/* Go on with what is left, from @done entries on. */
static long go_on(struct guest_ptr list, uint64_t count, uint64_t done)
{
    hypercall_set_arg(1, list.va + done * sizeof(struct multicall_entry));
    hypercall_set_arg(2, count - done);
    return hypercall_continue();
}

/* The list ends at entry @i, an iret, unless that has to wait for memory. */
static long end_by_iret(struct guest_ptr list, uint64_t count, uint64_t i)
{
    long rax = hypercall_iret(0, 0, 0, 0, 0);

    return current->repeat ? go_on(list, count, i) : rax;
}

long hypercall_multicall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    struct guest_ptr list = guest_ptr(a1);
    uint64_t end = rdtsc() + tsc_khz / QUANTUMS_PER_MS;
    struct multicall_entry e;

    (void)a3, (void)a4, (void)a5;

    for (uint64_t i = 0; i < a2; i++) {
        struct guest_ptr at = guest_ptr_at(list, i, sizeof(e));

        if (i && (this_cpu(need_resched) ||
                  (i % CLOCK_ENTRIES == 0 && rdtsc() >= end)))
            return go_on(list, a2, i);
        if (copy_from_guest(&e, at, sizeof(e)))
            return current->repeat ? go_on(list, a2, i) : -EFAULT;
        if (e.op == HYPERCALL_iret)
            return end_by_iret(list, a2, i);
        if (make_entry(at, &e)) {
            fault_do_not_wait();
            return -EFAULT;
        }
        if (current->repeat)
            return go_on(list, a2, i);
    }
    return 0;
}
