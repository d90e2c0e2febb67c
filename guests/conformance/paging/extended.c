/* SPDX-License-Identifier: BSD-2-Clause */
/* mmuext_op: pins, base pointers, flushes, whole pages. */

#include <string.h>

#include <abi/domid.h>

#include "paging/tables.h"

#define NO_FRAME 0xffffffUL
#define NOWHERE  0x600000000000UL

PAGES(page, 1);
PAGES(other, 1);
PAGES(tables, 4);

static uint64_t *table(unsigned int level)
{
    return (void *)(tables + (level - 1) * PAGE_SIZE);
}

TEST("a table can be pinned, once, and unpinned, once")
{
    uint64_t m;

    NEEDS_PV;
    m = frame_of(page);
    memset(page, 0, PAGE_SIZE);
    /* Not while it may be written. */
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, m, 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_UNPIN_TABLE, m, 0), -ABI_EINVAL);
    REQUIRE(make_read_only(page));
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, m, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, m, 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L2_TABLE, m, 0), -ABI_EINVAL);
    EXPECT_EQ(set_va(page, entry_for(page, PAGE_BITS), 0), -ABI_EBUSY);
    EXPECT_EQ(mmuext_one(MMUEXT_UNPIN_TABLE, m, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_UNPIN_TABLE, m, 0), -ABI_EINVAL);
    EXPECT_TRUE(make_writable(page));
}

TEST("a table of each level can be pinned, and then those below")
{
    uint32_t done = 7;
    struct mmuext_op list[4];

    NEEDS_PV;
    memset(tables, 0, sizeof(tables));
    table(1)[7] = entry_for(page, PAGE_BITS);
    for (unsigned int level = 2; level <= 4; level++)
        table(level)[3] = entry_for(table(level - 1), TABLE_BITS);
    for (unsigned int level = 1; level <= 4; level++) {
        REQUIRE(make_read_only(table(level)));
        list[4 - level] =
            (struct mmuext_op){.cmd = MMUEXT_PIN_L1_TABLE + level - 1,
                               .arg1 = frame_of(table(level))};
    }
    EXPECT_EQ(mmuext(list, 4, &done), 0);
    EXPECT_EQ(done, 4);
    for (unsigned int i = 0; i < 4; i++)
        list[i].cmd = MMUEXT_UNPIN_TABLE;
    EXPECT_EQ(mmuext(list, 4, &done), 0);
    for (unsigned int level = 1; level <= 4; level++)
        EXPECT_TRUE(make_writable(table(level)));
}

TEST("a table whose entries are bad cannot be pinned, and stays a page")
{
    NEEDS_PV;
    memset(page, 0, PAGE_SIZE);
    ((uint64_t *)(void *)page)[100] = entry_for(other, PAGE_BITS);
    ((uint64_t *)(void *)page)[511] = PTE_FRAME | PTE_PRESENT;
    REQUIRE(make_read_only(page));
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, frame_of(page), 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L2_TABLE, frame_of(page), 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, NO_FRAME, 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_UNPIN_TABLE, NO_FRAME, 0), -ABI_EINVAL);
    EXPECT_TRUE(make_writable(page));
    page[0] = 1;
}

TEST("a page that a bad table named was let go")
{
    NEEDS_PV;
    memset(page, 0, PAGE_SIZE);
    REQUIRE(make_read_only(page));
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, frame_of(page), 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_UNPIN_TABLE, frame_of(page), 0), 0);
    EXPECT_TRUE(make_writable(page));
    REQUIRE(make_read_only(other));
    memset(page, 0, PAGE_SIZE);
    EXPECT_EQ(mmuext_one(MMUEXT_CLEAR_PAGE, frame_of(other), 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_PIN_L1_TABLE, frame_of(other), 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_CLEAR_PAGE, frame_of(other), 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_UNPIN_TABLE, frame_of(other), 0), 0);
    EXPECT_TRUE(make_writable(other));
}

TEST("a base pointer is a top table")
{
    uint64_t base;

    NEEDS_PV;
    base = frame_of((void *)(uintptr_t)start_info->pt_base);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, base, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, frame_of(page), 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, NO_FRAME, 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, frame_of(page), 0),
              -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, base, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, base, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
}

