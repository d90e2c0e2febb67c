/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: what a domain has, and may have. */

#include <string.h>

#include <abi/hypercall.h>
#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/test.h"

#define ONLY_CAIRN SKIP_ON_XEN("class light is Cairn's")

/* No guest's address. */
#define WILD 0x8000000000000000UL

/* Pages at the end of RAM that nothing else of this guest touches. */
#define MANY 300U

/* As in memory_op: the operation below, how far it came above. */
#define CMD_BITS 6

extern const char rt_text_start[];

PAGES(page, 1);
PAGES(pages, 4);
PAGES(two_pages, 2);

static long reserve(unsigned int cmd, const uint64_t *list, uint64_t count,
                    uint32_t order)
{
    struct xen_memory_reservation r = {
        .extent_start = hypercall_ptr(list),
        .nr_extents = count,
        .extent_order = order,
        .domid = DOMID_SELF,
    };

    return hypercall_memory_op(cmd, &r);
}

static long decrease(const uint64_t *list, uint64_t count, uint32_t order)
{
    return reserve(XENMEM_decrease_reservation, list, count, order);
}

static long populate(const uint64_t *list, uint64_t count, uint32_t order)
{
    return reserve(XENMEM_populate_physmap, list, count, order);
}

static long ask(unsigned int cmd)
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};

    return hypercall_memory_op(cmd, &arg);
}

static uint8_t *gfn_va(uint64_t gfn)
{
    return (uint8_t *)(uintptr_t)(layout.virt_base + gfn * PAGE_SIZE);
}

TEST("the current reservation is what start_info says, or less")
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};
    long now;

    NEEDS_INITIAL_DOMAIN;
    now = hypercall_memory_op(XENMEM_current_reservation, &arg);
    EXPECT_TRUE(now > 0);
    if (on_cairn)
        EXPECT_TRUE((uint64_t)now <= start_info->nr_pages);
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

TEST("questions about a domain at an address that is none are -EFAULT")
{
    void *wild = (void *)WILD;

    EXPECT_EQ(hypercall_memory_op(XENMEM_current_reservation, wild),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall_memory_op(XENMEM_maximum_reservation, wild),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall_memory_op(XENMEM_maximum_gpfn, wild), -ABI_EFAULT);
}

TEST("the machine's highest frame is behind all of the domain's, whatever arg")
{
    long end = hypercall_memory_op(XENMEM_maximum_ram_page, NULL);

    EXPECT_TRUE(end > 0);
    EXPECT_EQ(hypercall_memory_op(XENMEM_maximum_ram_page, (void *)WILD), end);
    if (on_cairn)
        EXPECT_TRUE(end >= ask(XENMEM_current_reservation));
    else
        EXPECT_TRUE((uint64_t)end > frame_of(page));
}

TEST("the highest gfn is the last page of RAM")
{
    ONLY_CAIRN;
    EXPECT_EQ(ask(XENMEM_maximum_gpfn), layout.ram_pages - 1);
    EXPECT_EQ(ask(XENMEM_maximum_reservation), layout.ram_pages);
}

TEST("pages given back are counted, cost nothing and come back as zeros")
{
    uint64_t list[3], free;
    long now;

    ONLY_CAIRN;
    memset(pages, 0x77, sizeof(pages));
    now = ask(XENMEM_current_reservation);
    free = free_pages();
    for (uint64_t i = 0; i < 3; i++)
        list[i] = frame_of(pages + i * PAGE_SIZE);
    EXPECT_EQ(decrease(list, 3, 0), 3);
    EXPECT_EQ(ask(XENMEM_current_reservation), now - 3);
    EXPECT_EQ(free_pages(), free + 3);
    EXPECT_EQ(decrease(list, 3, 0), 3); /* nothing more to give */
    EXPECT_EQ(ask(XENMEM_current_reservation), now - 3);
    EXPECT_EQ(populate(list, 3, 0), 3);
    for (size_t i = 0; i < 3 * PAGE_SIZE; i += 256)
        EXPECT_EQ(pages[i], 0);
    EXPECT_EQ(pages[3 * PAGE_SIZE], 0x77);
}

