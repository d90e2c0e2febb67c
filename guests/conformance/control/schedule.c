/* SPDX-License-Identifier: BSD-2-Clause */
/* The processor is shared by weight, and a loop keeps nobody waiting. */

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"

#define MS 1000000UL

#define ONLY_CAIRN SKIP_ON_XEN("children are made by control_op")

static uint64_t cpu_time(struct child *child)
{
    struct control_domain_info info = {0};
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = child->domid,
        .u.list = {.buffer = hypercall_ptr(&info), .room = 1}};

    control(&op);
    return info.cpu_time_ns;
}

/* What @b got of the processor in a while, in tenths of what @a got. */
static uint64_t ratio_in_tenths(struct child *a, struct child *b)
{
    uint64_t start_a = cpu_time(a), start_b = cpu_time(b), share_a;

    sleep_until(now_ns() + 600 * MS);
    share_a = cpu_time(a) - start_a;
    return share_a == 0 ? 0 : (cpu_time(b) - start_b) * 10 / share_a;
}

/*
 * The emulator's clock runs on while its host does other things, and the loop
 * it was in is charged for that; so a measurement may be repeated.
 */
TEST("two loops of weights 256 and 768 get shares of one to three")
{
    static const struct child_limits one = {.weight = 256},
                                     three = {.weight = 768};
    struct child a, b;
    uint64_t ratio = 0;

    ONLY_CAIRN;
    if (!child_start(&a, &one, child_spin, 0) ||
        !child_start(&b, &three, child_spin, 1))
        return;
    /* On one CPU, if there are several. */
    EXPECT_EQ(child_schedule(&a, CHILD_KEEP, CHILD_KEEP, CHILD_KEEP, 1), 0);
    EXPECT_EQ(child_schedule(&b, CHILD_KEEP, CHILD_KEEP, CHILD_KEEP, 1), 0);
    sleep_until(now_ns() + 50 * MS);
    for (int i = 0; i < 5 && (ratio < 25 || ratio > 35); i++)
        ratio = ratio_in_tenths(&a, &b);
    EXPECT_TRUE(ratio >= 25);
    EXPECT_TRUE(ratio <= 35);
    child_destroy(&a);
    child_destroy(&b);
}

TEST("a loop that is alone gets the processor, and the wait is no work")
{
    struct child child;
    uint64_t start, used, ours;
    struct control_domain_info info = {0};
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .u.list = {.buffer = hypercall_ptr(&info), .room = 1}};

    ONLY_CAIRN;
    if (!child_start(&child, NULL, child_spin, 0))
        return;
    sleep_until(now_ns() + 20 * MS);
    control(&op);
    ours = info.cpu_time_ns;
    used = cpu_time(&child);
    start = now_ns();
    sleep_until(start + 300 * MS);
    used = cpu_time(&child) - used;
    start = now_ns() - start;
    control(&op);
    ours = info.cpu_time_ns - ours;
    EXPECT_TRUE(used > start / 10 * 8);
    EXPECT_TRUE(ours < start / 10);
    child_destroy(&child);
}

extern char rt_image_end[];

static uint64_t touch_everything(uint64_t unused)
{
    (void)unused;
    for (uint64_t gfn = frame_of(rt_image_end); gfn < layout.ram_pages; gfn++)
        *(volatile uint8_t *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE) =
            1;
    return 1;
}

TEST("a domain that wants more than there is waits, and nobody else does")
{
    struct child greedy, other;
    struct child_limits limits = {0};
    evtchn_port_t port;
    uint64_t before, wanting;

    ONLY_CAIRN;
    port = port_bind_virq(VIRQ_ENOMEM, 0);
    REQUIRE(port != 0);
    EXPECT_TRUE(child_run(&other, touch_everything, 0));
    before = free_pages();
    limits.unpromised = before + 1000;
    if (!child_start(&greedy, &limits, touch_everything, 0))
        return;
    /* The control domain is told when it comes to that. */
    wanting = now_ns() + 20000 * MS;
    while (!port_pending(port) && now_ns() < wanting) {
        struct sched_poll poll = {
            .ports = hypercall_ptr(&port), .nr_ports = 1, .timeout = wanting};

        hypercall_sched_op(SCHEDOP_poll, &poll);
    }
    EXPECT_TRUE(port_pending(port));
    EXPECT_TRUE(free_pages() > 1000); /* what was promised to us */
    for (uint64_t gfn = layout.ram_pages - 1000; gfn < layout.ram_pages; gfn++)
        *(volatile uint8_t *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE) =
            1;
    hypercall_light_op(
        LIGHT_OP_discard,
        &(struct light_discard){.gfn = layout.ram_pages - 1000, .count = 1000});
    child_destroy(&greedy);
    EXPECT_TRUE(child_run(&other, touch_everything, 0));
    EXPECT_TRUE(free_pages() + 64 >= before);
    port_close(port);
}

TEST("the log can be read, and holds what the console was told")
{
    static char text[4096];
    struct control_op op = {
        .cmd = CONTROL_OP_log_read,
        .u.log_read = {.buffer = hypercall_ptr(text), .size = sizeof(text)}};

    ONLY_CAIRN;
    EXPECT_EQ(control(&op), 0);
    EXPECT_TRUE(op.u.log_read.count > 0);
    EXPECT_TRUE(op.u.log_read.position >= op.u.log_read.count);
    op.u.log_read.position = ~0UL;
    op.u.log_read.count = 0;
    EXPECT_EQ(control(&op), 0);
    EXPECT_EQ(op.u.log_read.count, 0);
    op.u.log_read =
        (struct control_log_read){.buffer = 0x8000000000000000, .size = 16};
    EXPECT_EQ(control(&op), -ABI_EFAULT);
}

TEST("a module that is not there is -ENOENT")
{
    static char name[CONTROL_MODULE_STRING];
    struct control_op op = {
        .cmd = CONTROL_OP_module,
        .u.module = {.index = 1000, .string = hypercall_ptr(name)}};

    ONLY_CAIRN;
    EXPECT_EQ(control(&op), -ABI_ENOENT);
    op.u.module.index = ~0U;
    EXPECT_EQ(control(&op), -ABI_ENOENT);
}
