/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * FIFO event channels: the pages, the queues word by word, and a guest that
 * writes into them what it likes.
 */

/* LINK: hypervisor/event/table.c hypervisor/event/bind.c */
/* LINK: hypervisor/event/close.c hypervisor/event/send.c */
/* LINK: hypervisor/event/virq.c */
/* LINK: hypervisor/event/poll.c hypervisor/event/status.c */
/* LINK: hypervisor/event/fifo.c hypervisor/event/fifo_pages.c */
/* LINK: tests/unit/hypervisor/event/world.c */

#include "unit/test.h"

#include "doubles/check.h"
#include "event/table.h"
#include "hypervisor/event/world.h"

CHECK_MAIN

#define PORTS 3000U /* three pages of words */

#define PENDING EVTCHN_WORD_PENDING
#define MASKED  EVTCHN_WORD_MASKED
#define LINKED  EVTCHN_WORD_LINKED
#define BUSY    EVTCHN_WORD_BUSY

static evtchn_port_t taken[PORTS];
static unsigned int taken_count;

static void take(domid_t domid, evtchn_port_t port)
{
    (void)domid;
    taken[taken_count++ % PORTS] = port;
}

/* What vCPU @vcpu of domain 0 finds. */
static unsigned int take_all(uint32_t vcpu)
{
    taken_count = 0;
    world_fifo_take(0, vcpu, take);
    return taken_count;
}

void setup(void)
{
    world_max_port = PORTS - 1;
    world_make();
}

void teardown(void)
{
    world_end();
}

static evtchn_port_t ipi(uint32_t vcpu)
{
    evtchn_port_t port = 0;

    REQUIRE(evtchn_bind(&world[0], EVTCHN_IPI, 0, vcpu, &port) == 0);
    return port;
}

static int init_control(uint32_t vcpu, uint64_t page, uint32_t offset)
{
    struct evtchn_init_control op = {
        .control_gfn = page, .offset = offset, .vcpu = vcpu};
    int rc = evtchn_init_control(&world[0], &op);

    if (rc == 0)
        EXPECT_EQ(op.link_bits, 17);
    return rc;
}

/* A whole call, with its continuations. */
static int expand(uint64_t page)
{
    int rc = evtchn_expand_array(&world[0], page);

    while (rc == -EAGAIN)
        rc = evtchn_raise_waiting(&world[0]);
    return rc;
}

TEST("control blocks: each documented error, and each vCPU has one only")
{
    EXPECT_EQ(init_control(WORLD_VCPUS, 0, 0), -ENOENT);
    EXPECT_EQ(init_control(~0U, 0, 0), -ENOENT);
    EXPECT_EQ(init_control(0, 0, 4), -EINVAL);
    EXPECT_EQ(init_control(0, 0, 4096 - 64), -EINVAL);
    EXPECT_EQ(init_control(0, 0, 4096), -EINVAL);
    EXPECT_EQ(init_control(0, 0, ~7U), -EINVAL);
    EXPECT_EQ(init_control(0, 99, 0), -EINVAL);
    EXPECT_EQ(init_control(0, ~0ULL, 0), -EINVAL);
    EXPECT_EQ(init_control(0, WORLD_PAGE_READ_ONLY, 0), -EINVAL);
    EXPECT_EQ(init_control(0, WORLD_PAGE_NO_MEMORY, 0), -ENOMEM);
    EXPECT_EQ(world_repeats, 1);
    EXPECT_TRUE(world[0].events->pending != NULL);

    EXPECT_EQ(init_control(0, 0, 4096 - 72), 0);
    EXPECT_TRUE(world[0].events->pending == NULL);
    EXPECT_EQ(init_control(0, 0, 0), -EINVAL);
    EXPECT_EQ(init_control(1, 0, 0), 0);
    EXPECT_EQ(world_pins(0, 0), 2);
}

TEST("event word pages: each documented error, and 128 at most")
{
    EXPECT_EQ(evtchn_expand_array(&world[0], 1), -EOPNOTSUPP);
    REQUIRE(init_control(0, 0, 0) == 0);
    EXPECT_EQ(evtchn_expand_array(&world[0], 99), -EINVAL);
    EXPECT_EQ(evtchn_expand_array(&world[0], WORLD_PAGE_READ_ONLY), -EINVAL);
    EXPECT_EQ(evtchn_expand_array(&world[0], WORLD_PAGE_NO_MEMORY), -ENOMEM);
    for (int i = 0; i < 128; i++)
        EXPECT_EQ(expand(1), 0);
    EXPECT_EQ(world[0].events->fifo->port_end, EVTCHN_FIFO_PORTS);
    EXPECT_EQ(evtchn_expand_array(&world[0], 1), -ENOSPC);
    EXPECT_EQ(world_pins(0, 1), 128);
}

