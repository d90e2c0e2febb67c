/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain of class pv that lends its pages to its neighbours, those with the
 * next domids, and maps what they lend, while it makes tables and descriptor
 * pages of the same pages and gives them up; at random, on all of its vCPUs.
 * "rounds=" says for how long; it ends in the midst of it.  That nothing is
 * left behind, and all counts are right, tests/system/test_pv.py looks at.
 */

#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define PAGES_USED 32U
#define PAGES_BUSY 16U /* that are mapped over, too */
#define REFS       16U
#define FIRST_REF  20U
#define HELD       64U

PAGES(pages, PAGES_USED);

static struct {
    uint64_t random;
    struct held {
        grant_handle_t handle;
        uint64_t at;
    } held[HELD];
} of_vcpu[VCPU_COUNT];

static volatile bool stop;

static unsigned int below(unsigned int end)
{
    uint64_t *x = &of_vcpu[vcpu_self()].random;

    *x = *x * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned int)(*x >> 33) % end;
}

static domid_t neighbour(void)
{
    return (domid_t)(own_domid + below(9) - 4);
}

static struct held *any_held(void)
{
    return &of_vcpu[vcpu_self()].held[below(HELD)];
}

static void lend(void)
{
    grant_give(FIRST_REF + below(REFS), neighbour(), page_at(below(PAGES_USED)),
               below(4) ? 0 : GTF_readonly);
}

static void borrow(uint64_t *page)
{
    static const uint32_t kinds[] = {GNTMAP_readonly, GNTMAP_device_map,
                                     GNTMAP_contains_pte,
                                     GNTMAP_application_map};
    struct gnttab_map_grant_ref op;
    struct held *h = any_held();
    uint32_t flags = GNTMAP_host_map;

    for (unsigned int i = 0; i < 4; i++)
        flags |= below(4) ? 0 : kinds[i];
    h->at = flags & GNTMAP_contains_pte ? leaf_at(page) : hypercall_ptr(page);
    op = grant_map(neighbour(), FIRST_REF + below(REFS), h->at, flags);
    h->handle = op.handle;
}

static long change(unsigned int cmd, uint64_t *frame)
{
    struct xen_memory_reservation r = {.extent_start = hypercall_ptr(frame),
                                       .nr_extents = 1,
                                       .domid = DOMID_SELF};

    return hypercall_memory_op(cmd, &r);
}

static void give_up(uint64_t *page)
{
    uint64_t pfn = (uint64_t)(uintptr_t)page / PAGE_SIZE;
    uint64_t frame = frame_of(page);

    if (change(XENMEM_decrease_reservation, &frame) != 1)
        return;
    (void)map_at(page, 0);
    frame = pfn;
    if (change(XENMEM_populate_physmap, &frame) != 1)
        return;
    ((uint64_t *)(uintptr_t)start_info->mfn_list)[pfn] = frame;
    (void)map_writable(page);
}

static void set_gdt(uint64_t *page)
{
    uint64_t frames[2] = {frame_of(page), frame_of(page_at(below(PAGES_USED)))};

    (void)hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames),
                     below(3) * TABLE_ENTRIES);
}

static void one(void)
{
    uint64_t *page = page_at(below(PAGES_BUSY));

    switch (below(12)) {
    case 0:
    case 1:
        lend();
        break;
    case 2:
    case 3:
    case 4:
        borrow(page);
        break;
    case 5:
    case 6: /* perhaps not where it is */
        (void)grant_unmap(any_held()->handle, any_held()->at);
        break;
    case 7:
        (void)(below(2) ? map_writable(page) : map_readable(page));
        break;
    case 8:
        (void)pin(page, 1 + below(4));
        break;
    case 9:
        (void)unpin(page);
        break;
    case 10:
        give_up(page);
        break;
    default:
        set_gdt(page);
        break;
    }
}

static void go_on(uint64_t seed)
{
    of_vcpu[vcpu_self()].random = seed;
    while (!stop)
        one();
}

TEST("pages are lent, borrowed, made tables of and given up at a time")
{
    tables_use(pages, PAGES_USED);
    REQUIRE(grants_init());
    for (unsigned int i = 0; i < vcpu_count(); i++)
        of_vcpu[i].random = own_domid * VCPU_COUNT + i;
    for (unsigned int i = 1; i < vcpu_count(); i++)
        REQUIRE(vcpu_start(i, go_on, of_vcpu[i].random));
    for (uint64_t i = option_number("rounds", 1000); i; i--)
        one();
    stop = true;
}
