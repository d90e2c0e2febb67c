/* SPDX-License-Identifier: BSD-2-Clause */
/* add_to_physmap: shared_info and the grant table where the guest wants them.
 */

#include <string.h>

#include <abi/hypercall.h>
#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("a domain of class pv has no such map")
#define WILD       0x8000000000000000UL
#define REF        40U

extern const char rt_text_start[];

PAGES(page, 1);
PAGES(other, 1);
PAGES(buffer, 1);

static long move(uint32_t space, uint64_t idx, uint64_t gfn)
{
    struct xen_add_to_physmap op = {
        .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = gfn};

    return hypercall_memory_op(XENMEM_add_to_physmap, &op);
}

static void *gfn_va(uint64_t gfn)
{
    return (void *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE);
}

static uint64_t home(void)
{
    return layout.special_gfn + LIGHT_SPECIAL_SHARED_INFO;
}

static uint64_t grants_home(uint64_t idx)
{
    return layout.special_gfn + LIGHT_SPECIAL_GRANT_TABLE + idx;
}

static long move_info(uint64_t gfn)
{
    long rc = move(XENMAPSPACE_shared_info, 0, gfn);

    if (rc == 0)
        shared_info = gfn_va(gfn);
    return rc;
}

static long move_grants(uint64_t gfn)
{
    long rc = move(XENMAPSPACE_grant_table, 0, gfn);

    if (rc == 0)
        grants = gfn_va(gfn);
    return rc;
}

static void read_at(void *address)
{
    *(volatile uint8_t *)address;
}

static void info_works(void)
{
    evtchn_port_t port = port_alloc_unbound(DOMID_SELF), peer;
    uint64_t before = now_ns();

    REQUIRE(port != 0);
    peer = port_bind(own_domid, port);
    REQUIRE(peer != 0);
    EXPECT_EQ(port_send(peer), 0);
    EXPECT_TRUE(port_pending(port));
    port_clear(port);
    EXPECT_EQ(port_close(peer), 0);
    EXPECT_EQ(port_close(port), 0);
    EXPECT_TRUE(now_ns() >= before);
}

TEST("shared_info appears in a page of RAM, and works there")
{
    ONLY_CAIRN;
    memset(page, 0x77, PAGE_SIZE);
    info_works();
    REQUIRE_EQ(move_info(frame_of(page)), 0);
    info_works();
    EXPECT_TRUE(fault_probe(read_at, gfn_va(home())));
    EXPECT_EQ(trap_seen.error & PF_PRESENT, 0);
    REQUIRE_EQ(move_info(frame_of(page)), 0); /* where it is */
    info_works();
    REQUIRE_EQ(move_info(home()), 0);
    info_works();
    for (size_t i = 0; i < PAGE_SIZE; i += 8)
        EXPECT_EQ(page[i], 0); /* demand-zero again */
    page[0] = 1;
}

TEST("it moves from page to page, one that was never touched or a guard, too")
{
    uint64_t fresh, now;

    ONLY_CAIRN;
    fresh = layout.ram_pages - 20;
    memset(page, 0x77, PAGE_SIZE);
    now = free_pages();
    REQUIRE_EQ(move_info(frame_of(page)), 0);
    EXPECT_EQ(free_pages(), now + 1); /* what page had is given back */
    REQUIRE_EQ(move_info(fresh), 0);
    info_works();
    REQUIRE(guard_page(other));
    REQUIRE_EQ(move_info(frame_of(other)), 0);
    info_works();
    REQUIRE_EQ(move_info(home()), 0);
    info_works();
}

static void grants_work(void)
{
    struct gnttab_map_grant_ref map;

    grant_give(REF, own_domid, buffer, 0);
    map = grant_map(own_domid, REF, grant_slot(2), GNTMAP_host_map);
    EXPECT_EQ(map.status, GNTST_okay);
    *(volatile uint8_t *)(uintptr_t)grant_slot(2) = 0x42;
    EXPECT_EQ(buffer[0], 0x42);
    EXPECT_EQ(grant_unmap(map.handle, grant_slot(2)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
}

static uint64_t first_frame(void)
{
    uint64_t gfn = 0;
    struct gnttab_setup_table op = {
        .dom = DOMID_SELF, .nr_frames = 1, .frame_list = hypercall_ptr(&gfn)};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    EXPECT_EQ(op.status, GNTST_okay);
    return gfn;
}

TEST("the grant table appears in a page of RAM, and works there")
{
    ONLY_CAIRN;
    REQUIRE(grants_init());
    grants_work();
    REQUIRE_EQ(move_grants(frame_of(page)), 0);
    grants_work();
    EXPECT_EQ(first_frame(), frame_of(page));
    EXPECT_TRUE(fault_probe(read_at, gfn_va(grants_home(0))));
    REQUIRE_EQ(move_grants(grants_home(0)), 0);
    grants_work();
    EXPECT_EQ(first_frame(), grants_home(0));
}

static uint64_t grow_by_moving(uint64_t unused)
{
    struct gnttab_query_size size = {.dom = DOMID_SELF};

    (void)unused;
    EXPECT_EQ(move(XENMAPSPACE_grant_table, 1, frame_of(page)), 0);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &size, 1), 0);
    EXPECT_EQ(size.nr_frames, 2);
    EXPECT_EQ(move(XENMAPSPACE_grant_table, 2, frame_of(other)), -ABI_EINVAL);
    EXPECT_EQ(move(XENMAPSPACE_shared_info, 0, frame_of(other)), 0);
    grants = (void *)page;
    grants[0].domid = 7; /* the record of reference 512 */
    return page[2];      /* The child ends with both of them in its RAM. */
}

