/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps and unmaps in lists, device addresses, and hostile arguments of both. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/test.h"

#define REF   40U
#define COUNT 12U /* more than is done in one turn */

/* References that the cases use are given anew in each. */
PAGES(pages, COUNT);
PAGES(two_pages, 2);

/* For all files of this image. */
void test_setup(void)
{
    if (!grants_init())
        test_error("there is no grant table");
}

static uint8_t *page_of(unsigned int i)
{
    return pages + i * PAGE_SIZE;
}

static volatile uint8_t *slot(unsigned int i)
{
    return (volatile uint8_t *)(uintptr_t)grant_slot(i);
}

static void give_all(void)
{
    for (unsigned int i = 0; i < COUNT; i++) {
        memset(page_of(i), (int)(i + 1), 16);
        grant_give(REF + i, own_domid, page_of(i), 0);
    }
}

static void take_all_back(void)
{
    for (unsigned int i = 0; i < COUNT; i++)
        EXPECT_TRUE(grant_take_back(REF + i));
}

static void fill_maps(struct gnttab_map_grant_ref *maps)
{
    for (unsigned int i = 0; i < COUNT; i++)
        maps[i] = (struct gnttab_map_grant_ref){.host_addr = grant_slot(i),
                                                .flags = GNTMAP_host_map,
                                                .ref = REF + i,
                                                .dom = own_domid,
                                                .status = 77};
}

static void fill_unmaps(struct gnttab_unmap_grant_ref *unmaps,
                        const struct gnttab_map_grant_ref *maps)
{
    for (unsigned int i = 0; i < COUNT; i++)
        unmaps[i] =
            (struct gnttab_unmap_grant_ref){.host_addr = maps[i].host_addr,
                                            .handle = maps[i].handle,
                                            .status = 77};
}

TEST("a long list of maps, then of unmaps, is done to its end")
{
    struct gnttab_map_grant_ref maps[COUNT];
    struct gnttab_unmap_grant_ref unmaps[COUNT];

    give_all();
    fill_maps(maps);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, COUNT), 0);
    for (unsigned int i = 0; i < COUNT; i++) {
        REQUIRE_EQ(maps[i].status, GNTST_okay);
        EXPECT_EQ(slot(i)[0], i + 1);
    }
    fill_unmaps(unmaps, maps);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, COUNT),
              0);
    for (unsigned int i = 0; i < COUNT; i++)
        EXPECT_EQ(unmaps[i].status, GNTST_okay);
    take_all_back();
}

TEST("in a list each map fails or succeeds by itself")
{
    struct gnttab_map_grant_ref maps[COUNT];
    struct gnttab_unmap_grant_ref unmaps[COUNT];

    give_all();
    fill_maps(maps);
    maps[1].ref = ~0U;
    maps[3].dom = 0x5555;
    maps[5].flags = 0;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, COUNT), 0);
    EXPECT_EQ(maps[1].status, GNTST_bad_gntref);
    EXPECT_EQ(maps[3].status, GNTST_bad_domain);
    EXPECT_EQ(maps[5].status, GNTST_bad_gntref);
    EXPECT_EQ(maps[0].status, GNTST_okay);
    EXPECT_EQ(maps[COUNT - 1].status, GNTST_okay);
    fill_unmaps(unmaps, maps);
    unmaps[1].handle = unmaps[3].handle = unmaps[5].handle = ~0U;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, COUNT),
              0);
    EXPECT_EQ(unmaps[0].status, GNTST_okay);
    EXPECT_EQ(unmaps[1].status, GNTST_bad_handle);
    EXPECT_EQ(unmaps[COUNT - 1].status, GNTST_okay);
    take_all_back();
}

TEST("a list that unmaps one handle twice does it once")
{
    struct gnttab_map_grant_ref map;
    struct gnttab_unmap_grant_ref twice[2];

    give_all();
    map = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(map.status, GNTST_okay);
    twice[0] = twice[1] = (struct gnttab_unmap_grant_ref){
        .host_addr = grant_slot(0), .handle = map.handle};
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, twice, 2), 0);
    EXPECT_EQ(twice[0].status, GNTST_okay);
    EXPECT_EQ(twice[1].status, GNTST_bad_handle);
    take_all_back();
}

