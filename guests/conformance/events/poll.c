/* SPDX-License-Identifier: BSD-2-Clause */
/* SCHEDOP_poll and SCHEDOP_block: sleeping until an event, and not too long. */

#include <abi/hypercall.h>
#include <abi/sched.h>

#include <rt/hypercall.h>

#include "framework/ports.h"
#include "framework/test.h"

#define MS 1000000UL

static long poll(const evtchn_port_t *ports, uint32_t count, uint64_t timeout)
{
    struct sched_poll op = {
        .ports = hypercall_ptr(ports), .nr_ports = count, .timeout = timeout};

    return hypercall_sched_op(SCHEDOP_poll, &op);
}

static void forget_upcall(void)
{
    shared_info->vcpu_info[0].evtchn_pending_sel = 0;
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
}

TEST("a poll returns at its timeout, neither before nor long after")
{
    evtchn_port_t port = port_alloc_unbound(own_domid);
    uint64_t start = now_ns(), end;

    forget_upcall();
    EXPECT_EQ(poll(&port, 1, start + 20 * MS), 0);
    end = now_ns();
    EXPECT_TRUE(end >= start + 20 * MS);
    EXPECT_TRUE(end < start + 2000 * MS);
    port_close(port);
}

TEST("a poll with a timeout in the past returns at once")
{
    evtchn_port_t port = port_alloc_unbound(own_domid);

    EXPECT_EQ(poll(&port, 1, 1), 0);
    port_close(port);
}

TEST("a poll returns at once if the port is pending, masked or not")
{
    evtchn_port_t port = port_bind_ipi(0);

    port_mask(port);
    port_send(port);
    EXPECT_EQ(poll(&port, 1, 0), 0);
    EXPECT_TRUE(port_pending(port));
    port_unmask_local(port);
    EXPECT_EQ(poll(&port, 1, 0), 0);
    EXPECT_TRUE(port_pending(port));
    port_clear(port);
    port_close(port);
    forget_upcall();
}

TEST("a poll of several ports sees the last one pending")
{
    evtchn_port_t ports[3];

    ports[0] = port_alloc_unbound(own_domid);
    ports[1] = port_alloc_unbound(own_domid);
    ports[2] = port_bind_ipi(0);
    port_send(ports[2]);
    EXPECT_EQ(poll(ports, 3, 0), 0);
    port_clear(ports[2]);
    for (int i = 0; i < 3; i++)
        port_close(ports[i]);
    forget_upcall();
}

TEST("a poll of more than 128 ports is -EINVAL")
{
    static evtchn_port_t ports[256];

    EXPECT_EQ(poll(ports, 129, 1), -ABI_EINVAL);
    EXPECT_EQ(poll(ports, ~0U, 1), -ABI_EINVAL);
}

TEST("a poll of a port out of range is -EINVAL")
{
    evtchn_port_t port = ~0U;

    EXPECT_EQ(poll(&port, 1, 1), -ABI_EINVAL);
    port = EVTCHN_2L_PORTS;
    EXPECT_EQ(poll(&port, 1, 1), -ABI_EINVAL);
}

TEST("a poll of ports that cannot be read is -EFAULT")
{
    struct sched_poll op = {
        .ports = 0xdead000000000000, .nr_ports = 1, .timeout = 1};

    EXPECT_EQ(hypercall_sched_op(SCHEDOP_poll, &op), -ABI_EFAULT);
}

TEST("a block with an event pending does not sleep, and unmasks")
{
    evtchn_port_t port = port_bind_ipi(0);

    mask_upcalls();
    port_events[port] = 0;
    port_send(port);
    EXPECT_EQ(hypercall_sched_op(SCHEDOP_block, NULL), 0);
    EXPECT_EQ(port_events[port], 1);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 0);
    mask_upcalls();
    port_close(port);
}

TEST("a block ends with the timer's event")
{
    evtchn_port_t port = port_bind_virq(VIRQ_TIMER, 0);
    uint64_t start = now_ns();

    REQUIRE(port != 0);
    port_events[port] = 0;
    forget_upcall();
    port_clear(port);
    hypercall_set_timer_op(start + 10 * MS);
    while (port_events[port] == 0 && now_ns() < start + 2000 * MS)
        hypercall_sched_op(SCHEDOP_block, NULL);
    mask_upcalls();
    EXPECT_TRUE(port_events[port] >= 1);
    EXPECT_TRUE(now_ns() >= start + 10 * MS || !on_cairn);
    hypercall_set_timer_op(0);
    port_close(port);
}

TEST("the race of block against an event is lost by neither, 2000 times")
{
    evtchn_port_t port = port_bind_virq(VIRQ_TIMER, 0);
    uint64_t limit = now_ns() + 10000 * MS;
    unsigned int rounds = 0;

    REQUIRE(port != 0);
    port_events[port] = 0;
    for (; rounds < 2000 && now_ns() < limit; rounds++) {
        unsigned int before;

        mask_upcalls();
        before = port_events[port];
        /* Near enough that it sometimes comes before the block. */
        hypercall_set_timer_op(now_ns() + rounds % 50 * 200);
        while (port_events[port] == before && now_ns() < limit)
            hypercall_sched_op(SCHEDOP_block, NULL);
    }
    mask_upcalls();
    EXPECT_EQ(rounds, 2000);
    hypercall_set_timer_op(0);
    port_close(port);
}
