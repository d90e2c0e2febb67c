/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that are known and not for an ordinary domain: what the owner of a
 * machine, or another kind of guest, would use.
 */

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

#define PLATFORM_OP 7U
#define HVM_OP      34U
#define SYSCTL      35U
#define DOMCTL      36U
#define XENPMU_OP   40U

#define PLATFORM_VERSION 0x03000001U
#define CONTROL_VERSION  0x15U

#define WITHOUT_RIGHTS SKIP_ON_XEN_DOM0("it is the owner of the machine")

/* Interfaces of tools: the command, then the version. */
static const struct {
    unsigned int number;
    uint32_t version;
} versioned[] = {
    {PLATFORM_OP, PLATFORM_VERSION},
    {SYSCTL, CONTROL_VERSION},
    {DOMCTL, CONTROL_VERSION},
};

#define VERSIONED_COUNT (sizeof(versioned) / sizeof(versioned[0]))

static uint32_t argument[256];

TEST("a tools' interface of another version is -EACCES")
{
    for (unsigned int i = 0; i < VERSIONED_COUNT; i++) {
        argument[0] = 1;
        argument[1] = versioned[i].version + 1;
        EXPECT_EQ(hypercall1(versioned[i].number, hypercall_ptr(argument)),
                  -ABI_EACCES);
        argument[1] = 0;
        EXPECT_EQ(hypercall1(versioned[i].number, hypercall_ptr(argument)),
                  -ABI_EACCES);
    }
}

TEST("the tools' interfaces are -EPERM without rights")
{
    /* getting the time, the machine's facts, a domain's */
    static const uint32_t commands[VERSIONED_COUNT] = {62, 3, 5};

    WITHOUT_RIGHTS;
    for (unsigned int i = 0; i < VERSIONED_COUNT; i++) {
        argument[0] = commands[i];
        argument[1] = versioned[i].version;
        EXPECT_EQ(hypercall1(versioned[i].number, hypercall_ptr(argument)),
                  -ABI_EPERM);
    }
}

TEST("the tools' interfaces read their argument, or say -EFAULT")
{
    for (unsigned int i = 0; i < VERSIONED_COUNT; i++) {
        EXPECT_EQ(hypercall1(versioned[i].number, 0x8000000000000000),
                  -ABI_EFAULT);
        EXPECT_EQ(hypercall1(versioned[i].number, 0xffff820000000000),
                  -ABI_EFAULT);
    }
}

TEST("parameters of another kind of domain are -EINVAL")
{
    struct {
        uint16_t domid;
        uint32_t index;
        uint64_t value;
    } param = {.domid = DOMID_SELF};

    EXPECT_EQ(hypercall2(HVM_OP, 0, hypercall_ptr(&param)), -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HVM_OP, 1, hypercall_ptr(&param)), -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HVM_OP, 99, hypercall_ptr(&param)), -ABI_ENOSYS);
}

TEST("kexec, the tuning tree and machine checks are -EPERM")
{
    static const unsigned int numbers[] = {37, 42, 48};

    WITHOUT_RIGHTS;
    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        EXPECT_EQ(hypercall3(numbers[i], 0, 1, hypercall_ptr(argument)),
                  -ABI_EPERM);
}

TEST("a domain without a device model cannot be asked for one")
{
    long rc = hypercall3(41, 0, 1, hypercall_ptr(argument));

    EXPECT_TRUE(rc == -ABI_EPERM || rc == -ABI_EINVAL || rc == -ABI_ESRCH);
}

TEST("performance counters are not supported")
{
    EXPECT_EQ(hypercall2(XENPMU_OP, 0, hypercall_ptr(argument)),
              -ABI_EOPNOTSUPP);
}

TEST("calls that no build of this version has are -ENOSYS")
{
    /* 11 and 38 are free, 27 xsm_op, 31 xenoprof, 39 argo, 50 to 55 spare. */
    static const unsigned int numbers[] = {11, 27, 38, 39, 50,
                                           51, 52, 53, 54, 55};

    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        EXPECT_EQ(hypercall3(numbers[i], 0, hypercall_ptr(argument), 0),
                  -ABI_ENOSYS);
}
