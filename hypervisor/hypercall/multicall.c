/* SPDX-License-Identifier: BSD-2-Clause */
/* multicall: a list of hypercalls, one after the other. */

#include "hypercall/hypercall.h"

#include <abi/hypercall.h>
#include <abi/multicall.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/upcalls.h"
#include "core/time.h"
#include "domain/fault.h"
#include "domain/vcpu.h"
#include "lib/errno.h"
#include "pv/guest_copy.h"

/*
 * Of a millisecond: how long one goes on before pending work is looked at.
 * The last entry may be a whole quantum of another call besides.
 */
#define QUANTUMS_PER_MS 128U

/* How far a list came, and why no further. */
enum list_end {
    LIST_DONE,
    LIST_GO_ON, /* others shall run first, or there is no memory */
    LIST_FAULT,
    LIST_IRET, /* which ends it */
};

static bool must_stop(uint64_t end)
{
    return this_cpu(need_resched) || rdtsc() >= end;
}

/* One entry; its result, or what is left of it, goes back to the guest. */
static int make_entry(struct vcpu *v, struct guest_ptr at,
                      struct multicall_entry *e)
{
    if (e->op == HYPERCALL_multicall)
        e->result = -EINVAL;
    else
        e->result = hypercall_call(e->op, e->args);

    if (unlikely(v->repeat))
        return copy_to_guest(at, e, sizeof(*e));
    return copy_to_guest(
        guest_ptr(at.va + offsetof(struct multicall_entry, result)), &e->result,
        sizeof(e->result));
}

/* From entry *@done on; *@done follows. */
static enum list_end make_list(struct guest_ptr list, uint64_t count,
                               struct multicall_entry *e, uint64_t *done)
{
    uint64_t end = rdtsc() + tsc_khz / QUANTUMS_PER_MS;
    struct vcpu *v = current;

    for (; *done < count; ++*done) {
        struct guest_ptr at = guest_ptr_at(list, *done, sizeof(*e));

        if (*done && must_stop(end))
            return LIST_GO_ON;
        if (copy_from_guest(e, at, sizeof(*e)))
            return v->repeat ? LIST_GO_ON : LIST_FAULT;
        if (e->op == HYPERCALL_iret)
            return LIST_IRET;
        if (make_entry(v, at, e))
            return LIST_FAULT;
        if (v->repeat)
            return LIST_GO_ON;
    }
    return LIST_DONE;
}

/* What is left, from entry @done on, is the call that is made again. */
static long go_on(uint64_t list, uint64_t count, uint64_t done)
{
    hypercall_set_arg(1, list + done * sizeof(struct multicall_entry));
    hypercall_set_arg(2, count - done);
    return hypercall_continue();
}

/* The list ends at entry @done, an iret, unless that waits for memory. */
static long end_by_iret(uint64_t list, uint64_t count, uint64_t done)
{
    upcall_iret(guest_regs(), current);
    return current->repeat ? go_on(list, count, done)
                           : (long)guest_regs()->rax;
}

long hypercall_multicall(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                         uint64_t a5)
{
    struct multicall_entry e;
    enum list_end why;
    uint64_t done = 0;

    (void)a3, (void)a4, (void)a5;

    this_cpu(multicall_args) = e.args;
    why = make_list(guest_ptr(a1), a2, &e, &done);
    this_cpu(multicall_args) = NULL;

    switch (why) {
    case LIST_DONE:
        return 0;
    case LIST_GO_ON:
        return go_on(a1, a2, done);
    case LIST_IRET:
        return end_by_iret(a1, a2, done);
    case LIST_FAULT:
        break;
    }
    fault_do_not_wait();
    return -EFAULT;
}
