/* SPDX-License-Identifier: BSD-2-Clause */
/* multicall: several calls in one. */

#include <abi/hypercall.h>
#include <abi/event_channel.h>
#include <abi/multicall.h>
#include <abi/trap.h>
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

TEST("entries run in order, and see what those before them did")
{
    static struct trap_info table[2] = {{.vector = 0x70, .address = 0x1000}};
    static uint64_t base_words[2] = {1, 2};
    uint64_t value;

    fill(3);
    entries[0].op = HYPERCALL_set_segment_base;
    entries[0].args[0] = SEGBASE_FS;
    entries[0].args[1] = 0;
    entries[1].op = HYPERCALL_set_trap_table;
    entries[1].args[0] = hypercall_ptr(table);
    entries[2].op = HYPERCALL_set_segment_base;
    entries[2].args[0] = SEGBASE_FS;
    entries[2].args[1] = hypercall_ptr(base_words);
    EXPECT_EQ(hypercall_multicall(entries, 3), 0);
    for (unsigned int i = 0; i < 3; i++)
        EXPECT_EQ(entries[i].result, 0);
    __asm__ volatile("mov %%fs:8, %0" : "=r"(value));
    EXPECT_EQ(value, 2);
    hypercall2(HYPERCALL_set_segment_base, SEGBASE_FS, 0);
    traps_init();
}

TEST("an entry's arguments and number are as they were, when it is done")
{
    fill(2);
    entries[0].op = HYPERCALL_console_io;
    entries[0].args[0] = 99;
    entries[0].args[1] = 0x1234;
    entries[0].args[2] = 0x5678;
    EXPECT_EQ(hypercall_multicall(entries, 2), 0);
    EXPECT_TRUE(entries[0].result < 0);
    EXPECT_EQ(entries[0].op, HYPERCALL_console_io);
    EXPECT_EQ(entries[1].op, HYPERCALL_xen_version);
    EXPECT_EQ(entries[1].args[0], XENVER_version);
}

TEST("a bad pointer in one entry is that entry's -EFAULT alone")
{
    fill(3);
    entries[1].op = HYPERCALL_event_channel_op;
    entries[1].args[0] = EVTCHNOP_close;
    entries[1].args[1] = 0x8000000000000000;
    EXPECT_EQ(hypercall_multicall(entries, 3), 0);
    EXPECT_EQ(entries[0].result, 4 << 16 | 17);
    EXPECT_EQ(entries[1].result, -ABI_EFAULT);
    EXPECT_EQ(entries[2].result, 4 << 16 | 17);
}

TEST("a list that overwrites its own later entries makes what it then finds")
{
    struct xen_feature_info *info = (void *)&entries[1];

    fill(2);
    /* The answer, submap_idx 0 and features, lands on op of the next. */
    entries[0].args[0] = XENVER_get_features;
    entries[0].args[1] = hypercall_ptr(info);
    entries[1].op = 0;
    EXPECT_EQ(hypercall_multicall(entries, 2), 0);
    EXPECT_EQ(entries[0].result, 0);
    EXPECT_EQ(entries[1].result, -ABI_ENOSYS);
}

TEST("a hypercall after a multicall is not one of its entries")
{
    fill(1);
    EXPECT_EQ(hypercall_multicall(entries, 1), 0);
    EXPECT_EQ(hypercall2(HYPERCALL_multicall, hypercall_ptr(entries), 1), 0);
    EXPECT_EQ(entries[0].result, 4 << 16 | 17);
}
