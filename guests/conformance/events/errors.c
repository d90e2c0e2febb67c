/* SPDX-License-Identifier: BSD-2-Clause */
/* Every error that abi/event_channel.h and the ABI page list, and no other. */

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/ports.h"
#include "framework/test.h"

/* A domain that does not exist, and a port nobody has allocated. */
#define NOBODY    ((domid_t)0x5555)
#define FREE_PORT 1000U

TEST("a send on a port that is free, 0 or out of range is -EINVAL")
{
    static const evtchn_port_t ports[] = {0,    FREE_PORT,  4095, 4096,
                                          4097, 0x7fffffff, ~0U};

    for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        EXPECT_EQ(port_send(ports[i]), -ABI_EINVAL);
}

TEST("a close of a port that is free, 0 or out of range is -EINVAL")
{
    static const evtchn_port_t ports[] = {0, FREE_PORT, 4096, 0x80000000, ~0U};

    for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++)
        EXPECT_EQ(port_close(ports[i]), -ABI_EINVAL);
}

TEST("a second close is -EINVAL")
{
    evtchn_port_t port = port_alloc_unbound(own_domid);

    EXPECT_EQ(port_close(port), 0);
    EXPECT_EQ(port_close(port), -ABI_EINVAL);
}

TEST("a send on a virtual interrupt's port is -EINVAL")
{
    evtchn_port_t port = port_bind_virq(VIRQ_DEBUG, 0);

    REQUIRE(port != 0);
    EXPECT_EQ(port_send(port), -ABI_EINVAL);
    port_close(port);
}

TEST("a send on an IPI port sets that port pending")
{
    evtchn_port_t port = port_bind_ipi(0);

    REQUIRE(port != 0);
    EXPECT_EQ(port_status(port).status, EVTCHNSTAT_ipi);
    EXPECT_EQ(port_send(port), 0);
    EXPECT_TRUE(port_pending(port));
    port_clear(port);
    port_close(port);
}

TEST("bind_ipi to a vCPU that does not exist is -ENOENT")
{
    static const uint32_t vcpus[] = {64, 8192, ~0U};

    for (unsigned int i = 0; i < sizeof(vcpus) / sizeof(vcpus[0]); i++) {
        EXPECT_EQ(port_bind_ipi(vcpus[i]), 0);
        EXPECT_EQ(port_error, -ABI_ENOENT);
    }
}

TEST("bind_virq binds once, and says -EEXIST after that")
{
    evtchn_port_t port = port_bind_virq(VIRQ_DEBUG, 0);
    struct evtchn_status status = port_status(port);

    REQUIRE(port != 0);
    EXPECT_EQ(status.status, EVTCHNSTAT_virq);
    EXPECT_EQ(status.u.virq, VIRQ_DEBUG);
    EXPECT_EQ(port_bind_virq(VIRQ_DEBUG, 0), 0);
    EXPECT_EQ(port_error, -ABI_EEXIST);
    port_close(port);
    port = port_bind_virq(VIRQ_DEBUG, 0);
    EXPECT_TRUE(port != 0);
    port_close(port);
}

TEST("bind_virq of a number that is none is -EINVAL")
{
    static const uint32_t virqs[] = {VIRQ_COUNT, VIRQ_COUNT + 1, 1U << 31, ~0U};

    for (unsigned int i = 0; i < sizeof(virqs) / sizeof(virqs[0]); i++) {
        EXPECT_EQ(port_bind_virq(virqs[i], 0), 0);
        EXPECT_EQ(port_error, -ABI_EINVAL);
    }
}

TEST("bind_virq to a vCPU that does not exist is -ENOENT")
{
    EXPECT_EQ(port_bind_virq(VIRQ_TIMER, 8191), 0);
    EXPECT_EQ(port_error, -ABI_ENOENT);
    EXPECT_EQ(port_bind_virq(VIRQ_TIMER, ~0U), 0);
    EXPECT_EQ(port_error, -ABI_ENOENT);
}

TEST("a global virtual interrupt cannot be bound to another vCPU than 0")
{
    EXPECT_EQ(port_bind_virq(VIRQ_CON_RING, 1), 0);
    EXPECT_EQ(port_error, -ABI_EINVAL);
}

TEST("bind_interdomain to no domain is -ESRCH")
{
    EXPECT_EQ(port_bind(NOBODY, 1), 0);
    EXPECT_EQ(port_error, -ABI_ESRCH);
}

TEST("bind_interdomain to a port that is not unbound is -EINVAL")
{
    static const evtchn_port_t ports[] = {0, FREE_PORT, 4096, ~0U};
    evtchn_port_t far = port_alloc_unbound(own_domid);
    evtchn_port_t near = port_bind(own_domid, far);

    for (unsigned int i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        EXPECT_EQ(port_bind(own_domid, ports[i]), 0);
        EXPECT_EQ(port_error, -ABI_EINVAL);
    }
    EXPECT_EQ(port_bind(own_domid, far), 0);
    EXPECT_EQ(port_error, -ABI_EINVAL);
    port_close(near);
    port_close(far);
}

