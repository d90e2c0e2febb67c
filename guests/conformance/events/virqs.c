/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtual interrupts that the hypervisor raises when asked by a debug key. */

#include <abi/control.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"
#include "framework/vcpu.h"

/* What a key does: '?' prints its list to the log, 'v' raises VIRQ_DEBUG. */
static long press(char key)
{
    struct control_op op = {.cmd = CONTROL_OP_debug_key,
                            .u.debug_key.key = (uint32_t)key};

    return control(&op);
}

static bool comes(evtchn_port_t port)
{
    uint64_t end = now_ns() + 2000000000UL;

    while (!port_pending(port) && now_ns() < end)
        vcpu_yield();
    return port_pending(port);
}

TEST("VIRQ_CON_RING comes when the log has grown, to who has bound it")
{
    evtchn_port_t port;

    SKIP_ON_XEN("debug keys are control_op's");
    port = port_bind_virq(VIRQ_CON_RING, 0);
    REQUIRE(port != 0);
    EXPECT_EQ(press('?'), 0);
    EXPECT_TRUE(comes(port));
    port_clear(port);
    EXPECT_EQ(press('?'), 0);
    EXPECT_TRUE(comes(port));
    port_close(port);
    EXPECT_EQ(press('?'), 0);
    EXPECT_FALSE(port_pending(port));
    port_clear(port);
}

TEST("VIRQ_DEBUG comes to each vCPU that has bound it")
{
    evtchn_port_t first, second = 0;

    SKIP_ON_XEN("debug keys are control_op's");
    first = port_bind_virq(VIRQ_DEBUG, 0);
    if (vcpu_count() > 1)
        second = port_bind_virq(VIRQ_DEBUG, 1);
    EXPECT_EQ(press('v'), 0);
    EXPECT_TRUE(comes(first));
    EXPECT_TRUE(!second || port_pending(second));
    port_close(first);
    if (second)
        port_close(second);
}

TEST("a global virtual interrupt is moved by bind_vcpu, and bound once")
{
    evtchn_port_t port;

    SKIP_ON_XEN("the console's interrupt may have its owner there");
    SKIP_UNLESS_VCPUS(2);
    port = port_bind_virq(VIRQ_CON_RING, 0);
    REQUIRE(port != 0);
    EXPECT_EQ(port_bind_vcpu(port, 1), 0);
    EXPECT_EQ(port_status(port).vcpu, 1);
    EXPECT_EQ(port_bind_virq(VIRQ_CON_RING, 0), 0);
    EXPECT_EQ(port_error, -ABI_EEXIST);
    port_close(port);
    port = port_bind_virq(VIRQ_CON_RING, 0);
    EXPECT_TRUE(port != 0);
    EXPECT_EQ(port_status(port).vcpu, 0);
    port_close(port);
}