TEST("an extent of an order is that many pages")
{
    uint64_t list[2];

    ONLY_CAIRN;
    memset(pages, 0x77, sizeof(pages));
    list[0] = frame_of(pages);
    list[1] = frame_of(pages + 2 * PAGE_SIZE);
    EXPECT_EQ(decrease(list, 1, 1), 1);
    EXPECT_EQ(pages[PAGE_SIZE], 0);
    EXPECT_EQ(pages[2 * PAGE_SIZE], 0x77);
    EXPECT_EQ(decrease(list, 2, 1), 2);
    EXPECT_EQ(pages[3 * PAGE_SIZE], 0);
    list[0] = layout.ram_pages - 1;
    EXPECT_EQ(decrease(list, 1, 1), 0); /* one page of it is no RAM */
    EXPECT_EQ(populate(list, 1, 1), 0);
    EXPECT_EQ(populate(list, 1, 0), 1);
}

TEST("the first extent that is refused ends the call with a short count")
{
    struct gnttab_map_grant_ref map;
    uint64_t list[3];

    ONLY_CAIRN;
    memset(pages, 0x77, sizeof(pages));
    list[0] = frame_of(pages);
    list[2] = frame_of(pages + PAGE_SIZE);

    list[1] = frame_of(rt_text_start);
    EXPECT_EQ(decrease(list, 3, 0), 1);
    list[1] = layout.ram_pages;
    EXPECT_EQ(decrease(list, 3, 0), 1);
    EXPECT_EQ(populate(list, 3, 0), 1);
    list[1] = layout.special_gfn;
    EXPECT_EQ(decrease(list, 3, 0), 1);
    list[1] = ~0UL;
    EXPECT_EQ(decrease(list, 3, 0), 1);
    EXPECT_EQ(populate(list, 3, 0), 1);
    list[1] = 1UL << 52;
    EXPECT_EQ(populate(list, 3, 0), 1);
    EXPECT_EQ(pages[0], 0);
    EXPECT_EQ(pages[PAGE_SIZE], 0x77); /* behind the refused one */

    /* One that is lent. */
    REQUIRE(grants_init());
    grant_give(30, own_domid, page, 0);
    map = grant_map(own_domid, 30, grant_slot(0), GNTMAP_host_map);
    REQUIRE_EQ(map.status, GNTST_okay);
    list[1] = frame_of(page);
    EXPECT_EQ(decrease(list, 3, 0), 1);
    EXPECT_EQ(grant_unmap(map.handle, grant_slot(0)), GNTST_okay);
    EXPECT_TRUE(grant_take_back(30));
    EXPECT_EQ(decrease(list, 3, 0), 3);
}

TEST("a list that cannot be read is done up to where it can")
{
    uint64_t *list = (uint64_t *)(void *)(two_pages + PAGE_SIZE) - 2;

    ONLY_CAIRN;
    list[0] = frame_of(pages);
    list[1] = frame_of(pages + PAGE_SIZE);
    memset(pages, 0x77, sizeof(pages));
    REQUIRE(guard_page(two_pages + PAGE_SIZE));
    EXPECT_EQ(decrease(list, 5, 0), 2);
    EXPECT_EQ(populate(list, 5, 0), 2);
    EXPECT_EQ(pages[0], 0);
    EXPECT_EQ(pages[PAGE_SIZE], 0);
    EXPECT_EQ(pages[2 * PAGE_SIZE], 0x77);
    REQUIRE(unguard_page(two_pages + PAGE_SIZE));

    EXPECT_EQ(decrease((const uint64_t *)WILD, 2, 0), 0);
    EXPECT_EQ(populate((const uint64_t *)WILD, 2, 0), 0);
    EXPECT_EQ(hypercall_memory_op(XENMEM_decrease_reservation, (void *)WILD),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall_memory_op(XENMEM_populate_physmap, (void *)WILD),
              -ABI_EFAULT);
}

