/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: each operation in each state, delivery bit by bit, and the
 * order of locks and events when both ends of a channel are closed.
 */

/* LINK: hypervisor/event/table.c hypervisor/event/bind.c */
/* LINK: hypervisor/event/close.c hypervisor/event/send.c */
/* LINK: hypervisor/event/virq.c */
/* LINK: hypervisor/event/poll.c hypervisor/event/status.c */
/* LINK: hypervisor/event/fifo.c hypervisor/event/fifo_pages.c */
/* LINK: tests/unit/hypervisor/event/world.c */

#include "unit/test.h"

#include "core/upcalls.h"
#include "doubles/check.h"
#include "domain/upcalls.h"
#include "event/table.h"
#include "hypervisor/event/world.h"

CHECK_MAIN

void setup(void)
{
    world_make();
}

void teardown(void)
{
    world_end();
}

/* A channel from a port of domain 0 to one of domain 1. */
static evtchn_port_t near, far;

static void connect_0_1(void)
{
    REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 0, 0, &far) == 0);
    REQUIRE(evtchn_bind_interdomain(&world[0], &world[1], far, &near) == 0);
}

/* As the guest does: take everything that is pending. */
static void consume(domid_t domid, uint32_t vcpu)
{
    struct shared_info *s = world[domid].shared_info;
    struct vcpu_info *info = world[domid].vcpu[vcpu]->info;

    info->evtchn_upcall_pending = 0;
    info->evtchn_pending_sel = 0;
    memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
}

/* A new port in each state; the port, by state. */
static evtchn_port_t port_in(enum evtchn_state state)
{
    evtchn_port_t port = 0;

    switch (state) {
    case EVTCHN_FREE:
        REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port) == 0);
        REQUIRE(evtchn_close(&world[0], port) == 0);
        break;
    case EVTCHN_UNBOUND:
        REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port) == 0);
        break;
    case EVTCHN_INTERDOMAIN:
        connect_0_1();
        port = near;
        break;
    case EVTCHN_VIRQ:
        REQUIRE(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_CONSOLE, 0, &port) ==
                0);
        break;
    case EVTCHN_IPI:
        REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 1, &port) == 0);
        break;
    case EVTCHN_PIRQ:
        REQUIRE(evtchn_bind(&world[0], EVTCHN_PIRQ, 77, 0, &port) == 0);
        break;
    }
    EXPECT_EQ(world_state(0, port), state);
    return port;
}

TEST("ports are given lowest first, 0 never, and a closed one again")
{
    evtchn_port_t port;

    for (evtchn_port_t want = 1; want <= 130; want++) {
        REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port) == 0);
        EXPECT_EQ(port, want);
    }
    EXPECT_EQ(evtchn_close(&world[0], 66), 0);
    EXPECT_EQ(evtchn_close(&world[0], 5), 0);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port), 0);
    EXPECT_EQ(port, 5);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port), 0);
    EXPECT_EQ(port, 66);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port), 0);
    EXPECT_EQ(port, 131);
}

TEST("the highest allowed port is given, the one behind it is -ENOSPC")
{
    evtchn_port_t port = 0;
    uint32_t used, max;

    for (uint32_t i = 1; i <= WORLD_MAX_PORT; i++)
        REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port) == 0);
    EXPECT_EQ(port, WORLD_MAX_PORT);
    evtchn_counts(&world[0], &used, &max);
    EXPECT_EQ(used, WORLD_MAX_PORT);
    EXPECT_EQ(max, WORLD_MAX_PORT);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &port), -ENOSPC);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_IPI, 0, 0, &port), -ENOSPC);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 0, &port),
              -ENOSPC);

    EXPECT_EQ(evtchn_close(&world[0], WORLD_MAX_PORT), 0);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 0, &port), 0);
    EXPECT_EQ(port, WORLD_MAX_PORT);
}

TEST("binding joins both ends and sets the new one pending, once")
{
    connect_0_1();

    EXPECT_EQ(world_state(0, near), EVTCHN_INTERDOMAIN);
    EXPECT_EQ(world_state(1, far), EVTCHN_INTERDOMAIN);
    EXPECT_TRUE(world_pending(0, near));
    EXPECT_FALSE(world_pending(1, far));
    EXPECT_EQ(world_notified[0][0], 1);
}

