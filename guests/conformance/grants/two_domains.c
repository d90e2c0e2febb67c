/* SPDX-License-Identifier: BSD-2-Clause */
/* Grants between this domain and a child. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/pair.h"
#include "framework/ports.h"
#include "framework/test.h"

#define REF    30U
#define WANTED 78U /* the child's number, which must be known before it is */
#define CHILD  child_domid(WANTED)

#define ONLY_CAIRN SKIP_ON_XEN("a child must die, or have limits of its own")

static const struct child_limits numbered = {.domid = WANTED};

PAGES(page, 1);
PAGES(lent, 1);

/* Wait for an event on @port, for at most some seconds. */
static bool wait_port(evtchn_port_t port)
{
    struct sched_poll op = {.ports = hypercall_ptr(&port),
                            .nr_ports = 1,
                            .timeout = now_ns() + 5000000000UL};

    while (!port_pending(port) && now_ns() < op.timeout)
        hypercall_sched_op(SCHEDOP_poll, &op);
    if (!port_pending(port))
        return false;
    port_clear(port);
    return true;
}

static uint64_t use_parents_page(uint64_t unused)
{
    struct gnttab_map_grant_ref op =
        grant_map(parent_domid, REF, grant_slot(0), GNTMAP_host_map);
    uint8_t *mapped = (uint8_t *)(uintptr_t)grant_slot(0);

    (void)unused;
    EXPECT_EQ(op.status, GNTST_okay);
    if (op.status != GNTST_okay)
        return 0;
    EXPECT_EQ(mapped[0], 0x12);
    mapped[1] = 0x34;
    EXPECT_EQ(grant_copy_in(parent_domid, REF, 0, page, 2), GNTST_okay);
    EXPECT_EQ(page[1], 0x34);
    page[0] = 0x56;
    EXPECT_EQ(grant_copy_out(page, parent_domid, REF, 2, 1), GNTST_okay);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    /* Granted to us, not to be granted further. */
    EXPECT_TRUE(grants_init());
    return 1;
}

TEST("a page lent to a child is one page in both")
{
    struct child child;

    NEEDS_CHILD;
    REQUIRE(grants_init());
    memset(page, 0, PAGE_SIZE);
    page[0] = 0x12;
    grant_give(REF, CHILD, page, 0);
    if (!child_start(&child, &numbered, use_parents_page, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, 1);
    EXPECT_EQ(page[1], 0x34);
    EXPECT_EQ(page[2], 0x56);
    EXPECT_TRUE(grant_take_back(REF));
    child_destroy(&child);
}

static uint64_t use_what_is_not_lent(uint64_t unused)
{
    uint64_t got = 0;

    (void)unused;
    for (grant_ref_t ref = 0; ref < 512; ref++) {
        if (ref == PAIR_REF)
            continue;
        struct gnttab_map_grant_ref op =
            grant_map(parent_domid, ref, grant_slot(0), GNTMAP_host_map);

        if (op.status == GNTST_okay)
            got++;
        if (grant_copy_in(parent_domid, ref, 0, page, 8) == GNTST_okay)
            got++;
    }
    return got;
}

TEST("a child reaches none of what is lent to others")
{
    struct child child;

    NEEDS_CHILD;
    grant_give(REF, 0x1234, page, 0);
    EXPECT_TRUE(child_run(&child, use_what_is_not_lent, 0));
    EXPECT_EQ(child.result, 0);
    EXPECT_TRUE(grant_take_back(REF));
}

static uint64_t use_readonly(uint64_t handle)
{
    struct gnttab_map_grant_ref op =
        grant_map(parent_domid, REF, grant_slot(0), GNTMAP_host_map);

    EXPECT_EQ(op.status, GNTST_general_error);
    EXPECT_EQ(grant_copy_out(page, parent_domid, REF, 0, 8),
              GNTST_general_error);
    op = grant_map(parent_domid, REF, grant_slot(0),
                   GNTMAP_host_map | GNTMAP_readonly);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(*(volatile uint8_t *)(uintptr_t)grant_slot(0), 0x2a);
    /* The parent's handle means something else here, or nothing. */
    if (op.handle != handle)
        EXPECT_EQ(grant_unmap((grant_handle_t)handle, grant_slot(0)),
                  GNTST_bad_handle);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_EQ(grant_unmap((grant_handle_t)handle, grant_slot(1)),
              GNTST_bad_handle);
    return 1;
}

TEST(
    "a child can only read what is lent for reading, and has no handle of ours")
{
    struct gnttab_map_grant_ref op;
    struct child child;

    NEEDS_CHILD;
    REQUIRE(grants_init());
    page[0] = 0x2a;
    grant_give(REF + 1, own_domid, page, 0);
    op = grant_map(own_domid, REF + 1, grant_slot(1), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    grant_give(REF, CHILD, page, GTF_readonly);
    if (!child_start(&child, &numbered, use_readonly, op.handle))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, 1);
    EXPECT_EQ(page[0], 0x2a);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(1)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(REF));
    EXPECT_TRUE(grant_take_back(REF + 1));
    child_destroy(&child);
}