TEST("a long list is done in several turns, all of it")
{
    static uint64_t list[MANY];
    uint64_t free;

    ONLY_CAIRN;
    for (unsigned int i = 0; i < MANY; i++) {
        list[i] = layout.ram_pages - 1000 - 2 * i; /* no two in a row */
        gfn_va(list[i])[i] = 0x77;
    }
    free = free_pages();
    EXPECT_EQ(populate(list, MANY, 0), MANY);
    EXPECT_EQ(decrease(list, MANY, 0), MANY);
    EXPECT_EQ(free_pages(), free + MANY);
    for (unsigned int i = 0; i < MANY; i++)
        EXPECT_EQ(gfn_va(list[i])[i], 0);
    list[MANY - 2] = ~0UL;
    EXPECT_EQ(decrease(list, MANY, 0), MANY - 2);
    EXPECT_EQ(populate(list, MANY, 0), MANY - 2);
}

TEST("a list whose own pages are given back is read once")
{
    uint64_t *list = (uint64_t *)(void *)pages;
    long done;

    ONLY_CAIRN;
    list[0] = frame_of(pages); /* the list itself */
    list[1] = frame_of(pages + PAGE_SIZE);
    pages[PAGE_SIZE] = 0x77;
    done = decrease(list, 2, 0);
    EXPECT_EQ(done, 2);
    EXPECT_EQ(list[0], 0);
    EXPECT_EQ(pages[PAGE_SIZE], 0);
}

TEST("progress that the caller invents is taken as it is")
{
    uint64_t list[2] = {frame_of(pages), frame_of(page)};
    struct xen_memory_reservation r = {
        .extent_start = hypercall_ptr(list),
        .nr_extents = 2,
        .domid = DOMID_SELF,
    };
    uint64_t cmd = XENMEM_decrease_reservation;

    ONLY_CAIRN;
    memset(pages, 0x77, sizeof(pages));
    EXPECT_EQ(hypercall2(HYPERCALL_memory_op, cmd | 1UL << CMD_BITS,
                         hypercall_ptr(&r)),
              2);
    EXPECT_EQ(pages[0], 0x77);
    EXPECT_EQ(hypercall2(HYPERCALL_memory_op, cmd | 2UL << CMD_BITS,
                         hypercall_ptr(&r)),
              2);
    EXPECT_EQ(hypercall2(HYPERCALL_memory_op, cmd | 77UL << CMD_BITS,
                         hypercall_ptr(&r)),
              77);
    EXPECT_TRUE(hypercall2(HYPERCALL_memory_op, cmd | ~0UL << CMD_BITS,
                           hypercall_ptr(&r)) > 0);
    EXPECT_EQ(pages[0], 0x77);
}

TEST("nothing can be added to RAM whose gfns are fixed")
{
    uint64_t list[2] = {1, 2};

    ONLY_CAIRN;
    EXPECT_EQ(reserve(XENMEM_increase_reservation, list, 2, 0), 0);
    EXPECT_EQ(reserve(XENMEM_increase_reservation, NULL, 2, 0), 0);
}

static uint64_t others_memory(uint64_t unused)
{
    uint64_t list[1] = {frame_of(page)};
    struct xen_memory_reservation r = {
        .extent_start = hypercall_ptr(list), .nr_extents = 1, .domid = 0};
    struct xen_add_to_physmap a = {.domid = 0, .gpfn = list[0]};
    struct xen_memory_map map = {.nr_entries = 4,
                                 .buffer = hypercall_ptr(pages)};
    struct xen_domid_arg arg = {.domid = 0};

    (void)unused;
    EXPECT_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &r), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_populate_physmap, &r), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_add_to_physmap, &a), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_maximum_reservation, &arg),
              -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_maximum_gpfn, &arg), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_machine_memory_map, &map), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_get_pod_target, &arg), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_acquire_resource, &arg), -ABI_EPERM);
    EXPECT_EQ(hypercall_memory_op(XENMEM_claim_pages, &r), -ABI_EPERM);

    /* Its own number is as good as DOMID_SELF. */
    r.domid = own_domid;
    EXPECT_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &r), 1);
    return 0;
}

