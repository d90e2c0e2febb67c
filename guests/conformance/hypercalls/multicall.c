/* SPDX-License-Identifier: BSD-2-Clause */
/* multicall: several calls in one. */

#include <abi/hypercall.h>
#include <abi/multicall.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/test.h"

#define ENTRIES 64U

static struct multicall_entry entries[ENTRIES];

PAGES(two_pages, 2);

static void fill(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        entries[i] = (struct multicall_entry){
            .op = HYPERCALL_xen_version,
            .args = {XENVER_version},
            .result = 0x7777,
        };
    }
}

TEST("each entry of a multicall has its own result")
{
    fill(4);
    entries[1].op = 63;
    entries[2].op = HYPERCALL_event_channel_op;
    entries[2].args[0] = 99;
    EXPECT_EQ(hypercall_multicall(entries, 4), 0);
    EXPECT_EQ(entries[0].result, 4 << 16 | 17);
    EXPECT_EQ(entries[1].result, -ABI_ENOSYS);
    EXPECT_EQ(entries[2].result, -ABI_ENOSYS);
    EXPECT_EQ(entries[3].result, 4 << 16 | 17);
}

TEST("a long multicall runs to its end")
{
    fill(ENTRIES);
    EXPECT_EQ(hypercall_multicall(entries, ENTRIES), 0);
    for (unsigned int i = 0; i < ENTRIES; i++)
        EXPECT_EQ(entries[i].result, 4 << 16 | 17);
}

TEST("a multicall of nothing does nothing")
{
    EXPECT_EQ(hypercall_multicall(entries, 0), 0);
}

TEST("a nested multicall is refused, alone")
{
    fill(3);
    entries[1].op = HYPERCALL_multicall;
    entries[1].args[0] = hypercall_ptr(entries);
    entries[1].args[1] = 1;
    EXPECT_EQ(hypercall_multicall(entries, 3), 0);
    EXPECT_EQ(entries[0].result, 4 << 16 | 17);
    EXPECT_EQ(entries[1].result, -ABI_EINVAL);
    EXPECT_EQ(entries[2].result, 4 << 16 | 17);
}

TEST("numbers beyond the table are -ENOSYS inside a multicall as well")
{
    fill(3);
    entries[0].op = ~0UL;
    entries[1].op = 1UL << 32 | HYPERCALL_xen_version;
    entries[2].op = 1024;
    EXPECT_EQ(hypercall_multicall(entries, 3), 0);
    EXPECT_EQ(entries[0].result, -ABI_ENOSYS);
    EXPECT_TRUE(entries[1].result == -ABI_ENOSYS ||
                entries[1].result == (4 << 16 | 17));
    EXPECT_EQ(entries[2].result, -ABI_ENOSYS);
}

TEST("a multicall that runs off its memory is -EFAULT, what came before stays")
{
    struct multicall_entry *last =
        (struct multicall_entry *)(void *)(two_pages + PAGE_SIZE) - 1;

    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    *last = (struct multicall_entry){.op = HYPERCALL_xen_version,
                                     .args = {XENVER_version}};
    EXPECT_EQ(hypercall_multicall(last, 1), 0);
    EXPECT_EQ(last->result, 4 << 16 | 17);
    last->result = 0;
    EXPECT_EQ(hypercall_multicall(last, 2), -ABI_EFAULT);
    EXPECT_EQ(last->result, 4 << 16 | 17);
    EXPECT_TRUE(unguard_page(two_pages + PAGE_SIZE));
}

TEST("a multicall whose length wraps around is -EFAULT")
{
    EXPECT_EQ(hypercall2(HYPERCALL_multicall, ~0UL - 63, 2), -ABI_EFAULT);
    EXPECT_EQ(hypercall2(HYPERCALL_multicall, 0xffffffffffffff00, 0x7fffffff),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall2(HYPERCALL_multicall, 0x8000000000000000, 1),
              -ABI_EFAULT);
}