TEST("priorities: -ENOSYS in 2-level, -EINVAL out of range")
{
    evtchn_port_t port = ipi(0);

    EXPECT_EQ(evtchn_set_priority(&world[0], port, 0), -ENOSYS);
    EXPECT_EQ(evtchn_set_priority(&world[0], PORTS, 0), -EINVAL);
    world_fifo(0);
    EXPECT_EQ(evtchn_set_priority(&world[0], port, 16), -EINVAL);
    EXPECT_EQ(evtchn_set_priority(&world[0], port, ~0U), -EINVAL);
    EXPECT_EQ(evtchn_set_priority(&world[0], PORTS, 0), -EINVAL);
    EXPECT_EQ(evtchn_set_priority(&world[0], ~0U, 0), -EINVAL);
    EXPECT_EQ(evtchn_set_priority(&world[0], port, 15), 0);
    EXPECT_EQ(evtchn_set_priority(&world[0], port, 0), 0);
}

TEST("2-level ends at 4,095, and FIFO goes on to what the domain may have")
{
    evtchn_port_t port = 0, last = 0;

    world_end();
    world_max_port = 5000;
    world_make();
    while (evtchn_bind(&world[0], EVTCHN_IPI, 0, 0, &port) == 0)
        last = port;
    EXPECT_EQ(last, 4095);
    EXPECT_EQ(evtchn_poll(world[0].vcpu[0], &(evtchn_port_t){4096}, 1, 1),
              -EINVAL);
    world_fifo(0);
    while (evtchn_bind(&world[0], EVTCHN_IPI, 0, 1, &port) == 0)
        last = port;
    EXPECT_EQ(last, 5000);
    EXPECT_EQ(evtchn_send(&world[0], 5000), 0);
    EXPECT_EQ(take_all(1), 1);
    EXPECT_EQ(taken[0], 5000);
    EXPECT_EQ(evtchn_poll(world[0].vcpu[0], &(evtchn_port_t){5001}, 1, 1),
              -EINVAL);
}

TEST("a send links the port, sets the ready bit, and makes one upcall")
{
    evtchn_port_t a, b;
    const struct evtchn_fifo_control *control = world_control(0, 1);

    a = ipi(1);
    b = ipi(1);
    world_fifo(0);
    EXPECT_EQ(evtchn_send(&world[0], a), 0);
    EXPECT_EQ(*world_word(0, a), PENDING | LINKED);
    EXPECT_EQ(control->ready, 1U << 7);
    EXPECT_EQ(control->head[7], a);
    EXPECT_EQ(world_notified[0][1], 1);
    EXPECT_EQ(world[0].vcpu[1]->info->evtchn_upcall_pending, 1);
    EXPECT_EQ(world[0].vcpu[0]->info->evtchn_upcall_pending, 0);

    EXPECT_EQ(evtchn_send(&world[0], b), 0);
    EXPECT_EQ(evtchn_send(&world[0], b), 0);
    EXPECT_EQ(*world_word(0, a), PENDING | LINKED | b);
    EXPECT_EQ(*world_word(0, b), PENDING | LINKED);
    EXPECT_EQ(control->head[7], a);
    EXPECT_EQ(world_notified[0][1], 1);
    EXPECT_EQ(take_all(1), 2);
    EXPECT_EQ(taken[0], a);
    EXPECT_EQ(taken[1], b);

    /* The queue is empty: it begins anew, with its last port too. */
    EXPECT_EQ(evtchn_send(&world[0], b), 0);
    EXPECT_EQ(control->head[7], b);
    EXPECT_EQ(world_notified[0][1], 2);
    EXPECT_EQ(take_all(1), 1);
    EXPECT_EQ(taken[0], b);
}

