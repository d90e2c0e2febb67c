/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: what a domain has, and may have. */

#include <abi/hypercall.h>
#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/test.h"

TEST("the current reservation is what start_info says, or less")
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};
    long pages = hypercall_memory_op(XENMEM_current_reservation, &arg);

    EXPECT_TRUE(pages > 0);
    if (on_cairn)
        EXPECT_TRUE((uint64_t)pages <= start_info->nr_pages);
}

TEST("the greatest reservation is not below the current one")
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};
    long now = hypercall_memory_op(XENMEM_current_reservation, &arg);
    long most = hypercall_memory_op(XENMEM_maximum_reservation, &arg);

    EXPECT_TRUE(most >= now);
}

TEST("the reservation of no domain is -ESRCH")
{
    struct xen_domid_arg arg = {.domid = 0x5555};

    EXPECT_EQ(hypercall_memory_op(XENMEM_current_reservation, &arg),
              -ABI_ESRCH);
    EXPECT_EQ(hypercall_memory_op(XENMEM_maximum_reservation, &arg),
              -ABI_ESRCH);
}

TEST("the memory map of class light is one range of RAM")
{
    struct e820_entry entries[4];
    struct xen_memory_map map = {.nr_entries = 4,
                                 .buffer = hypercall_ptr(entries)};

    SKIP_ON_XEN("its initial domain has no map of its own");
    EXPECT_EQ(hypercall_memory_op(XENMEM_memory_map, &map), 0);
    EXPECT_EQ(map.nr_entries, 1);
    EXPECT_EQ(entries[0].addr, 0);
    EXPECT_EQ(entries[0].size, layout.ram_pages * PAGE_SIZE);
    EXPECT_EQ(entries[0].type, E820_RAM);
}

TEST("a memory map without room, or at a bad address, is refused")
{
    struct xen_memory_map map = {.nr_entries = 4, .buffer = 0x8000000000000000};

    SKIP_ON_XEN("its initial domain has no map of its own");
    EXPECT_EQ(hypercall_memory_op(XENMEM_memory_map, &map), -ABI_EFAULT);
}

static uint64_t others_reservation(uint64_t unused)
{
    struct xen_domid_arg arg = {.domid = 0};
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = 0};
    long rc = hypercall_memory_op(XENMEM_current_reservation, &arg);

    (void)unused;
    EXPECT_TRUE(rc == -ABI_EPERM || rc == -ABI_ESRCH);
    rc = hypercall_memory_op(XENMEM_decrease_reservation, &r);
    EXPECT_TRUE(rc <= 0);
    rc = hypercall_memory_op(XENMEM_increase_reservation, &r);
    EXPECT_TRUE(rc <= 0);
    return 0;
}

TEST("without rights another domain's memory is out of reach")
{
    struct child child;

    SKIP_ON_XEN("children are made by control_op");
    EXPECT_TRUE(child_run(&child, others_reservation, 0));
}

TEST("reservations of absurd size take no time and do no harm")
{
    uint64_t list[4] = {1, 2, 3, 4};
    struct xen_memory_reservation r = {
        .extent_start = hypercall_ptr(list),
        .nr_extents = ~0UL,
        .extent_order = 60,
        .domid = DOMID_SELF,
    };
    long rc;

    SKIP_ON_XEN("its initial domain may really have it");
    rc = hypercall_memory_op(XENMEM_increase_reservation, &r);
    EXPECT_TRUE(rc <= 0);
    rc = hypercall_memory_op(XENMEM_decrease_reservation, &r);
    EXPECT_TRUE(rc <= 0);
    rc = hypercall_memory_op(XENMEM_populate_physmap, &r);
    EXPECT_TRUE(rc <= 0);
}
