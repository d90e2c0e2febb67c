/* SPDX-License-Identifier: BSD-2-Clause */
/* set_segment_base: the bases of FS and GS, and what is none. */

#include <abi/hypercall.h>
#include <abi/trap.h>

#include <rt/hypercall.h>

#include "framework/test.h"

static long set_base(uint64_t which, uint64_t base)
{
    return hypercall2(HYPERCALL_set_segment_base, which, base);
}

static uint64_t words[2] = {0x1111111111111111, 0x2222222222222222};

static uint64_t read_fs(void)
{
    uint64_t value;

    __asm__ volatile("mov %%fs:8, %0" : "=r"(value));
    return value;
}

static uint64_t read_gs(void)
{
    uint64_t value;

    __asm__ volatile("mov %%gs:8, %0" : "=r"(value));
    return value;
}

TEST("the bases of FS and GS are where they are set, and stay over calls")
{
    EXPECT_EQ(set_base(SEGBASE_FS, hypercall_ptr(words)), 0);
    EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, hypercall_ptr(words) - 8), 0);
    EXPECT_EQ(read_fs(), words[1]);
    EXPECT_EQ(read_gs(), words[0]);
    sleep_until(now_ns() + 1000000);
    EXPECT_EQ(read_fs(), words[1]);
    EXPECT_EQ(read_gs(), words[0]);
    EXPECT_EQ(set_base(SEGBASE_FS, 0), 0);
    EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, 0), 0);
}

TEST("the base of the user's GS does not change the kernel's")
{
    EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, hypercall_ptr(words)), 0);
    EXPECT_EQ(set_base(SEGBASE_GS_USER, 0x123456789000), 0);
    EXPECT_EQ(read_gs(), words[1]);
    EXPECT_EQ(set_base(SEGBASE_GS_USER, 0), 0);
    EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, 0), 0);
}

TEST("a base that is not canonical is -EINVAL, and the old one stays")
{
    static const uint64_t bad[] = {0x0000800000000000, 0x8000000000000000,
                                   0xffff7fffffffffff, 0xdead000000000000};

    EXPECT_EQ(set_base(SEGBASE_FS, hypercall_ptr(words)), 0);
    EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, hypercall_ptr(words)), 0);
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_EQ(set_base(SEGBASE_FS, bad[i]), -ABI_EINVAL);
        EXPECT_EQ(set_base(SEGBASE_GS_USER, bad[i]), -ABI_EINVAL);
        EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, bad[i]), -ABI_EINVAL);
    }
    EXPECT_EQ(read_fs(), words[1]);
    EXPECT_EQ(read_gs(), words[1]);
    EXPECT_EQ(set_base(SEGBASE_FS, 0), 0);
    EXPECT_EQ(set_base(SEGBASE_GS_KERNEL, 0), 0);
}

TEST("loading a selector of the user's GS never fails")
{
    static const uint64_t selectors[] = {0,      3,      0xe02b, 0xe033,
                                         0xe008, 0xfff8, 0x10,   0xffff};

    for (unsigned int i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
        EXPECT_EQ(set_base(SEGBASE_GS_USER_SEL, selectors[i]), 0);
}

TEST("a base that is none is -EINVAL")
{
    EXPECT_EQ(set_base(4, 0), -ABI_EINVAL);
    EXPECT_EQ(set_base(0x7fffffff, 0), -ABI_EINVAL);
}