TEST("a frame of the table is made by moving it; the end finds all of them")
{
    struct child child;
    uint64_t before;

    ONLY_CAIRN;
    EXPECT_TRUE(child_run(&child, grow_by_moving, 0));
    before = free_pages();
    EXPECT_TRUE(child_run(&child, grow_by_moving, 0));
    EXPECT_EQ(child.result, 7);
    EXPECT_EQ(free_pages(), before);
}

TEST("a special page in RAM is no page that can be given away")
{
    struct light_protect protect = {.count = 1, .prot = LIGHT_PROT_read};
    struct light_discard discard = {.count = 1};
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};
    struct gnttab_map_grant_ref map;
    uint64_t gfn, fresh;

    ONLY_CAIRN;
    REQUIRE(grants_init());
    REQUIRE_EQ(move_info(frame_of(page)), 0);
    gfn = protect.gfn = discard.gfn = frame_of(page);
    r.extent_start = hypercall_ptr(&gfn);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_protect, &protect), -ABI_EACCES);
    protect.prot = LIGHT_PROT_guard;
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_protect, &protect), -ABI_EACCES);
    EXPECT_EQ(hypercall_light_op(LIGHT_OP_discard, &discard), -ABI_EACCES);
    EXPECT_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &r), 0);
    for (unsigned int readonly = 0; readonly < 2; readonly++) {
        grant_give(REF, own_domid, page, readonly ? GTF_readonly : 0);
        map = grant_map(own_domid, REF, grant_slot(2),
                        GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0));
        EXPECT_TRUE(map.status < 0);
        EXPECT_TRUE(grant_copy_in(own_domid, REF, 0, buffer, 8) < 0);
        EXPECT_TRUE(grant_take_back(REF));
    }
    /* Hypercalls write to it as to any other page. */
    fresh = hypercall_ptr(shared_info) + PAGE_SIZE - 512;
    EXPECT_EQ(hypercall2(HYPERCALL_light_op, LIGHT_OP_layout, fresh), 0);
    EXPECT_EQ(move_grants(frame_of(page)), -ABI_EACCES);
    EXPECT_EQ(move_info(home()), 0);
    info_works();
    grants_work();
}

TEST("a place that is none of the domain's, text, or lent is refused")
{
    struct gnttab_map_grant_ref map;
    static const uint64_t wild[] = {~0UL, 1UL << 63, 1UL << 52,
                                    0x000fffffffffffff, ~0UL - 4095};

    ONLY_CAIRN;
    REQUIRE(grants_init());
    EXPECT_EQ(move_info(frame_of(rt_text_start)), -ABI_EACCES);
    EXPECT_EQ(move_grants(frame_of(rt_text_start)), -ABI_EACCES);
    EXPECT_EQ(move_info(layout.grant_gfn), -ABI_EINVAL);
    EXPECT_EQ(move_info(layout.special_gfn + LIGHT_SPECIAL_PAGES), -ABI_EINVAL);
    for (unsigned int i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        EXPECT_EQ(move_info(wild[i]), -ABI_EINVAL);
        EXPECT_EQ(move_grants(wild[i]), -ABI_EINVAL);
    }
    EXPECT_EQ(move_info(grants_home(0)), -ABI_EACCES);
    EXPECT_EQ(move_grants(home()), -ABI_EACCES);

    grant_give(REF, own_domid, page, 0);
    map = grant_map(own_domid, REF, grant_slot(2), GNTMAP_host_map);
    REQUIRE_EQ(map.status, GNTST_okay);
    EXPECT_EQ(move_info(frame_of(page)), -ABI_EACCES);
    EXPECT_EQ(grant_unmap(map.handle, grant_slot(2)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
    info_works();
    grants_work();
}

TEST("a space that is none, an index behind its end, a bad address")
{
    ONLY_CAIRN;
    for (uint32_t space = 2; space < 8; space++)
        EXPECT_EQ(move(space, 0, frame_of(page)), -ABI_EINVAL);
    EXPECT_EQ(move(~0U, 0, frame_of(page)), -ABI_EINVAL);
    EXPECT_EQ(move(XENMAPSPACE_shared_info, 1, frame_of(page)), -ABI_EINVAL);
    EXPECT_EQ(move(XENMAPSPACE_grant_table, 1UL << 32, frame_of(page)),
              -ABI_EINVAL);
    EXPECT_EQ(move(XENMAPSPACE_grant_table, ~0U, frame_of(page)), -ABI_EINVAL);
    EXPECT_EQ(move(XENMAPSPACE_grant_table, 1UL << 63, frame_of(page)),
              -ABI_EINVAL); /* status frames of version 2 */
    EXPECT_EQ(hypercall_memory_op(XENMEM_add_to_physmap, (void *)WILD),
              -ABI_EFAULT);
}