TEST("an unbound port is for the one domain it was reserved for")
{
    evtchn_port_t port, other;

    REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 2, 0, &port) == 0);
    EXPECT_EQ(evtchn_bind_interdomain(&world[0], &world[1], port, &other),
              -EINVAL);
    EXPECT_EQ(evtchn_bind_interdomain(&world[2], &world[1], port + 1, &other),
              -EINVAL);
    EXPECT_EQ(evtchn_bind_interdomain(&world[2], &world[1], ~0U, &other),
              -EINVAL);
    EXPECT_EQ(evtchn_bind_interdomain(&world[2], &world[1], port, &other), 0);
    EXPECT_EQ(evtchn_bind_interdomain(&world[2], &world[1], port, &other),
              -EINVAL);
}

TEST("a bind that finds no port of its own leaves the remote one unbound")
{
    evtchn_port_t port, unused;

    REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 0, 0, &port) == 0);
    for (uint32_t i = 1; i <= WORLD_MAX_PORT; i++)
        REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 0, &unused) == 0);
    EXPECT_EQ(evtchn_bind_interdomain(&world[0], &world[1], port, &unused),
              -ENOSPC);
    EXPECT_EQ(world_state(1, port), EVTCHN_UNBOUND);
}

TEST("a domain may bind to a port of its own, and close either end")
{
    evtchn_port_t a, b;

    REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 0, 0, &a) == 0);
    REQUIRE(evtchn_bind_interdomain(&world[0], &world[0], a, &b) == 0);
    EXPECT_EQ(evtchn_send(&world[0], b), 0);
    EXPECT_TRUE(world_pending(0, a));
    EXPECT_EQ(evtchn_close(&world[0], a), 0);
    EXPECT_EQ(world_state(0, a), EVTCHN_FREE);
    EXPECT_EQ(world_state(0, b), EVTCHN_UNBOUND);
}

TEST("send answers by state as the ABI says, and for no port at all")
{
    static const struct {
        enum evtchn_state state;
        int rc;
    } cases[] = {
        {EVTCHN_FREE, -EINVAL}, {EVTCHN_UNBOUND, 0}, {EVTCHN_INTERDOMAIN, 0},
        {EVTCHN_VIRQ, -EINVAL}, {EVTCHN_IPI, 0},     {EVTCHN_PIRQ, -EINVAL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        EXPECT_EQ(evtchn_send(&world[0], port_in(cases[i].state)), cases[i].rc);
    EXPECT_EQ(evtchn_send(&world[0], 0), -EINVAL);
    EXPECT_EQ(evtchn_send(&world[0], WORLD_MAX_PORT), -EINVAL);
    EXPECT_EQ(evtchn_send(&world[0], WORLD_MAX_PORT + 1), -EINVAL);
    EXPECT_EQ(evtchn_send(&world[0], ~0U), -EINVAL);
}

TEST("bind_vcpu moves what may be moved and nothing else")
{
    static const struct {
        enum evtchn_state state;
        int rc;
    } cases[] = {
        {EVTCHN_FREE, -EINVAL}, {EVTCHN_UNBOUND, 0},   {EVTCHN_INTERDOMAIN, 0},
        {EVTCHN_VIRQ, 0},       {EVTCHN_IPI, -EINVAL}, {EVTCHN_PIRQ, 0},
    };
    evtchn_port_t timer;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        EXPECT_EQ(evtchn_bind_vcpu(&world[0], port_in(cases[i].state), 1),
                  cases[i].rc);
    REQUIRE(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 0, &timer) == 0);
    EXPECT_EQ(evtchn_bind_vcpu(&world[0], timer, 1), -EINVAL);
    EXPECT_EQ(evtchn_bind_vcpu(&world[0], timer, WORLD_VCPUS), -ENOENT);
}

TEST("close frees a port in any state but FREE")
{
    for (enum evtchn_state s = EVTCHN_UNBOUND; s <= EVTCHN_PIRQ; s++) {
        evtchn_port_t port = port_in(s);

        EXPECT_EQ(evtchn_close(&world[0], port), 0);
        EXPECT_EQ(world_state(0, port), EVTCHN_FREE);
        EXPECT_EQ(evtchn_close(&world[0], port), -EINVAL);
    }
    EXPECT_EQ(evtchn_close(&world[0], 0), -EINVAL);
    EXPECT_EQ(evtchn_close(&world[0], ~0U), -EINVAL);
}

TEST("closing a device's port tells the device room, with no lock held")
{
    evtchn_port_t port = port_in(EVTCHN_PIRQ);

    EXPECT_EQ(evtchn_close(&world[0], port), 0);
    EXPECT_EQ(world_pirqs_closed, 1);
    EXPECT_EQ(world_pirq_closed, 77);
}

TEST("the other end of a closed channel is unbound, for the one that closed")
{
    evtchn_port_t again;

    connect_0_1();
    EXPECT_EQ(evtchn_close(&world[0], near), 0);
    EXPECT_EQ(world_state(1, far), EVTCHN_UNBOUND);
    EXPECT_EQ(evtchn_send(&world[1], far), 0);
    EXPECT_EQ(evtchn_bind_interdomain(&world[2], &world[1], far, &again),
              -EINVAL);
    EXPECT_EQ(evtchn_bind_interdomain(&world[0], &world[1], far, &again), 0);
}

TEST("a port is not pending when it is given to the next owner")
{
    evtchn_port_t port = port_in(EVTCHN_IPI), again;

    REQUIRE(evtchn_send(&world[0], port) == 0);
    EXPECT_TRUE(world_pending(0, port));
    EXPECT_EQ(evtchn_close(&world[0], port), 0);
    EXPECT_FALSE(world_pending(0, port));
    REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &again) == 0);
    EXPECT_EQ(again, port);
    EXPECT_EQ(evtchn_vcpu(table_find(world[0].events, again)), 0);
}