TEST("one page can be mapped often, and is in use until the last unmap")
{
    struct gnttab_map_grant_ref map[8];

    give_all();
    for (unsigned int i = 0; i < 8; i++) {
        map[i] = grant_map(own_domid, REF, grant_slot(i), GNTMAP_host_map);
        REQUIRE_EQ(map[i].status, GNTST_okay);
    }
    slot(7)[9] = 0x5c;
    EXPECT_EQ(slot(0)[9], 0x5c);
    for (unsigned int i = 0; i < 8; i++) {
        EXPECT_FALSE(grant_take_back(REF));
        EXPECT_EQ(grant_unmap(map[i].handle, grant_slot(i)), GNTST_okay);
    }
    take_all_back();
}

TEST("a list of maps that runs off its memory is -EFAULT behind what is done")
{
    struct gnttab_map_grant_ref *last =
        (struct gnttab_map_grant_ref *)(void *)(two_pages + PAGE_SIZE) - 1;

    give_all();
    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    *last = (struct gnttab_map_grant_ref){.host_addr = grant_slot(0),
                                          .flags = GNTMAP_host_map,
                                          .ref = REF,
                                          .dom = own_domid};
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, last, 2),
              -ABI_EFAULT);
    EXPECT_EQ(last->status, GNTST_okay);
    EXPECT_EQ(grant_unmap(last->handle, grant_slot(0)), GNTST_okay);
    EXPECT_TRUE(unguard_page(two_pages + PAGE_SIZE));
    take_all_back();
}

TEST("a list of unmaps that runs off its memory is -EFAULT")
{
    struct gnttab_unmap_grant_ref *last =
        (struct gnttab_unmap_grant_ref *)(void *)(two_pages + PAGE_SIZE) - 1;

    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    *last = (struct gnttab_unmap_grant_ref){.handle = ~0U};
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, last, 2),
              -ABI_EFAULT);
    EXPECT_TRUE(unguard_page(two_pages + PAGE_SIZE));
}

TEST("lists of no elements do nothing, whatever their address")
{
    static const unsigned int cmds[] = {GNTTABOP_map_grant_ref,
                                        GNTTABOP_unmap_grant_ref, GNTTABOP_copy,
                                        GNTTABOP_cache_flush};

    for (unsigned int i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++)
        EXPECT_EQ(hypercall_grant_table_op(cmds[i], pages, 0), 0);
}

TEST("lists that wrap around, or are longer than memory, are -EFAULT")
{
    static const unsigned int cmds[] = {
        GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref, GNTTABOP_copy};

    for (unsigned int i = 0; i < sizeof(cmds) / sizeof(cmds[0]); i++) {
        EXPECT_EQ(hypercall3(HYPERCALL_grant_table_op, cmds[i], ~0UL - 7, 2),
                  -ABI_EFAULT);
        EXPECT_EQ(hypercall3(HYPERCALL_grant_table_op, cmds[i],
                             0xfffffffffffff000, 0x7fffffff),
                  -ABI_EFAULT);
    }
}

TEST("bits of the command above the operation are not overlooked")
{
    long rc = hypercall3(HYPERCALL_grant_table_op, GNTTABOP_copy | 1UL << 20,
                         hypercall_ptr(pages), 0);

    EXPECT_TRUE(rc == -ABI_EINVAL || rc == -ABI_ENOSYS);
}

TEST("a map writes nothing but its answers")
{
    struct gnttab_map_grant_ref map;

    give_all();
    map = grant_map(own_domid, REF, grant_slot(3), GNTMAP_host_map);
    REQUIRE_EQ(map.status, GNTST_okay);
    EXPECT_EQ(map.host_addr, grant_slot(3));
    EXPECT_EQ(map.flags, GNTMAP_host_map);
    EXPECT_EQ(map.ref, REF);
    EXPECT_EQ(map.dom, own_domid);
    EXPECT_EQ(grant_unmap(map.handle, grant_slot(3)), GNTST_okay);
    take_all_back();
}

TEST("a failed map gives no handle that could be unmapped")
{
    struct gnttab_map_grant_ref map =
        grant_map(own_domid, ~0U, grant_slot(0), GNTMAP_host_map);

    EXPECT_EQ(map.status, GNTST_bad_gntref);
    EXPECT_TRUE(grant_unmap(map.handle, grant_slot(0)) < 0);
}