TEST("priorities come in their order")
{
    evtchn_port_t low, high, usual;

    low = ipi(0);
    usual = ipi(0);
    high = ipi(0);
    world_fifo(0);
    EXPECT_EQ(evtchn_set_priority(&world[0], low, 15), 0);
    EXPECT_EQ(evtchn_set_priority(&world[0], high, 0), 0);
    EXPECT_EQ(evtchn_send(&world[0], low), 0);
    EXPECT_EQ(evtchn_send(&world[0], usual), 0);
    EXPECT_EQ(evtchn_send(&world[0], high), 0);
    EXPECT_EQ(world_control(0, 0)->ready, 1U << 15 | 1U << 7 | 1);
    EXPECT_EQ(take_all(0), 3);
    EXPECT_EQ(taken[0], high);
    EXPECT_EQ(taken[1], usual);
    EXPECT_EQ(taken[2], low);
}

TEST("a masked port waits unlinked, and unmask links it")
{
    evtchn_port_t port = ipi(0);

    world_fifo(0);
    *world_word(0, port) = MASKED;
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(*world_word(0, port), MASKED | PENDING);
    EXPECT_EQ(world_notified[0][0], 0);
    EXPECT_EQ(evtchn_unmask(&world[0], port), 0);
    EXPECT_EQ(*world_word(0, port), LINKED | PENDING);
    EXPECT_EQ(world_notified[0][0], 1);
    EXPECT_EQ(take_all(0), 1);
    EXPECT_EQ(evtchn_unmask(&world[0], port), 0);
    EXPECT_EQ(world_notified[0][0], 1);
}

TEST("a port that is pending and not linked is linked when it is sent again")
{
    evtchn_port_t port = ipi(0);

    world_fifo(0);
    *world_word(0, port) = PENDING; /* The guest unmasked it by itself. */
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(take_all(0), 1);
}

TEST("what was pending in 2-level comes when its word is there")
{
    evtchn_port_t low = ipi(0), far = 0, idle;

    idle = ipi(0);
    while (far < 2500)
        far = ipi(1);
    EXPECT_EQ(evtchn_send(&world[0], low), 0);
    EXPECT_EQ(evtchn_send(&world[0], far), 0);
    REQUIRE(init_control(0, 0, 0) == 0);
    REQUIRE(init_control(1, 0, 128) == 0);
    EXPECT_TRUE(world_pending(0, low));
    EXPECT_FALSE(world_pending(0, idle));
    EXPECT_EQ(evtchn_send(&world[0], idle), 0);
    EXPECT_TRUE(world_pending(0, idle));
    EXPECT_EQ(take_all(0), 0);

    for (uint32_t page = 1; page < 4; page++) {
        EXPECT_EQ(expand(page), 0);
        EXPECT_EQ(take_all(0), page == 1 ? 2 : 0);
        EXPECT_EQ(take_all(1), page == 3 ? 1 : 0);
    }
    EXPECT_EQ(taken[0], far);
}

TEST("a thousand waiting ports are raised in quanta")
{
    int calls = 1;

    for (int i = 0; i < 1100; i++)
        EXPECT_EQ(evtchn_send(&world[0], ipi(0)), 0);
    REQUIRE(init_control(0, 0, 0) == 0);
    EXPECT_EQ(evtchn_expand_array(&world[0], 1), -EAGAIN);
    while (evtchn_raise_waiting(&world[0]) == -EAGAIN)
        calls++;
    EXPECT_EQ(calls, 4);
    EXPECT_EQ(take_all(0), 1023); /* without port 0 */
}

TEST("a port closed while it waits for its word is not raised")
{
    evtchn_port_t port = ipi(0);

    REQUIRE(init_control(0, 0, 0) == 0);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(evtchn_close(&world[0], port), 0);
    EXPECT_EQ(ipi(0), port);
    EXPECT_EQ(expand(1), 0);
    EXPECT_EQ(take_all(0), 0);
    EXPECT_FALSE(world_pending(0, port));
}

TEST("a vCPU without control block gets nothing, and nothing breaks")
{
    evtchn_port_t port = ipi(1);

    REQUIRE(init_control(0, 0, 0) == 0);
    EXPECT_EQ(expand(1), 0);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(*world_word(0, port), PENDING);
    EXPECT_EQ(world_notified[0][1], 0);
    REQUIRE(init_control(1, 0, 128) == 0);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(world_notified[0][1], 1);
}

