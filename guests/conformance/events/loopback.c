/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two ends of a channel in one domain: the whole path that no unit test
 * reaches, from the hypercall over the pending bits to the upcall and back.
 */

#include "framework/ports.h"
#include "framework/test.h"

static evtchn_port_t near_port, far_port;

/* A fresh pair, with what binding raised taken away. */
static bool connect_pair(void)
{
    far_port = port_alloc_unbound(own_domid);
    near_port = port_bind(own_domid, far_port);
    port_clear(near_port);
    port_clear(far_port);
    shared_info->vcpu_info[0].evtchn_pending_sel = 0;
    shared_info->vcpu_info[0].evtchn_upcall_pending = 0;
    return far_port != 0 && near_port != 0;
}

static void close_pair(void)
{
    mask_upcalls();
    port_close(near_port);
    port_close(far_port);
}

TEST("binding to an unbound port makes both ends interdomain")
{
    struct evtchn_status status;

    REQUIRE(connect_pair());
    status = port_status(near_port);
    EXPECT_EQ(status.status, EVTCHNSTAT_interdomain);
    EXPECT_EQ(status.u.interdomain.dom, own_domid);
    EXPECT_EQ(status.u.interdomain.port, far_port);
    status = port_status(far_port);
    EXPECT_EQ(status.status, EVTCHNSTAT_interdomain);
    EXPECT_EQ(status.u.interdomain.port, near_port);
    close_pair();
}

TEST("binding sets the new port pending once")
{
    far_port = port_alloc_unbound(own_domid);
    near_port = port_bind(own_domid, far_port);
    REQUIRE(far_port != 0 && near_port != 0);
    EXPECT_TRUE(port_pending(near_port));
    close_pair();
}

TEST("a send sets pending, selector and upcall_pending at the other end")
{
    REQUIRE(connect_pair());
    EXPECT_EQ(port_send(near_port), 0);
    EXPECT_TRUE(port_pending(far_port));
    EXPECT_FALSE(port_pending(near_port));
    EXPECT_TRUE(
        shared_info->vcpu_info[0].evtchn_pending_sel >> (far_port / 64) & 1);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_pending, 1);
    close_pair();
}

TEST("no upcall comes while upcalls are masked, one when they are unmasked")
{
    unsigned int before = upcall_count;

    REQUIRE(connect_pair());
    port_events[far_port] = 0;
    port_send(near_port);
    EXPECT_EQ(upcall_count, before);
    unmask_upcalls();
    EXPECT_EQ(upcall_count, before + 1);
    EXPECT_EQ(port_events[far_port], 1);
    close_pair();
}

TEST("a send to oneself is delivered before the hypercall returns")
{
    REQUIRE(connect_pair());
    unmask_upcalls();
    port_events[far_port] = 0;
    port_send(near_port);
    EXPECT_EQ(port_events[far_port], 1);
    port_send(near_port);
    EXPECT_EQ(port_events[far_port], 2);
    close_pair();
}

TEST("ten sends to a port that is pending are one event")
{
    REQUIRE(connect_pair());
    port_events[far_port] = 0;
    for (int i = 0; i < 10; i++)
        port_send(near_port);
    unmask_upcalls();
    EXPECT_EQ(port_events[far_port], 1);
    close_pair();
}

TEST("a masked port becomes pending without an upcall")
{
    unsigned int before = upcall_count;

    REQUIRE(connect_pair());
    port_mask(far_port);
    unmask_upcalls();
    EXPECT_EQ(port_send(near_port), 0);
    EXPECT_TRUE(port_pending(far_port));
    EXPECT_EQ(upcall_count, before);
    port_clear(far_port);
    port_unmask_local(far_port);
    close_pair();
}

TEST("EVTCHNOP_unmask delivers what came while the port was masked")
{
    unsigned int before = upcall_count;

    REQUIRE(connect_pair());
    port_mask(far_port);
    port_events[far_port] = 0;
    unmask_upcalls();
    port_send(near_port);
    EXPECT_EQ(port_unmask(far_port), 0);
    EXPECT_EQ(port_events[far_port], 1);
    EXPECT_EQ(upcall_count, before + 1);
    close_pair();
}

TEST("EVTCHNOP_unmask of a port that is not pending raises nothing")
{
    unsigned int before = upcall_count;

    REQUIRE(connect_pair());
    port_mask(far_port);
    unmask_upcalls();
    EXPECT_EQ(port_unmask(far_port), 0);
    EXPECT_EQ(upcall_count, before);
    EXPECT_FALSE(port_masked(far_port));
    close_pair();
}

TEST("the upcall comes with upcalls masked, and iret unmasks them again")
{
    REQUIRE(connect_pair());
    unmask_upcalls();
    port_send(near_port);
    EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 0);
    close_pair();
}

TEST("closing one end leaves the other unbound, for the same domain")
{
    struct evtchn_status status;

    REQUIRE(connect_pair());
    EXPECT_EQ(port_close(near_port), 0);
    status = port_status(far_port);
    EXPECT_EQ(status.status, EVTCHNSTAT_unbound);
    EXPECT_EQ(status.u.unbound.dom, own_domid);
    EXPECT_EQ(port_send(near_port), -ABI_EINVAL);
    near_port = port_bind(own_domid, far_port);
    EXPECT_TRUE(near_port != 0);
    close_pair();
}

TEST("a send into an unbound port is dropped")
{
    evtchn_port_t port = port_alloc_unbound(own_domid);

    REQUIRE(port != 0);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_FALSE(port_pending(port));
    port_close(port);
}

TEST("the lowest free port is given")
{
    evtchn_port_t first = port_alloc_unbound(own_domid);
    evtchn_port_t second = port_alloc_unbound(own_domid);

    EXPECT_EQ(second, first + 1);
    port_close(first);
    EXPECT_EQ(port_alloc_unbound(own_domid), first);
    port_close(first);
    port_close(second);
}