static uint64_t map_and_die(uint64_t unused)
{
    struct gnttab_map_grant_ref op =
        grant_map(parent_domid, REF, grant_slot(3), GNTMAP_host_map);

    (void)unused;
    EXPECT_EQ(op.status, GNTST_okay);
    __asm__ volatile("mov $8, %%rsp; ud2" : : : "memory");
    return 0;
}

TEST("what a dead domain had mapped is given back when it is destroyed")
{
    struct child child;

    ONLY_CAIRN;
    grant_give(REF, CHILD, page, 0);
    if (!child_start(&child, &numbered, map_and_die, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_FALSE(grant_take_back(REF));
    child_destroy(&child);
    EXPECT_TRUE(grant_take_back(REF));
}

/* Lends a page to its parent, tells it, waits to be destroyed. */
static uint64_t lend_page(uint64_t parent_port)
{
    evtchn_port_t port = port_bind(0, (evtchn_port_t)parent_port);

    EXPECT_TRUE(grants_init());
    memset(lent, 0x99, PAGE_SIZE);
    grant_give(REF, 0, lent, 0);
    port_clear(port);
    port_send(port);
    wait_port(port);
    return 0;
}

TEST("a mapped page outlives its domain, and goes when it is unmapped")
{
    struct child child;
    struct gnttab_map_grant_ref op;
    uint8_t *mapped = (uint8_t *)(uintptr_t)grant_slot(0);
    evtchn_port_t port;
    uint64_t before;

    ONLY_CAIRN;
    port = port_alloc_unbound(CHILD);
    /* The window's and the tracking's own pages are there from now on. */
    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    before = free_pages();
    if (!child_start(&child, &numbered, lend_page, port))
        return;
    REQUIRE(wait_port(port));
    op = grant_map(CHILD, REF, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    EXPECT_EQ(mapped[7], 0x99);
    child_destroy(&child);
    EXPECT_EQ(mapped[7], 0x99);
    mapped[7] = 1;
    EXPECT_TRUE(free_pages() < before);
    EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    EXPECT_EQ(free_pages(), before);
    port_close(port);
}

static uint64_t fill_maptrack(uint64_t unused)
{
    uint64_t mapped = 0;

    (void)unused;
    for (unsigned int i = 0; i < 16; i++) {
        struct gnttab_map_grant_ref op =
            grant_map(parent_domid, REF, grant_slot(i), GNTMAP_host_map);

        if (op.status == GNTST_no_space)
            return mapped;
        EXPECT_EQ(op.status, GNTST_okay);
        mapped++;
    }
    return mapped;
}

TEST("a domain maps as many grants as it was allowed, then no_space")
{
    static const struct child_limits limits = {.domid = WANTED,
                                               .maptrack_max = 5};
    struct child child;

    ONLY_CAIRN;
    grant_give(REF, CHILD, page, 0);
    if (!child_start(&child, &limits, fill_maptrack, 0))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_EQ(child.result, 5);
    child_destroy(&child);
    EXPECT_TRUE(grant_take_back(REF));
}

static uint64_t others_tables(uint64_t unused)
{
    uint64_t list[4];
    struct gnttab_setup_table setup = {
        .dom = parent_domid, .nr_frames = 1, .frame_list = hypercall_ptr(list)};
    struct gnttab_query_size query = {.dom = parent_domid};

    (void)unused;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    EXPECT_EQ(setup.status, GNTST_permission_denied);
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_query_size, &query, 1), 0);
    EXPECT_EQ(query.status, GNTST_permission_denied);
    return 0;
}

TEST("another domain's table is permission_denied")
{
    struct child child;

    NEEDS_CHILD;
    EXPECT_TRUE(child_run(&child, others_tables, 0));
}

static uint64_t grow_table(uint64_t unused)
{
    uint64_t list[64];
    struct gnttab_setup_table setup = {
        .dom = DOMID_SELF, .nr_frames = 2, .frame_list = hypercall_ptr(list)};

    (void)unused;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    EXPECT_EQ(setup.status, GNTST_okay);
    EXPECT_EQ(list[1], list[0] + 1);
    setup.nr_frames = 3;
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0);
    EXPECT_EQ(setup.status, GNTST_general_error);
    return 0;
}

TEST("a table grows as far as it was allowed")
{
    struct child child;

    ONLY_CAIRN;
    EXPECT_TRUE(child_run(&child, grow_table, 0));
}