TEST("a port that was moved joins its new queue, and leaves the old one whole")
{
    evtchn_port_t a, b, far;

    REQUIRE(evtchn_bind(&world[0], EVTCHN_UNBOUND, 1, 0, &a) == 0);
    REQUIRE(evtchn_bind_interdomain(&world[1], &world[0], a, &far) == 0);
    b = ipi(0);
    world_fifo(0);

    /* @a is the last of vCPU 0's queue, taken, and then the first of 1's. */
    EXPECT_EQ(evtchn_send(&world[1], far), 0);
    EXPECT_EQ(take_all(0), 1);
    EXPECT_EQ(evtchn_bind_vcpu(&world[0], a, 1), 0);
    EXPECT_EQ(evtchn_send(&world[1], far), 0);
    EXPECT_EQ(evtchn_send(&world[0], b), 0); /* must not link behind @a */
    EXPECT_EQ(*world_word(0, a), PENDING | LINKED);
    EXPECT_EQ(take_all(0), 1);
    EXPECT_EQ(taken[0], b);
    EXPECT_EQ(take_all(1), 1);
    EXPECT_EQ(taken[0], a);

    /* The same by a change of priority. */
    EXPECT_EQ(evtchn_send(&world[1], far), 0);
    EXPECT_EQ(take_all(1), 1);
    EXPECT_EQ(evtchn_set_priority(&world[0], a, 3), 0);
    EXPECT_EQ(evtchn_send(&world[1], far), 0);
    EXPECT_EQ(world_control(0, 1)->head[3], a);
    EXPECT_EQ(take_all(1), 1);

    /* It keeps the priority when it is moved. */
    EXPECT_EQ(evtchn_bind_vcpu(&world[0], a, 0), 0);
    EXPECT_EQ(evtchn_send(&world[1], far), 0);
    EXPECT_EQ(world_control(0, 0)->head[3], a);
    EXPECT_EQ(take_all(0), 1);
}

TEST("a closed port that is still linked is not given again before others")
{
    evtchn_port_t a = ipi(0), b;

    world_fifo(0);
    EXPECT_EQ(evtchn_send(&world[0], a), 0);
    EXPECT_EQ(evtchn_close(&world[0], a), 0);
    EXPECT_EQ(*world_word(0, a), LINKED);
    b = ipi(1);
    EXPECT_EQ(b, a + 1);
    EXPECT_EQ(take_all(0), 0); /* It was in the queue, and not pending. */
    EXPECT_EQ(ipi(1), a);
}

TEST("a guest that links all its free ports still gets what it may have")
{
    evtchn_port_t port;

    world_fifo(0);
    for (port = 1; port < PORTS; port++)
        *world_word(0, port) = LINKED;
    for (uint32_t i = 1; i < PORTS; i++)
        EXPECT_TRUE(ipi(0) != 0);
    EXPECT_EQ(evtchn_bind(&world[0], EVTCHN_IPI, 0, 0, &port), -ENOSPC);
}

TEST("a port that was closed has the usual priority and vCPU again")
{
    evtchn_port_t port = ipi(1);
    struct evtchn_status status = {.port = port};

    world_fifo(0);
    EXPECT_EQ(evtchn_set_priority(&world[0], port, 0), 0);
    EXPECT_EQ(evtchn_close(&world[0], port), 0);
    EXPECT_EQ(evtchn_status(&world[0], &status), 0);
    EXPECT_EQ(status.status, EVTCHNSTAT_closed);
    EXPECT_EQ(status.vcpu, 0);
    EXPECT_EQ(ipi(0), port);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(world_control(0, 0)->head[7], port);
    EXPECT_EQ(world_control(0, 1)->ready, 0);
}

TEST("a reset ends FIFO: 2-level works again, and no page is pinned")
{
    evtchn_port_t port = ipi(0);

    world[0].shared_info->evtchn_pending[1] = ~0ULL;
    world_fifo(0);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    while (evtchn_reset(&world[0]) == -EAGAIN)
        ;
    for (uint32_t page = 0; page < WORLD_PAGES; page++)
        EXPECT_EQ(world_pins(0, page), 0);
    EXPECT_EQ(evtchn_expand_array(&world[0], 1), -EOPNOTSUPP);
    port = ipi(0);
    EXPECT_FALSE(world_pending(0, port));
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(world[0].shared_info->evtchn_pending[0], 1ULL << port);
    EXPECT_EQ(world[0].shared_info->evtchn_pending[1], 0);

    while (evtchn_reset(&world[0]) == -EAGAIN)
        ;
    world_fifo(0); /* A second time, with queues as if new. */
    EXPECT_EQ(evtchn_send(&world[0], ipi(0)), 0);
    EXPECT_EQ(take_all(0), 1);
}