TEST("a send sets pending, selector and upcall at the peer, nothing here")
{
    const struct vcpu_info *info = world[1].vcpu[0]->info;

    for (int i = 0; i < 99; i++) /* Word 1, bit 36: the two must differ. */
        REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 2, 0, &far) == 0);
    connect_0_1();
    consume(0, 0);
    EXPECT_EQ(evtchn_send(&world[0], near), 0);

    EXPECT_EQ(far, 100);
    EXPECT_EQ(world[1].shared_info->evtchn_pending[1], 1ULL << 36);
    EXPECT_EQ(info->evtchn_pending_sel, 1ULL << 1);
    EXPECT_EQ(info->evtchn_upcall_pending, 1);
    EXPECT_EQ(world_notified[1][0], 1);
    EXPECT_FALSE(world_pending(0, near));
}

TEST("a burst on ports of one word costs one upcall")
{
    evtchn_port_t a = port_in(EVTCHN_IPI), b;

    REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 1, &b) == 0);
    for (int i = 0; i < 20; i++)
        EXPECT_EQ(evtchn_send(&world[0], i % 2 ? a : b), 0);
    EXPECT_EQ(world_notified[0][1], 1);
    EXPECT_EQ(world_notified[0][0], 0);
}

TEST("ports of different words cost one upcall, and both selectors")
{
    evtchn_port_t low = port_in(EVTCHN_IPI), high = 0;

    while (high < 64)
        REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 1, &high) == 0);
    EXPECT_EQ(evtchn_send(&world[0], low), 0);
    EXPECT_EQ(evtchn_send(&world[0], high), 0);
    EXPECT_EQ(world[0].vcpu[1]->info->evtchn_pending_sel, 3);
    EXPECT_EQ(world_notified[0][1], 1);
}

TEST("a pending port that the guest has not cleared costs no second upcall")
{
    evtchn_port_t port = port_in(EVTCHN_IPI);
    struct vcpu_info *info = world[0].vcpu[1]->info;

    REQUIRE(evtchn_send(&world[0], port) == 0);
    info->evtchn_upcall_pending = 0; /* It took the selector only. */
    info->evtchn_pending_sel = 0;
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(info->evtchn_upcall_pending, 0);
    EXPECT_EQ(world_notified[0][1], 1);
}

