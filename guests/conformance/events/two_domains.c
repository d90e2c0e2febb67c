/* SPDX-License-Identifier: BSD-2-Clause */
/* Channels between this domain and a child. */

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"

#define ROUNDS 500U

/* A child whose number must be known before it exists. */
#define WANTED 77U
#define CHILD  child_domid(WANTED)
static const struct child_limits numbered = {.domid = WANTED};

#define ONLY_CAIRN SKIP_ON_XEN("a child must die, or have limits of its own")

/* Wait for @port, take its event. */
static bool wait_port(evtchn_port_t port)
{
    struct sched_poll op = {.ports = hypercall_ptr(&port),
                            .nr_ports = 1,
                            .timeout = now_ns() + 5000000000UL};

    while (!port_pending(port)) {
        if (now_ns() >= op.timeout)
            return false;
        hypercall_sched_op(SCHEDOP_poll, &op);
    }
    port_clear(port);
    return true;
}

/* Answers each event with one; returns how many it saw. */
static uint64_t answer(uint64_t parent_port)
{
    evtchn_port_t port = port_bind(parent_domid, (evtchn_port_t)parent_port);
    uint64_t seen = 0;

    EXPECT_TRUE(port != 0);
    port_clear(port);
    port_send(port);
    for (; seen < ROUNDS && wait_port(port); seen++)
        port_send(port);
    port_close(port);
    return seen;
}

TEST("events go to and fro between two domains, none lost")
{
    struct child child;
    evtchn_port_t port;
    unsigned int rounds = 0;

    NEEDS_CHILD;
    port = port_alloc_unbound(CHILD);
    if (!child_start(&child, &numbered, answer, port))
        return;
    EXPECT_EQ(port_status(port).status == EVTCHNSTAT_closed, 0);
    REQUIRE(wait_port(port));
    for (; rounds < ROUNDS; rounds++) {
        port_send(port);
        if (!wait_port(port))
            break;
    }
    EXPECT_EQ(rounds, ROUNDS);
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, ROUNDS);
    child_destroy(&child);
    EXPECT_EQ(port_status(port).status, EVTCHNSTAT_unbound);
    EXPECT_EQ(port_send(port), 0);
    port_close(port);
}

static uint64_t alloc_in_others(uint64_t unused)
{
    struct evtchn_alloc_unbound op = {.dom = parent_domid,
                                      .remote_dom = own_domid};

    (void)unused;
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op),
              -ABI_EPERM);
    op.dom = own_domid;
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op), 0);
    return 0;
}

TEST("without rights no port can be made in another domain")
{
    struct child child;

    NEEDS_CHILD;
    EXPECT_TRUE(child_run(&child, alloc_in_others, 0));
}

static uint64_t look_at_others(uint64_t port)
{
    struct evtchn_status op = {.dom = parent_domid,
                               .port = (evtchn_port_t)port};

    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_status, &op), -ABI_EPERM);
    return 0;
}

TEST("without rights the status of another domain's port is -EPERM")
{
    struct child child;
    evtchn_port_t port;

    NEEDS_CHILD;
    port = port_alloc_unbound(own_domid);
    EXPECT_TRUE(child_run(&child, look_at_others, port));
    port_close(port);
}

/* Tries all ports of the parent; one is reserved for somebody else. */
static uint64_t bind_others(uint64_t unused)
{
    uint64_t bound = 0;

    (void)unused;
    for (evtchn_port_t port = 0; port < 256; port++) {
        if (port_bind(parent_domid, port) != 0)
            bound++;
        else
            EXPECT_EQ(port_error, -ABI_EINVAL);
    }
    return bound;
}

TEST("a port reserved for another domain cannot be bound by a stranger")
{
    struct child child;
    evtchn_port_t ours, nobodys;

    NEEDS_CHILD;
    ours = port_alloc_unbound(own_domid);
    nobodys = port_alloc_unbound(0x1234);
    EXPECT_TRUE(child_run(&child, bind_others, 0));
    EXPECT_EQ(child.result, 0);
    EXPECT_EQ(port_status(ours).status, EVTCHNSTAT_unbound);
    port_close(ours);
    port_close(nobodys);
}

/* Global interrupts belong to the control domain. */
static uint64_t bind_global(uint64_t unused)
{
    static const uint32_t virqs[] = {VIRQ_CONSOLE, VIRQ_DOM_EXC, VIRQ_CON_RING,
                                     VIRQ_ENOMEM};
    uint64_t got = 0;

    (void)unused;
    for (unsigned int i = 0; i < sizeof(virqs) / sizeof(virqs[0]); i++) {
        if (port_bind_virq(virqs[i], 0) != 0)
            got++;
    }
    return got;
}

TEST("a child that binds global interrupts does not take them from us")
{
    struct child child;

    ONLY_CAIRN;
    /* child_run() itself waits by VIRQ_DOM_EXC. */
    EXPECT_TRUE(child_run(&child, bind_global, 0));
    EXPECT_TRUE(child_run(&child, bind_global, 0));
}

static uint64_t take_all_ports(uint64_t unused)
{
    uint64_t count = 0;

    (void)unused;
    while (port_alloc_unbound(0) != 0)
        count++;
    EXPECT_EQ(port_error, -ABI_ENOSPC);
    return count;
}

TEST("a domain gets as many ports as it was allowed, and no more")
{
    static const struct child_limits limits = {.max_ports = 200};
    struct child child;

    ONLY_CAIRN;
    if (!child_start(&child, &limits, take_all_ports, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_TRUE(child.result >= 199 && child.result <= 200);
    EXPECT_EQ(child.info.ports_max, 200);
    child_destroy(&child);
}

/* Bound to us, it dies without closing. */
static uint64_t bind_and_crash(uint64_t parent_port)
{
    if (port_bind(parent_domid, (evtchn_port_t)parent_port) == 0)
        return 1;
    *(volatile int *)0 = 0;
    return 0;
}

TEST("a crash of the peer leaves our end unbound once it is destroyed")
{
    struct child child;
    evtchn_port_t port;

    ONLY_CAIRN;
    port = port_alloc_unbound(CHILD);
    if (!child_start(&child, &numbered, bind_and_crash, port))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_FALSE(child.finished);
    EXPECT_EQ(port_status(port).status, EVTCHNSTAT_interdomain);
    child_destroy(&child);
    EXPECT_EQ(port_status(port).status, EVTCHNSTAT_unbound);
    port_close(port);
}