TEST("a copy between two grants of one's own moves the bytes")
{
    struct gnttab_copy op = {
        .source = {.u.ref = REF, .domid = own_domid, .offset = 4},
        .dest = {.u.ref = REF + 1, .domid = own_domid, .offset = 200},
        .len = 8,
        .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref,
    };

    give_all();
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(page_of(1)[200], 1);
    EXPECT_EQ(page_of(1)[207], 1);
    EXPECT_EQ(page_of(1)[208], 0);
    take_all_back();
}

TEST("a copy by a page's number names the caller alone")
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = frame_of(page_of(0)), .domid = 0x5555},
        .dest = {.u.gmfn = frame_of(page_of(1)), .domid = DOMID_SELF},
        .len = 8,
    };

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_TRUE(op.status == GNTST_permission_denied ||
                op.status == GNTST_bad_domain);
    op.source.domid = DOMID_SELF;
    op.dest.domid = 0x5555;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_TRUE(op.status == GNTST_permission_denied ||
                op.status == GNTST_bad_domain);
}

TEST("a copy of grants of no domain is bad_domain, beyond the table bad_gntref")
{
    EXPECT_EQ(grant_copy_in(0x5555, REF, 0, pages, 8), GNTST_bad_domain);
    EXPECT_EQ(grant_copy_out(pages, 0x5555, REF, 0, 8), GNTST_bad_domain);
    EXPECT_EQ(grant_copy_in(own_domid, 0x100000, 0, pages, 8),
              GNTST_bad_gntref);
    EXPECT_EQ(grant_copy_out(pages, own_domid, ~0U, 0, 8), GNTST_bad_gntref);
}

TEST("a copy over itself within one page keeps what it read")
{
    struct gnttab_copy op = {
        .source = {.u.gmfn = frame_of(page_of(2)), .domid = DOMID_SELF},
        .dest = {.u.gmfn = frame_of(page_of(2)),
                 .domid = DOMID_SELF,
                 .offset = 2048},
        .len = 2048,
    };

    for (unsigned int i = 0; i < 2048; i++)
        page_of(2)[i] = (uint8_t)(i * 7);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(memcmp(page_of(2), page_of(2) + 2048, 2048), 0);
}

static struct gnttab_cache_flush flush(uint16_t offset, uint16_t length,
                                       uint32_t op)
{
    return (struct gnttab_cache_flush){
        .offset = offset, .length = length, .op = op};
}

TEST("a cache flush beyond a page, or of an unknown kind, is -EINVAL")
{
    static const uint32_t both = GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL;
    struct gnttab_cache_flush bad[] = {
        flush(4096, 1, both), flush(0, 4097, both), flush(4000, 97, both),
        flush(0xffff, 0xffff, both), flush(0, 16, 4)};

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_cache_flush, &bad[i], 1),
                  -ABI_EINVAL);
}

TEST("a cache flush of nothing is nothing")
{
    struct gnttab_cache_flush none[] = {flush(0, 0, GNTTAB_CACHE_CLEAN),
                                        flush(0, 64, 0)};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_cache_flush, none, 2), 0);
}

TEST("a cache flush of somebody else's memory is refused")
{
    struct gnttab_cache_flush op = flush(0, 64, GNTTAB_CACHE_CLEAN);

    SKIP_ON_XEN_DOM0("it knows the machine's addresses");
    if (!on_cairn && initial_domain)
        SKIP("so it does as class pv on Cairn");
    EXPECT_TRUE(hypercall_grant_table_op(GNTTABOP_cache_flush, &op, 1) < 0);
}

TEST("the version of a table of no domain is -ESRCH")
{
    struct gnttab_get_version op = {.dom = 0x5555};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_get_version, &op, 1),
              -ABI_ESRCH);
}

TEST("obsolete and unknown grant operations are refused")
{
    uint64_t arg[64] = {0};

    /* dump_table of no domain, get_status_frames of version 1, none. */
    EXPECT_TRUE(hypercall_grant_table_op(3, arg, 1) <= 0);
    EXPECT_EQ(hypercall_grant_table_op(13, arg, 1), -ABI_ENOSYS);
    EXPECT_EQ(hypercall_grant_table_op(255, arg, 1), -ABI_ENOSYS);
}
