/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that are given up while they are in use: nobody's from then on, and
 * free when nothing uses them any more.  On Xen they are the domain's until
 * then, pinned or not, and what it gets back is what it had.
 */

#include <string.h>

#include <abi/memory.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/tables.h"
#include "framework/test.h"

static long before;

static long reservation(void)
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};

    return hypercall_memory_op(XENMEM_current_reservation, &arg);
}

static long change(unsigned int cmd, uint64_t *frame)
{
    struct xen_memory_reservation r = {.extent_start = hypercall_ptr(frame),
                                       .nr_extents = 1,
                                       .domid = DOMID_SELF};

    return hypercall_memory_op(cmd, &r);
}

static long give_up(const void *page)
{
    uint64_t frame = frame_of(page);

    return change(XENMEM_decrease_reservation, &frame);
}

/* No longer mapped by its own address, and given up. */
static void lose(const void *page)
{
    EXPECT_EQ(map_at(page, 0), 0);
    EXPECT_EQ(give_up(page), 1);
}

/* Another frame in its place. */
static void get_back(uint64_t *page)
{
    uint64_t pfn = (uint64_t)(uintptr_t)page / PAGE_SIZE, frame = pfn;

    REQUIRE_EQ(change(XENMEM_populate_physmap, &frame), 1);
    ((uint64_t *)(uintptr_t)start_info->mfn_list)[pfn] = frame;
    REQUIRE_EQ(map_writable(page), 0);
    EXPECT_TRUE(on_xen || (page[0] | page[5] | page[511]) == 0);
}

static void expect_nobodys(uint64_t frame)
{
    uint64_t entry = frame * PAGE_SIZE;

    if (on_xen)
        return;
    EXPECT_EQ(change(XENMEM_decrease_reservation, &frame), 0);
    EXPECT_TRUE(map_at(page_at(6), entry | TO_READ) < 0);
    EXPECT_TRUE(map_at(page_at(6), entry | TO_WRITE) < 0);
    for (unsigned int level = 1; level <= 4; level++)
        EXPECT_TRUE(mmuext_call(MMUEXT_PIN_L1_TABLE + level - 1, frame, 0) < 0);
    EXPECT_TRUE(mmuext_call(MMUEXT_CLEAR_PAGE, frame, 0) < 0);
    EXPECT_TRUE(mmuext_call(MMUEXT_NEW_BASEPTR, frame, 0) < 0);
    EXPECT_TRUE(mmu_one(entry, 5) < 0);
    EXPECT_TRUE(mmu_one(entry | MMU_MACHPHYS_UPDATE, 5) < 0);
    EXPECT_TRUE(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frame), 1) < 0);
    EXPECT_TRUE(hypercall2(HYPERCALL_update_descriptor, entry, 0) < 0);
}

TEST("a page that is given up is there until it is unmapped, and nobody's")
{
    uint64_t frame = frame_of(page_at(0));

    before = reservation();
    page_at(0)[5] = 7;
    EXPECT_EQ(give_up(page_at(0)), 1);
    expect_nobodys(frame);
    EXPECT_EQ(page_at(0)[5], 7);
    EXPECT_EQ(reservation(), before);
    EXPECT_EQ(map_at(page_at(0), 0), 0);
    EXPECT_EQ(reservation(), before - 1);
    get_back(page_at(0));
    EXPECT_EQ(reservation(), before);
}

/* As a neighbour could for as long as it likes. */
TEST("a page that is given up while it is lent counts until it is not lent")
{
    const unsigned int ref = 30;
    struct gnttab_map_grant_ref op;

    before = reservation();
    REQUIRE(grants_init());
    grant_give(ref, own_domid, page_at(0), 0);
    op = grant_map(own_domid, ref, hypercall_ptr(page_at(1)), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    lose(page_at(0));
    EXPECT_EQ(reservation(), before);
    page_at(1)[5] = 7;
    EXPECT_EQ(grant_unmap(op.handle, hypercall_ptr(page_at(1))), GNTST_okay);
    EXPECT_EQ(reservation(), before - 1);
    EXPECT_TRUE(grant_take_back(ref));
    get_back(page_at(0));
    EXPECT_EQ(map_writable(page_at(1)), 0);
    EXPECT_EQ(reservation(), before);
}

static long set_runstate(uint64_t va)
{
    return hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &va);
}

TEST("a page that is given up while the hypervisor writes to it counts, too")
{
    before = reservation();
    REQUIRE_EQ(set_runstate(hypercall_ptr(page_at(0))), 0);
    lose(page_at(0));
    EXPECT_EQ(reservation(), before - on_xen); /* which has its address only */
    EXPECT_EQ(set_runstate(0), 0);
    EXPECT_EQ(reservation(), before - 1);
    get_back(page_at(0));
    EXPECT_EQ(reservation(), before);
}

static void read_word(void *at)
{
    (void)*(volatile uint64_t *)at;
}

TEST("tables that are given up map until they are unlinked")
{
    const void *l4 = (const void *)(uintptr_t)start_info->pt_base;
    volatile uint64_t *there = (volatile uint64_t *)(uintptr_t)FREE_ADDRESS;
    uint64_t frame[5];

    before = reservation();
    page_at(4)[5] = 7;
    tree_make(0);
    REQUIRE_EQ(
        mmu_one(entry_at(l4, FREE_SLOT), entry_for(page_at(1), TO_TABLE)), 0);
    EXPECT_EQ(there[5], 7);
    for (unsigned int i = 1; i < 5; i++) {
        frame[i] = frame_of(page_at(i));
        lose(page_at(i));
    }
    for (unsigned int i = 1; i < 5; i++)
        expect_nobodys(frame[i]);
    EXPECT_EQ(there[5], 7);
    (void)map_at(there + TABLE_ENTRIES, entry_for(page_at(5), TO_READ));
    EXPECT_EQ(map_writable(page_at(0)), 0);
    EXPECT_EQ(reservation(), before);
    EXPECT_EQ(mmu_one(entry_at(l4, FREE_SLOT), 0), 0);
    EXPECT_EQ(reservation(), before - 4);
    EXPECT_TRUE(fault_probe(read_word, (void *)(uintptr_t)there));
    for (unsigned int i = 1; i < 5; i++)
        get_back(page_at(i));
}

TEST("top tables that are given up are run on, once")
{
    const void *old = (const void *)(uintptr_t)start_info->pt_base;

    before = reservation();
    memcpy(page_at(0), old, PAGE_SIZE);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    REQUIRE_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(page_at(0)), 0), 0);
    REQUIRE_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(page_at(0)), 0),
               0);
    lose(page_at(0));
    expect_nobodys(frame_of(page_at(0)));
    EXPECT_EQ(map_writable(page_at(1)), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(old), 0), 0);
    EXPECT_EQ(reservation(), before); /* the user's */
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
    EXPECT_EQ(reservation(), before - 1);
    get_back(page_at(0));
}

TEST("a table that is pinned is not given up; one of descriptors is")
{
    uint64_t frame = frame_of(page_at(0));

    before = reservation();
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    REQUIRE_EQ(pin(page_at(0), 1), 0);
    EXPECT_TRUE(on_xen || give_up(page_at(0)) == 0);
    EXPECT_EQ(unpin(page_at(0)), 0);
    REQUIRE_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frame), 512), 0);
    lose(page_at(0));
    EXPECT_EQ(reservation(), before);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, 0, 0), 0);
    EXPECT_EQ(map_writable(page_at(1)), 0); /* and what was put off is done */
    EXPECT_EQ(reservation(), before - 1);
    get_back(page_at(0));
}