TEST("a masked port becomes pending without an upcall, unmask delivers it")
{
    evtchn_port_t port = port_in(EVTCHN_IPI);
    struct shared_info *s = world[0].shared_info;

    s->evtchn_mask[0] = 1ULL << port;
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_TRUE(world_pending(0, port));
    EXPECT_EQ(world_notified[0][1], 0);
    EXPECT_EQ(evtchn_unmask(&world[0], port), 0);
    EXPECT_EQ(s->evtchn_mask[0], 0);
    EXPECT_EQ(world_notified[0][1], 1);

    EXPECT_EQ(evtchn_unmask(&world[0], port), 0);
    EXPECT_EQ(world_notified[0][1], 1);
    EXPECT_EQ(evtchn_unmask(&world[0], 0), -EINVAL);
    EXPECT_EQ(evtchn_unmask(&world[0], port + 1), -EINVAL);
}

TEST("an event goes to the vCPU that the port was moved to")
{
    connect_0_1();
    REQUIRE(evtchn_bind_vcpu(&world[1], far, 1) == 0);
    EXPECT_EQ(evtchn_send(&world[0], near), 0);
    EXPECT_EQ(world_notified[1][0], 0);
    EXPECT_EQ(world_notified[1][1], 1);
}

TEST("a virtual interrupt is bound once a vCPU, global ones on vCPU 0 only")
{
    evtchn_port_t port;

    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_COUNT, 0, &port),
              -EINVAL);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_CONSOLE, 1, &port),
              -EINVAL);
    EXPECT_EQ(
        evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, WORLD_VCPUS, &port),
        -ENOENT);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 0, &port), 0);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 0, &port),
              -EEXIST);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 1, &port), 0);
    EXPECT_EQ(evtchn_close(&world[0], port), 0);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 1, &port), 0);
}

TEST("a global virtual interrupt that was moved can be bound again once closed")
{
    evtchn_port_t port, again;

    REQUIRE(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_CONSOLE, 0, &port) == 0);
    EXPECT_EQ(evtchn_bind_vcpu(&world[0], port, 1), 0);
    upcall_raise_global(VIRQ_CONSOLE);
    EXPECT_EQ(world_notified[0][1], 1);
    EXPECT_EQ(evtchn_close(&world[0], port), 0);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_CONSOLE, 0, &again), 0);
}

TEST("a raised virtual interrupt reaches its own vCPU, an unbound one nobody")
{
    evtchn_port_t port;

    upcall_vcpu_timer(world[0].vcpu[1]);
    EXPECT_EQ(world_notified[0][1], 0);
    REQUIRE(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_TIMER, 1, &port) == 0);
    upcall_vcpu_timer(world[0].vcpu[1]);
    upcall_vcpu_timer(world[0].vcpu[0]);
    EXPECT_TRUE(world_pending(0, port));
    EXPECT_EQ(world_notified[0][1], 1);
    EXPECT_EQ(world_notified[0][0], 0);
}

TEST("global virtual interrupts go to the initial domain, once there is one")
{
    evtchn_port_t port;

    REQUIRE(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_DOM_EXC, 0, &port) == 0);
    initial_domain = NULL;
    upcall_raise_global(VIRQ_DOM_EXC);
    EXPECT_FALSE(world_pending(0, port));
    initial_domain = &world[0];
    upcall_raise_global(VIRQ_DOM_EXC);
    EXPECT_TRUE(world_pending(0, port));
}

TEST("a device raises only a port that is bound to a device")
{
    evtchn_port_t device = port_in(EVTCHN_PIRQ), ipi = port_in(EVTCHN_IPI);

    EXPECT_FALSE(evtchn_raise_pirq(&world[0], ipi));
    EXPECT_FALSE(world_pending(0, ipi));
    EXPECT_FALSE(evtchn_raise_pirq(&world[0], device));
    EXPECT_TRUE(world_pending(0, device));
    EXPECT_FALSE(evtchn_raise_pirq(&world[0], 0));
    EXPECT_FALSE(evtchn_raise_pirq(&world[0], ~0U));
}

