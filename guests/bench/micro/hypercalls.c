/* SPDX-License-Identifier: BSD-2-Clause */
/* The way in and out, multicalls, time, the scheduler. */

#include "micro/measure.h"

#include <abi/errno.h>
#include <abi/hypercall.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/machine.h"

/* A number that no hypercall of either hypervisor has. */
#define NO_HYPERCALL 200U

/* The cost of one further entry is a 32nd of what they differ in. */
#define FEW_CALLS  1U
#define MANY_CALLS 33U

/* Later than the longest run. */
#define FAR_NS 1000000000000UL

static struct multicall_entry calls[MANY_CALLS], *calls_at;
static uint64_t deadline;
static long version;

OPERATION(null_hypercall)
{
    return hypercall_xen_version(XENVER_version, NULL);
}

static long check_version(long rc)
{
    return rc == version ? 0 : rc;
}

OPERATION(unknown_hypercall)
{
    return hypercall1(NO_HYPERCALL, 0);
}

static long check_unknown(long rc)
{
    return rc == -ABI_ENOSYS ? 0 : rc;
}

static void make_calls(void)
{
    for (unsigned int i = 0; i < MANY_CALLS; i++)
        calls[i] = (struct multicall_entry){.op = HYPERCALL_xen_version,
                                            .args = {XENVER_version}};
}

OPERATION(multicall_few)
{
    return hypercall_multicall(calls_at, FEW_CALLS);
}

OPERATION(multicall_many)
{
    return hypercall_multicall(calls_at, MANY_CALLS);
}

static long check_few(long rc)
{
    return rc != 0 ? rc : check_version(calls[FEW_CALLS - 1].result);
}

static long check_many(long rc)
{
    return rc != 0 ? rc : check_version(calls[MANY_CALLS - 1].result);
}

static void choose_deadline(void)
{
    deadline = now_ns() + FAR_NS;
}

OPERATION(set_timer)
{
    return hypercall_set_timer_op(deadline);
}

OPERATION(yield)
{
    return hypercall_sched_op(SCHEDOP_yield, NULL);
}

void measure_hypercalls(void)
{
    static const struct operation operations[] = {
        {"null_hypercall", null_hypercall, NULL, check_version},
        {"unknown_hypercall", unknown_hypercall, NULL, check_unknown},
        {"multicall_1", multicall_few, make_calls, check_few},
        {"multicall_33", multicall_many, make_calls, check_many},
        {"set_timer_op", set_timer, choose_deadline, NULL},
        {"sched_op_yield", yield, NULL, NULL},
    };

    version = hypercall_xen_version(XENVER_version, NULL);
    calls_at = upper(calls);
    for (unsigned int i = 0; i < sizeof(operations) / sizeof(*operations); i++)
        measure(&operations[i]);
    hypercall_set_timer_op(0);
}