TEST("a kernel can go to another table and come back")
{
    uint64_t base, *l4 = table(4);

    NEEDS_PV;
    base = frame_of((void *)(uintptr_t)start_info->pt_base);
    memcpy(l4, (void *)(uintptr_t)start_info->pt_base, PAGE_SIZE);
    memset(&l4[256], 0xff, 16 * sizeof(*l4)); /* not the guest's: ignored */
    REQUIRE(make_read_only(l4));
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, frame_of(l4), 0), 0);
    EXPECT_EQ(M2P[frame_of(page)], (uintptr_t)page / PAGE_SIZE);
    EXPECT_EQ(mmuext_one(MMUEXT_NEW_BASEPTR, base, 0), 0);
    EXPECT_TRUE(make_writable(l4));
}

TEST("each flush is made, where its vCPUs can be read")
{
    uint64_t vcpus = 1;

    NEEDS_PV;
    EXPECT_EQ(mmuext_one(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_INVLPG_LOCAL, (uintptr_t)page, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_INVLPG_ALL, (uintptr_t)page, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_TLB_FLUSH_MULTI, 0, hypercall_ptr(&vcpus)), 0);
    EXPECT_EQ(
        mmuext_one(MMUEXT_INVLPG_MULTI, (uintptr_t)page, hypercall_ptr(&vcpus)),
        0);
    EXPECT_EQ(mmuext_one(MMUEXT_TLB_FLUSH_MULTI, 0, NOWHERE), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_INVLPG_MULTI, 0, NOWHERE), -ABI_EINVAL);
}

TEST("caches are not a guest's to flush")
{
    SKIP_ON_XEN_DOM0("the initial domain may have devices");
    NEEDS_PV;
    EXPECT_EQ(mmuext_one(MMUEXT_FLUSH_CACHE, 0, 0), -ABI_EACCES);
    EXPECT_EQ(mmuext_one(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -ABI_EINVAL);
}

TEST("a local descriptor table begins with a page and has 8192 entries at most")
{
    NEEDS_PV;
    EXPECT_EQ(mmuext_one(MMUEXT_SET_LDT, 0, 0), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_SET_LDT, 8, 1), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_SET_LDT, (uintptr_t)page, 8193), -ABI_EINVAL);
}

TEST("pages are cleared and copied")
{
    NEEDS_PV;
    memset(page, 0x5a, PAGE_SIZE);
    memset(other, 0, PAGE_SIZE);
    EXPECT_EQ(mmuext_one(MMUEXT_COPY_PAGE, frame_of(other), frame_of(page)), 0);
    EXPECT_EQ(memcmp(page, other, PAGE_SIZE), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_CLEAR_PAGE, frame_of(page), 0), 0);
    EXPECT_EQ(page[0] | page[PAGE_SIZE - 1], 0);
    EXPECT_EQ(mmuext_one(MMUEXT_CLEAR_PAGE, NO_FRAME, 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_COPY_PAGE, NO_FRAME, frame_of(page)),
              -ABI_EINVAL);
    EXPECT_EQ(mmuext_one(MMUEXT_COPY_PAGE, frame_of(page), NO_FRAME),
              -ABI_EINVAL);
}

TEST("what no command is, or is no more, is told apart")
{
    NEEDS_PV;
    EXPECT_EQ(mmuext_one(MMUEXT_MARK_SUPER, 0, 0), -ABI_EOPNOTSUPP);
    EXPECT_EQ(mmuext_one(MMUEXT_UNMARK_SUPER, 0, 0), -ABI_EOPNOTSUPP);
    EXPECT_EQ(mmuext_one(14, 0, 0), -ABI_ENOSYS);
    EXPECT_EQ(mmuext_one(99, 0, 0), -ABI_ENOSYS);
}

TEST("a list ends where it fails, or cannot be read")
{
    struct mmuext_op list[3] = {{.cmd = MMUEXT_TLB_FLUSH_LOCAL},
                                {.cmd = MMUEXT_TLB_FLUSH_LOCAL},
                                {.cmd = 14}};
    uint32_t done = 7;

    NEEDS_PV;
    EXPECT_EQ(mmuext(list, 0, &done), 0);
    EXPECT_EQ(done, 0);
    EXPECT_EQ(mmuext(list, 3, &done), -ABI_ENOSYS);
    EXPECT_EQ(done, 2);
    EXPECT_EQ(mmuext((void *)NOWHERE, 1, &done), -ABI_EFAULT);
    EXPECT_EQ(done, 0);
    EXPECT_EQ(
        hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(list), 1, 0, own_domid),
        -ABI_ESRCH);
}