TEST("without rights others' memory and the machine's map are out of reach")
{
    struct child child;

    ONLY_CAIRN;
    EXPECT_TRUE(child_run(&child, others_memory, 0));
}

TEST("the machine's map lists RAM, no more pieces than fit, none twice")
{
    static struct e820_entry entries[64];
    struct xen_memory_map map = {.nr_entries = 64,
                                 .buffer = hypercall_ptr(entries)};
    uint64_t ram = 0;

    SKIP_IN_DOMU("there the initial domain alone may ask");
    EXPECT_EQ(hypercall_memory_op(XENMEM_machine_memory_map, &map), 0);
    EXPECT_TRUE(map.nr_entries >= 1);
    for (uint32_t i = 0; i < map.nr_entries; i++) {
        EXPECT_TRUE(entries[i].size > 0);
        for (uint32_t j = 0; j < i; j++)
            EXPECT_TRUE(entries[i].addr >= entries[j].addr + entries[j].size ||
                        entries[i].addr + entries[i].size <= entries[j].addr);
        if (entries[i].type == E820_RAM)
            ram += entries[i].size / PAGE_SIZE;
    }
    EXPECT_TRUE(ram >= (uint64_t)ask(XENMEM_current_reservation));

    map.buffer = WILD;
    EXPECT_EQ(hypercall_memory_op(XENMEM_machine_memory_map, &map),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall_memory_op(XENMEM_machine_memory_map, (void *)WILD),
              -ABI_EFAULT);
    if (!on_cairn)
        return; /* Xen wants room for all of it. */
    memset(entries, 0, sizeof(entries));
    map = (struct xen_memory_map){.nr_entries = 1,
                                  .buffer = hypercall_ptr(entries)};
    EXPECT_EQ(hypercall_memory_op(XENMEM_machine_memory_map, &map), 0);
    EXPECT_EQ(map.nr_entries, 1);
    EXPECT_EQ(entries[1].size, 0);
    map.nr_entries = 0;
    EXPECT_EQ(hypercall_memory_op(XENMEM_machine_memory_map, &map),
              -ABI_EINVAL);
}

TEST("what direct paging needs is unknown, what builders need not there")
{
    static const unsigned int unknown[] = {
        XENMEM_machphys_mfn_list,    XENMEM_exchange,
        XENMEM_machphys_mapping,     XENMEM_remove_from_physmap,
        XENMEM_add_to_physmap_batch, 8,
    };
    static const unsigned int builders[] = {
        XENMEM_set_memory_map,   XENMEM_set_pod_target,
        XENMEM_get_pod_target,   XENMEM_claim_pages,
        XENMEM_get_vnumainfo,    XENMEM_reserved_device_memory_map,
        XENMEM_acquire_resource,
    };

    ONLY_CAIRN;
    NEEDS_INITIAL_DOMAIN;
    for (unsigned int i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        EXPECT_EQ(hypercall_memory_op(unknown[i], page), -ABI_ENOSYS);
    for (unsigned int i = 0; i < sizeof(builders) / sizeof(builders[0]); i++)
        EXPECT_EQ(hypercall_memory_op(builders[i], page), -ABI_EOPNOTSUPP);
}

TEST("an operation that is none is -ENOSYS")
{
    EXPECT_EQ(hypercall_memory_op(63, NULL), -ABI_ENOSYS);
    EXPECT_EQ(hypercall_memory_op(50, page), -ABI_ENOSYS);
}