TEST("bind_interdomain to a port reserved for another domain is -EINVAL")
{
    evtchn_port_t port = port_alloc_unbound(NOBODY);

    REQUIRE(port != 0);
    EXPECT_EQ(port_bind(own_domid, port), 0);
    EXPECT_EQ(port_error, -ABI_EINVAL);
    port_close(port);
}

TEST("DOMID_SELF stands for the caller when binding")
{
    evtchn_port_t far = port_alloc_unbound(DOMID_SELF);
    evtchn_port_t near = port_bind(DOMID_SELF, far);

    EXPECT_TRUE(near != 0);
    EXPECT_EQ(port_status(near).u.interdomain.dom, own_domid);
    port_close(near);
    port_close(far);
}

TEST("alloc_unbound for a domain that does not exist is -ESRCH")
{
    struct evtchn_alloc_unbound op = {.dom = NOBODY, .remote_dom = own_domid};

    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_alloc_unbound, &op),
              -ABI_ESRCH);
}

TEST("status tells closed, unbound, and -EINVAL or -ESRCH")
{
    evtchn_port_t port = port_alloc_unbound(NOBODY);
    struct evtchn_status op = {.dom = DOMID_SELF, .port = ~0U};

    EXPECT_EQ(port_status(0).status, EVTCHNSTAT_closed);
    EXPECT_EQ(port_status(port).status, EVTCHNSTAT_unbound);
    EXPECT_EQ(port_status(port).u.unbound.dom, NOBODY);
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_status, &op), -ABI_EINVAL);
    op.dom = NOBODY;
    op.port = port;
    EXPECT_EQ(hypercall_event_channel_op(EVTCHNOP_status, &op), -ABI_ESRCH);
    port_close(port);
    EXPECT_EQ(port_status(port).status, EVTCHNSTAT_closed);
}

TEST("bind_vcpu moves what may be moved, and refuses the rest")
{
    evtchn_port_t unbound = port_alloc_unbound(own_domid);
    evtchn_port_t ipi = port_bind_ipi(0);
    evtchn_port_t virq = port_bind_virq(VIRQ_DEBUG, 0);

    EXPECT_EQ(port_bind_vcpu(unbound, 0), 0);
    EXPECT_EQ(port_bind_vcpu(unbound, 8191), -ABI_ENOENT);
    EXPECT_EQ(port_bind_vcpu(ipi, 0), -ABI_EINVAL);
    EXPECT_EQ(port_bind_vcpu(virq, 0), -ABI_EINVAL);
    EXPECT_EQ(port_bind_vcpu(FREE_PORT, 0), -ABI_EINVAL);
    EXPECT_EQ(port_bind_vcpu(~0U, 0), -ABI_EINVAL);
    port_close(unbound);
    port_close(ipi);
    port_close(virq);
}

TEST("unmask of a port out of range is -EINVAL")
{
    EXPECT_EQ(port_unmask(4096), -ABI_EINVAL);
    EXPECT_EQ(port_unmask(~0U), -ABI_EINVAL);
}

TEST("an interrupt of a device that is not ours cannot be bound")
{
    struct {
        uint32_t pirq, flags, port;
    } op = {.pirq = ~0U};
    long rc = hypercall_event_channel_op(EVTCHNOP_bind_pirq, &op);

    EXPECT_TRUE(rc == -ABI_EINVAL || rc == -ABI_EPERM || rc == -ABI_ENOSYS);
}

TEST("an unknown event channel operation is -ENOSYS")
{
    uint64_t arg[8] = {0};

    EXPECT_EQ(hypercall_event_channel_op(15, arg), -ABI_ENOSYS);
    EXPECT_EQ(hypercall_event_channel_op(255, arg), -ABI_ENOSYS);
    EXPECT_EQ(hypercall_event_channel_op(~0U, arg), -ABI_ENOSYS);
}

TEST("ports run out with -ENOSPC, and all come back")
{
    unsigned int before = ports_in_use(EVTCHN_2L_PORTS);
    evtchn_port_t last = 0, port;
    unsigned int count = 0;

    while ((port = port_alloc_unbound(own_domid)) != 0) {
        last = port;
        count++;
    }
    EXPECT_EQ(port_error, -ABI_ENOSPC);
    EXPECT_TRUE(last < EVTCHN_2L_PORTS);
    EXPECT_TRUE(count > 100);
    port_bind_ipi(0);
    EXPECT_EQ(port_error, -ABI_ENOSPC);
    for (port = last; count > 0; port--) {
        if (port_status(port).status == EVTCHNSTAT_unbound) {
            EXPECT_EQ(port_close(port), 0);
            count--;
        }
    }
    EXPECT_EQ(ports_in_use(EVTCHN_2L_PORTS), before);
}