TEST("a poll sees pending words, with and without page")
{
    evtchn_port_t port = ipi(0);
    struct vcpu *v = world[0].vcpu[0];

    REQUIRE(init_control(0, 0, 0) == 0);
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(evtchn_poll(v, &port, 1, 0), 0);
    EXPECT_EQ(v->state, VCPU_RUNNING);
    EXPECT_EQ(expand(1), 0);
    EXPECT_EQ(evtchn_poll(v, &port, 1, 0), 0);
    EXPECT_EQ(v->state, VCPU_RUNNING);
    EXPECT_EQ(take_all(0), 1);
    EXPECT_EQ(evtchn_poll(v, &port, 1, 0), 0);
    EXPECT_EQ(v->state, VCPU_BLOCKED);
    *world_word(0, port) = MASKED;
    EXPECT_EQ(evtchn_send(&world[0], port), 0);
    EXPECT_EQ(v->state, VCPU_RUNNABLE);
    evtchn_poll_end(v);
}

static evtchn_port_t racing;

static void switch_now(void)
{
    EXPECT_EQ(init_control(0, 0, 0), 0);
}

TEST("an event sent while the domain switches to FIFO is not lost")
{
    struct evtchn_table *t = world[0].events;

    racing = ipi(0);
    /* The sender has turned the bit of 2-level on, and then it is FIFO. */
    EXPECT_FALSE(bit_test_and_set(t->pending, racing));
    switch_now();
    evtchn_deliver(t, racing);
    EXPECT_EQ(expand(1), 0);
    EXPECT_EQ(take_all(0), 1);

    /* The sender saw 2-level, and looks at FIFO's page just too early. */
    EXPECT_EQ(evtchn_send(&world[0], racing), 0);
    EXPECT_EQ(take_all(0), 1);
}

/* Words whose link the guest has made point anywhere: nobody follows it. */
TEST("corrupted links, heads and ready bits stay the guest's own affair")
{
    static const uint32_t links[] = {0, 1, 2, 3, PORTS, 0x1ffff};
    evtchn_port_t a, b, c;

    a = ipi(0);
    b = ipi(0);
    c = ipi(0);
    world_fifo(0);
    world_fifo(1);
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        EXPECT_EQ(evtchn_send(&world[0], a), 0);
        *world_word(0, a) |= links[i] | BUSY;
        world_control(0, 0)->head[7] = links[i] | MASKED;
        world_control(0, 0)->ready = ~0U;
        EXPECT_EQ(evtchn_send(&world[0], b), 0);
        *world_word(0, b) = LINKED | b; /* linked to itself */
        EXPECT_EQ(evtchn_send(&world[0], b), 0);
        EXPECT_EQ(evtchn_send(&world[0], c), 0);
        EXPECT_EQ(*world_word(0, b) & EVTCHN_WORD_LINK_MASK, c);
        *world_word(0, a) = *world_word(0, b) = *world_word(0, c) = 0;
    }
}

TEST("two guests' queues do not meet")
{
    evtchn_port_t near, far, own = ipi(0);

    REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 0, 0, &far) == 0);
    REQUIRE(evtchn_bind_interdomain(&world[0], &world[1], far, &near) == 0);
    world_fifo(0);
    world_fifo(1);
    EXPECT_EQ(take_all(0), 1); /* Binding made it pending. */
    EXPECT_EQ(evtchn_send(&world[0], near), 0);
    EXPECT_EQ(evtchn_send(&world[0], own), 0);
    EXPECT_EQ(world_control(1, 0)->head[7], far);
    EXPECT_EQ(*world_word(1, far), PENDING | LINKED);
    EXPECT_EQ(take_all(0), 1);
    EXPECT_EQ(taken[0], own);
}

TEST("a sender that finds the lock taken sends all the same")
{
    evtchn_port_t near, far, own = ipi(0);

    REQUIRE(evtchn_bind(&world[1], EVTCHN_UNBOUND, 0, 0, &far) == 0);
    REQUIRE(evtchn_bind_interdomain(&world[0], &world[1], far, &near) == 0);
    world_contended = true;
    EXPECT_EQ(evtchn_send(&world[0], near), 0);
    EXPECT_TRUE(world_pending(1, far));
    EXPECT_EQ(evtchn_send(&world[0], own), 0);
    EXPECT_TRUE(world_pending(0, own));
    EXPECT_EQ(evtchn_send(&world[0], 0), -EINVAL);
}
