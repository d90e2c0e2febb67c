/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains that suspend themselves, and go on. */

#include <abi/sched.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("control_op is Cairn's")

#define TIMES 5U

/* How often its call returned what it should, nothing else having changed. */
static uint64_t suspend(uint64_t argument)
{
    struct sched_shutdown op = {.reason = SHUTDOWN_suspend};
    uint64_t good = 0;

    for (unsigned int i = 0; i < TIMES; i++)
        good += hypercall_sched_op(SCHEDOP_shutdown, &op) == 1 &&
                op.reason == SHUTDOWN_suspend;
    return good + argument;
}

static long resume(const struct child *child)
{
    struct control_op op = {.cmd = CONTROL_OP_resume, .domid = child->domid};

    return control(&op);
}

static void expect_suspended(struct child *child)
{
    EXPECT_TRUE(child_wait(child));
    EXPECT_FALSE(child->finished);
    EXPECT_EQ(child->info.shutdown_reason, SHUTDOWN_suspend);
}

TEST("a domain that suspended itself is resumed, and its call returns 1")
{
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, NULL, suspend, 100))
        return;
    for (unsigned int i = 0; i < TIMES; i++) {
        expect_suspended(&child);
        EXPECT_EQ(resume(&child), 0);
    }
    EXPECT_TRUE(child_wait(&child));
    EXPECT_TRUE(child.finished);
    EXPECT_EQ(child.result, 100 + TIMES);
    /* Now it has ended. */
    EXPECT_EQ(resume(&child), -ABI_EINVAL);
    child_destroy(&child);
}

/* The same by going down: nobody is left. */
static uint64_t go_down(uint64_t argument)
{
    struct sched_shutdown op = {.reason = SHUTDOWN_suspend};

    if (hypercall_sched_op(SCHEDOP_shutdown_code, &op))
        return 0;
    return (uint64_t)hypercall_vcpu_op(VCPUOP_down, 0, NULL) + argument;
}

TEST("a domain whose last vCPU went down to suspend it goes on with vCPU 0")
{
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, NULL, go_down, 100))
        return;
    expect_suspended(&child);
    EXPECT_EQ(resume(&child), 0);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_TRUE(child.finished);
    EXPECT_EQ(child.result, 101);
    child_destroy(&child);
}

TEST("a suspended domain is paused, resumed and destroyed like any other")
{
    struct control_op op = {.cmd = CONTROL_OP_pause};
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, NULL, suspend, 0))
        return;
    op.domid = child.domid;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(resume(&child), 0);
    EXPECT_EQ(resume(&child), -ABI_EINVAL); /* paused is not suspended */
    op.cmd = CONTROL_OP_unpause;
    EXPECT_EQ(control(&op), 0);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.info.shutdown_reason, SHUTDOWN_suspend);
    child_destroy(&child);
}

TEST("what runs, and what ended for another reason, is not resumed")
{
    struct control_op op = {.cmd = CONTROL_OP_shutdown,
                            .u.shutdown = {.reason = SHUTDOWN_crash}};
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, NULL, child_spin, 0))
        return;
    op.domid = child.domid;
    EXPECT_EQ(resume(&child), -ABI_EINVAL);
    EXPECT_EQ(control(&op), 0);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(resume(&child), -ABI_EINVAL);
    child_destroy(&child);
}
