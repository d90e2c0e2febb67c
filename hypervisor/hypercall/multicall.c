/* SPDX-License-Identifier: BSD-2-Clause */
/* multicall: a list of hypercalls, one after the other. */

#include "hypercall/hypercall.h"

#include <abi/hypercall.h>
#include <abi/multicall.h>

#include "arch/x86_64/upcalls.h"

/*
 * Of a millisecond: how long one goes on before pending work is looked at.
 * The last entry may be a whole quantum of another call besides.
 */
#define QUANTUMS_PER_MS 128U

/* What of a list is not made yet. */
struct list_rest {
    uint64_t at; /* of the guest's next entry */
    uint64_t count;
    bool is_lost; /* what that entry has left to do could not be written */
};

DEFINE_PER_CPU(struct list_rest *, multicall_rest);

/* What of an entry is loaded: in one go, though nobody looks at the result. */
#define RESULT       offsetof(struct multicall_entry, result)
#define LOADED_BYTES offsetof(struct multicall_entry, args[5])

void multicall_set_arg(struct list_rest *rest, unsigned int n, uint64_t value)
{
    struct guest_ptr at =
        guest_ptr(rest->at + offsetof(struct multicall_entry, args[n - 1]));

    if (copy_to_guest(at, &value, sizeof(value)))
        rest->is_lost = true;
}

/*
 * What is left is the call that is made again: no list is in another, so its
 * arguments are in the registers.
 */
static __rare long go_on(const struct list_rest *rest)
{
    guest_regs()->rdi = rest->at;
    guest_regs()->rsi = rest->count;
    return hypercall_continue();
}

/* Even for want of memory: the entry is made, and shall not be made again. */
static __rare long fail(void)
{
    fault_do_not_wait();
    return -EFAULT;
}

/*
 * The list ends at its next entry, unless that waits for memory.  The short way
 * back from a call is not one to wherever a frame says.
 */
static __rare long end_by_iret(const struct list_rest *rest)
{
    return_slowly();
    upcall_iret(guest_regs(), current);
    return current->repeat ? go_on(rest) : (long)guest_regs()->rax;
}

/* Until its end, or until others shall run first or there is no memory. */
static __in_place long make_list(struct list_rest *rest)
{
    uint64_t end = rdtsc() + tsc_khz / QUANTUMS_PER_MS;
    const bool *resched = &this_cpu(need_resched);
    const struct vcpu *v = current;

    for (; rest->count; rest->at += sizeof(struct multicall_entry)) {
        uint64_t at = guest_address(rest->at);
        struct multicall_entry e;
        long result = -EINVAL;

        if (unlikely(!guest_load_words(&e, at, LOADED_BYTES)))
            return v->repeat ? go_on(rest) : -EFAULT;
        if (unlikely(e.op == HYPERCALL_iret))
            return end_by_iret(rest);
        if (likely(e.op != HYPERCALL_multicall))
            result = upcall_hypercall(e.args[0], e.args[1], e.args[2],
                                      e.args[3], e.args[4], e.op);
        if (unlikely(v->repeat))
            return rest->is_lost ? fail() : go_on(rest);
        if (unlikely(!guest_store_words(at + RESULT, &result, sizeof(result))))
            return fail();
        if (--rest->count && unlikely(*resched || rdtsc() >= end)) {
            rest->at += sizeof(struct multicall_entry);
            return go_on(rest);
        }
    }
    return 0;
}

long hypercall_multicall(uint64_t a1, uint64_t a2)
{
    struct list_rest rest = {.at = a1, .count = a2};
    long rc;

    this_cpu(multicall_rest) = &rest;
    rc = make_list(&rest);
    this_cpu(multicall_rest) = NULL;
    return rc;
}
