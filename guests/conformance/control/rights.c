/* SPDX-License-Identifier: BSD-2-Clause */
/* control_op and device_op ask for a right, whatever else is wrong. */

#include <abi/cpuid.h>
#include <abi/device.h>
#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("control_op is Cairn's")

static uint64_t try_control(uint64_t unused)
{
    uint64_t allowed = 0;

    (void)unused;
    for (uint32_t cmd = 1; cmd <= CONTROL_OP_debug_key; cmd++) {
        for (domid_t domid = 0; domid < 3; domid++) {
            struct control_op op = {.cmd = cmd, .domid = domid};
            long rc = control(&op);

            if (rc != -ABI_EPERM) {
                print("# control_op %u on %u: %ld\n", cmd, domid, rc);
                allowed++;
            }
        }
    }
    return allowed;
}

TEST("a domain without rights is -EPERM in every control operation")
{
    struct child child;

    ONLY_CAIRN;
    EXPECT_TRUE(child_run(&child, try_control, 0));
    EXPECT_EQ(child.result, 0);
}

static uint64_t try_device(uint64_t unused)
{
    uint64_t allowed = 0;

    (void)unused;
    for (uint32_t cmd = DEVICE_OP_find; cmd <= DEVICE_OP_reset; cmd++) {
        struct device_op op = {.cmd = cmd};
        long rc = hypercall_device_op(&op);

        if (rc >= 0) {
            print("# device_op %u: %ld\n", cmd, rc);
            allowed++;
        }
    }
    return allowed;
}

TEST("a domain without rights reaches no device")
{
    struct child child;

    ONLY_CAIRN;
    EXPECT_TRUE(child_run(&child, try_device, 0));
    EXPECT_EQ(child.result, 0);
}

static long try_create(uint32_t rights)
{
    struct control_op op = {
        .cmd = CONTROL_OP_create,
        .domid = DOMID_INVALID,
        .u.create = {.class = CAIRN_CLASS_LIGHT,
                     .vcpu_count = 1,
                     .virt_base = layout.virt_base,
                     .reserved_pages = 16,
                     .max_pages = 16,
                     .max_ports = 16,
                     .grant_frames = 1,
                     .maptrack_max = 1,
                     .grant_window = 1,
                     .weight = 256,
                     .rights = rights},
    };
    struct child child = {.made = true};
    long rc = control(&op);

    child.domid = op.domid;
    if (rc == 0)
        child_destroy(&child);
    return rc;
}

static uint64_t with_control(uint64_t unused)
{
    struct device_op op = {.cmd = DEVICE_OP_find};
    char byte;

    (void)unused;
    EXPECT_TRUE(free_pages() > 0);
    EXPECT_EQ(try_create(0), 0);
    EXPECT_EQ(try_create(DOMAIN_RIGHT_CONTROL), 0);
    EXPECT_EQ(try_create(DOMAIN_RIGHT_CONTROL | DOMAIN_RIGHT_DEVICE),
              -ABI_EPERM);
    EXPECT_EQ(try_create(DOMAIN_RIGHT_POWER), -ABI_EPERM);
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EPERM);
    EXPECT_EQ(hypercall_console_io(CONSOLEIO_read, 1, &byte), -ABI_EPERM);
    return 0;
}

TEST("a domain with the control right makes others, with no more than its own")
{
    struct child child;
    struct child_limits limits = {.rights = DOMAIN_RIGHT_CONTROL};

    ONLY_CAIRN;
    REQUIRE(child_start(&child, &limits, with_control, 0));
    child_wait(&child);
    EXPECT_TRUE(child.finished);
    child_destroy(&child);
}

static uint64_t with_devices(uint64_t unused)
{
    struct device_op op = {.cmd = DEVICE_OP_find};

    /* It may ask; none is its own. */
    EXPECT_EQ(hypercall_device_op(&op), -ABI_ENOENT);
    op = (struct device_op){.cmd = DEVICE_OP_dma_map, .u.dma.count = 1};
    EXPECT_EQ(hypercall_device_op(&op), -ABI_EINVAL);
    return try_control(unused);
}

TEST("a domain with the right to devices controls no domain")
{
    struct child child;
    struct child_limits limits = {.rights = DOMAIN_RIGHT_DEVICE};

    ONLY_CAIRN;
    REQUIRE(child_start(&child, &limits, with_devices, 0));
    child_wait(&child);
    EXPECT_TRUE(child.finished);
    EXPECT_EQ(child.result, 0);
    child_destroy(&child);
}

TEST("a wrong version is -EACCES, an unknown command -ENOSYS")
{
    struct control_op op = {.cmd = CONTROL_OP_host_info, .version = 99};

    ONLY_CAIRN;
    EXPECT_EQ(hypercall1(HYPERCALL_control_op, hypercall_ptr(&op)),
              -ABI_EACCES);
    op.version = 0;
    EXPECT_EQ(hypercall1(HYPERCALL_control_op, hypercall_ptr(&op)),
              -ABI_EACCES);
    op.cmd = 0;
    EXPECT_EQ(control(&op), -ABI_ENOSYS);
    op.cmd = 999;
    EXPECT_EQ(control(&op), -ABI_ENOSYS);
    op.cmd = ~0U;
    EXPECT_EQ(control(&op), -ABI_ENOSYS);
}

TEST("operations on a domain that does not exist are -ESRCH")
{
    static const uint32_t cmds[] = {
        CONTROL_OP_destroy,   CONTROL_OP_pause,     CONTROL_OP_unpause,
        CONTROL_OP_copy_to,   CONTROL_OP_copy_from, CONTROL_OP_set_region,
        CONTROL_OP_set_start, CONTROL_OP_shutdown,  CONTROL_OP_seed_grant,
        CONTROL_OP_set_sched, CONTROL_OP_resume};
    static const domid_t nobody[] = {0x5555, 0x7fef, DOMID_IO, DOMID_INVALID,
                                     0xffff};
    static char byte;

    ONLY_CAIRN;
    for (unsigned int i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
        for (unsigned int j = 0; j < sizeof(nobody) / sizeof(nobody[0]); j++) {
            struct control_op op = {.cmd = cmds[i], .domid = nobody[j]};

            if (cmds[i] == CONTROL_OP_set_sched)
                op.u.set_sched.weight = 256;
            if (cmds[i] == CONTROL_OP_copy_to ||
                cmds[i] == CONTROL_OP_copy_from) {
                op.u.copy.buffer = hypercall_ptr(&byte);
                op.u.copy.size = 1;
            }
            EXPECT_EQ(control(&op), -ABI_ESRCH);
        }
    }
}