TEST("status tells the state and what belongs to it")
{
    struct evtchn_status s = {.port = port_in(EVTCHN_INTERDOMAIN)};

    EXPECT_EQ(evtchn_status(&world[0], &s), 0);
    EXPECT_EQ(s.status, EVTCHNSTAT_interdomain);
    EXPECT_EQ(s.u.interdomain.dom, 1);
    EXPECT_EQ(s.u.interdomain.port, far);

    s.port = port_in(EVTCHN_IPI);
    EXPECT_EQ(evtchn_status(&world[0], &s), 0);
    EXPECT_EQ(s.status, EVTCHNSTAT_ipi);
    EXPECT_EQ(s.vcpu, 1);

    s.port = 0;
    EXPECT_EQ(evtchn_status(&world[0], &s), 0);
    EXPECT_EQ(s.status, EVTCHNSTAT_closed);
    s.port = WORLD_MAX_PORT; /* Its bucket was never made. */
    EXPECT_EQ(evtchn_status(&world[0], &s), -EINVAL);
    s.port = ~0U;
    EXPECT_EQ(evtchn_status(&world[0], &s), -EINVAL);
}

static void close_far_end(void)
{
    EXPECT_EQ(evtchn_close(&world[0], near), 0);
}

TEST("of two closes at once, both ends' own, each frees its own end")
{
    connect_0_1();
    /* Domain 1 has seen its peer and lets go to take both locks: now. */
    world_on_unlock = close_far_end;
    world_on_unlock_of = 1;
    EXPECT_EQ(evtchn_close(&world[1], far), 0);
    EXPECT_EQ(world_state(0, near), EVTCHN_FREE);
    EXPECT_EQ(world_state(1, far), EVTCHN_FREE);
}

static void close_and_rebind_elsewhere(void)
{
    evtchn_port_t port;

    EXPECT_EQ(evtchn_close(&world[0], near), 0);
    /* Domain 0 binds the port that is its own again to a new end. */
    EXPECT_EQ(evtchn_bind_interdomain(&world[0], &world[1], far, &port), 0);
    near = port;
}

TEST("a close whose channel is rebound meanwhile closes the new one")
{
    connect_0_1();
    world_on_unlock = close_and_rebind_elsewhere;
    world_on_unlock_of = 1;
    EXPECT_EQ(evtchn_close(&world[1], far), 0);
    EXPECT_EQ(world_state(1, far), EVTCHN_FREE);
    EXPECT_EQ(world_state(0, near), EVTCHN_UNBOUND);
}

TEST("a dying domain gets no ports and nobody binds to it")
{
    evtchn_port_t port, other;

    REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 0, 0, &port) == 0);
    world[1].dying = true;
    EXPECT_EQ(evtchn_bind_interdomain(&world[0], &world[1], port, &other),
              -EINVAL);
    EXPECT_TRUE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 0, 0, &other) < 0);
    EXPECT_TRUE(evtchn_bind(&world[1], EVTCHN_IPI, 0, 0, &other) < 0);
}

TEST("a reset takes a quantum at a time and ends with no port in use")
{
    evtchn_port_t port;
    int calls = 1;
    uint32_t used, max;

    connect_0_1();
    for (int i = 0; i < 200; i++)
        REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 0, &port) == 0);
    while (evtchn_reset(&world[0]) == -EAGAIN)
        calls++;
    EXPECT_EQ(calls, 4); /* four buckets */
    evtchn_counts(&world[0], &used, &max);
    EXPECT_EQ(used, 0);
    EXPECT_EQ(world_state(1, far), EVTCHN_UNBOUND);
}

TEST("a poll does not sleep if a port is pending, masked or not")
{
    evtchn_port_t port = port_in(EVTCHN_IPI);
    struct vcpu *v = world[0].vcpu[0];

    world[0].shared_info->evtchn_mask[0] = ~0ULL;
    REQUIRE(evtchn_send(&world[0], port) == 0);
    EXPECT_EQ(evtchn_poll(v, &port, 1, 0), 0);
    EXPECT_EQ(v->state, VCPU_RUNNING);
    EXPECT_EQ(world[0].events->pollers, 0);
}

TEST("a poll does not sleep past a timeout that has passed")
{
    evtchn_port_t port = port_in(EVTCHN_IPI);
    struct vcpu *v = world[0].vcpu[0];

    EXPECT_EQ(evtchn_poll(v, &port, 1, world_now), 0);
    EXPECT_EQ(v->state, VCPU_RUNNING);
}

TEST("a poll sleeps until its port is pending, even if that is masked")
{
    evtchn_port_t port = port_in(EVTCHN_IPI), other;
    struct vcpu *v = world[0].vcpu[0];

    REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 1, &other) == 0);
    world[0].shared_info->evtchn_mask[0] = ~0ULL;
    EXPECT_EQ(evtchn_poll(v, &port, 1, world_now + 500), 0);
    EXPECT_EQ(v->state, VCPU_BLOCKED);
    EXPECT_TRUE(v->poll_timer.armed);
    EXPECT_EQ(v->poll_timer.node.key, world_now + 500);

    EXPECT_EQ(evtchn_send(&world[0], other), 0);
    EXPECT_EQ(v->state, VCPU_BLOCKED);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(v->state, VCPU_RUNNABLE);

    evtchn_poll_end(v);
    evtchn_poll_end(v); /* Only one was begun. */
    EXPECT_EQ(world[0].events->pollers, 0);
    EXPECT_FALSE(v->poll_timer.armed);
    EXPECT_TRUE(world_pending(0, port));
}

TEST("a poll of several ports wakes for each of them")
{
    evtchn_port_t ports[3] = {port_in(EVTCHN_IPI), port_in(EVTCHN_UNBOUND), 0};
    struct vcpu *v = world[0].vcpu[0];

    REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, 1, &ports[2]) == 0);
    EXPECT_EQ(evtchn_poll(v, ports, 3, 0), 0);
    EXPECT_EQ(v->state, VCPU_BLOCKED);
    EXPECT_EQ(evtchn_send(&world[0], ports[2]), 0);
    EXPECT_EQ(v->state, VCPU_RUNNABLE);
    evtchn_poll_end(v);
}

TEST("a poll of port 0 alone, or of none, is a sleep that can end")
{
    evtchn_port_t none = 0;
    struct vcpu *v = world[0].vcpu[0];

    EXPECT_EQ(evtchn_poll(v, &none, 1, 0), 0);
    EXPECT_EQ(world[0].events->pollers, 1);
    evtchn_poll_end(v);
    EXPECT_EQ(world[0].events->pollers, 0);
    EXPECT_EQ(evtchn_poll(v, &none, 0, 0), 0);
    evtchn_poll_end(v);
    EXPECT_EQ(world[0].events->pollers, 0);
}

TEST("a poll of a port out of range is -EINVAL")
{
    evtchn_port_t ports[2] = {1, WORLD_MAX_PORT + 1};

    EXPECT_EQ(evtchn_poll(world[0].vcpu[0], ports, 2, 0), -EINVAL);
    EXPECT_EQ(world[0].events->pollers, 0);
}

TEST("a poll returns at once while an upcall is due")
{
    evtchn_port_t port = port_in(EVTCHN_IPI);
    struct vcpu *v = world[0].vcpu[0];

    v->info->evtchn_upcall_mask = 0;
    v->info->evtchn_upcall_pending = 1;
    EXPECT_EQ(evtchn_poll(v, &port, 1, 0), 0);
    EXPECT_EQ(v->state, VCPU_RUNNING);
}

TEST("the console ring's interrupt comes late, and only if it is bound")
{
    evtchn_port_t port;

    upcall_log_grew();
    EXPECT_FALSE(percpu_need_resched);
    REQUIRE(evtchn_bind(&world[0], EVTCHN_VIRQ, VIRQ_CON_RING, 0, &port) == 0);
    upcall_raise_late();
    EXPECT_FALSE(world_pending(0, port));
    upcall_log_grew();
    EXPECT_TRUE(percpu_need_resched);
    EXPECT_FALSE(world_pending(0, port));
    upcall_raise_late();
    EXPECT_TRUE(world_pending(0, port));
    EXPECT_EQ(world_notified[0][0], 1);
    initial_domain = NULL;
    upcall_log_grew();
    initial_domain = &world[0];
}

TEST("a device's port says whether the last interrupt was seen")
{
    evtchn_port_t port = port_in(EVTCHN_PIRQ);

    EXPECT_FALSE(evtchn_raise_pirq(&world[0], port));
    EXPECT_TRUE(evtchn_raise_pirq(&world[0], port));
    consume(0, 0);
    EXPECT_FALSE(evtchn_raise_pirq(&world[0], port));
}
