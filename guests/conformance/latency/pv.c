/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Class pv: trees of tables whose every entry is present, and long lists.  The
 * tables of each level refer over and over to the few of the next one.
 */

#include <string.h>

#include <abi/memory.h>
#include <abi/mmu.h>
#include <abi/trap.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"
#include "latency/latency.h"

#define ONLY_EXACT_PV                                                          \
    do {                                                                       \
        if (on_cairn || on_xen || !option("exact"))                            \
            SKIP("needs class pv and instruction counting");                   \
        begin();                                                               \
    } while (0)

#define LEVEL_1S 24U /* so many tables of each level but the highest */
#define LEVEL_2S 4U
#define LEVEL_3S 2U
#define TABLES   (LEVEL_1S + LEVEL_2S + LEVEL_3S + 1)

#define GDT_PAGES 14U
#define REQUESTS  2000U
#define FRAMES    500U
#define GRANTS    128U

/* Level 1 first; the one of level 4 last. */
PAGES(tables, TABLES);
PAGES(descriptors, 2 * GDT_PAGES);
PAGES(data, FRAMES);

static uint64_t *page_of(uint8_t *pages, unsigned int i)
{
    return (uint64_t *)(void *)(pages + i * PAGE_SIZE);
}

#define L4 page_of(tables, TABLES - 1)
#define L3 page_of(tables, LEVEL_1S + LEVEL_2S)

static void fill(unsigned int first, unsigned int count, unsigned int below,
                 unsigned int of)
{
    for (unsigned int t = first; t < first + count; t++) {
        for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
            page_of(tables, t)[i] = entry_for(
                page_of(of ? tables : data, below + (of ? i % of : 0)),
                of ? TO_TABLE : TO_WRITE);
        EXPECT_EQ(map_readable(page_of(tables, t)), 0);
    }
}

/* The running tables' part is in the level-4 one, too: it can be run on. */
static void make_tree(void)
{
    const uint64_t *running = (const uint64_t *)(uintptr_t)start_info->pt_base;
    uint64_t own = running[0];

    fill(0, LEVEL_1S, 0, 0);
    fill(LEVEL_1S, LEVEL_2S, 0, LEVEL_1S);
    fill(LEVEL_1S + LEVEL_2S, LEVEL_3S, LEVEL_1S, LEVEL_2S);
    for (unsigned int i = 1; i < TABLE_ENTRIES; i++)
        L4[i] = entry_for(page_of(tables, LEVEL_1S + LEVEL_2S + i % LEVEL_3S),
                          TO_TABLE);
    L4[0] = own;
    EXPECT_EQ(map_readable(L4), 0);
}

static void begin(void)
{
    static bool begun;

    if (!begun)
        make_tree();
    begun = true;
}

uint64_t tree_child(uint64_t unused)
{
    (void)unused;
    make_tree();
    EXPECT_EQ(pin(L4, 4), 0);
    return 0;
}

/* --- Trees ---------------------------------------------------------------- */

static void pin_and_unpin(void)
{
    EXPECT_EQ(pin(L4, 4), 0);
    EXPECT_EQ(unpin(L4), 0);
}

static void run_on_it(void)
{
    const void *own = (const void *)(uintptr_t)start_info->pt_base;

    EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(L4), 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(own), 0), 0);
}

static void users_on_it(void)
{
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(L4), 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
}

static void link_and_unlink(void)
{
    const void *own = (const void *)(uintptr_t)start_info->pt_base;
    uint64_t at = entry_at(own, FREE_SLOT);

    EXPECT_EQ(mmu_one(at, entry_for(L3, TO_TABLE)), 0);
    EXPECT_EQ(mmu_one(at, 0), 0);
}

TEST("trees of tables are validated and undone a little at a time")
{
    ONLY_EXACT_PV;
    measure("pin and unpin", pin_and_unpin);
    measure("new_baseptr", run_on_it);
    measure("new_user_baseptr", users_on_it);
    measure("a tree in an entry", link_and_unlink);
}

/* --- Lists ---------------------------------------------------------------- */

static union {
    struct mmu_update update[REQUESTS];
    struct mmuext_op ext[REQUESTS];
    uint64_t frames[FRAMES];
} list;

static void update_many(void)
{
    for (unsigned int i = 0; i < REQUESTS; i++)
        list.update[i] = (struct mmu_update){
            .ptr = leaf_at(page_of(data, i % FRAMES)),
            .val = entry_for(page_of(data, i % FRAMES),
                             i / FRAMES % 2 ? TO_WRITE : TO_READ)};
    EXPECT_EQ(hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list.update),
                         REQUESTS, 0, DOMID_SELF),
              0);
}

/* Each of them takes a type and gives one back. */
static void update_tables(void)
{
    for (unsigned int i = 0; i < REQUESTS; i++)
        list.update[i] = (struct mmu_update){
            .ptr = entry_at(L3, i % TABLE_ENTRIES),
            .val = entry_for(page_of(tables, LEVEL_1S + (i + 1) % LEVEL_2S),
                             TO_TABLE)};
    EXPECT_EQ(hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list.update),
                         REQUESTS, 0, DOMID_SELF),
              0);
}

static void ext_many(uint32_t cmd, uint64_t arg1, uint64_t arg2)
{
    for (unsigned int i = 0; i < REQUESTS; i++)
        list.ext[i] = (struct mmuext_op){cmd, arg1, arg2};
    EXPECT_EQ(hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(list.ext), REQUESTS,
                         0, DOMID_SELF),
              0);
}

static uint64_t all_vcpus = ~0UL;

static void flush_all(void)
{
    ext_many(MMUEXT_TLB_FLUSH_ALL, 0, 0);
}

static void flush_multi(void)
{
    ext_many(MMUEXT_INVLPG_MULTI, hypercall_ptr(data),
             hypercall_ptr(&all_vcpus));
}

static void clear_many(void)
{
    ext_many(MMUEXT_CLEAR_PAGE, frame_of(data), 0);
}

static void copy_many(void)
{
    ext_many(MMUEXT_COPY_PAGE, frame_of(data), frame_of(data + PAGE_SIZE));
}

TEST("lists about tables are worked on a little at a time")
{
    ONLY_EXACT_PV;
    measure("mmu_update, level 1", update_many);
    EXPECT_EQ(pin(L4, 4), 0);
    measure("mmu_update, level 3", update_tables);
    EXPECT_EQ(unpin(L4), 0);
    measure("TLB_FLUSH_ALL", flush_all);
    measure("INVLPG_MULTI", flush_multi);
    measure("CLEAR_PAGE", clear_many);
    measure("COPY_PAGE", copy_many);
}

/* --- Frames --------------------------------------------------------------- */

/* Given up while mapped: they come back one by one, as entries are changed. */
static void balloon(void)
{
    uint64_t *p2m = (uint64_t *)(uintptr_t)start_info->mfn_list;
    uint64_t pfn = hypercall_ptr(data) / PAGE_SIZE;
    struct xen_memory_reservation op = {
        .extent_start = hypercall_ptr(list.frames),
        .nr_extents = FRAMES - 1,
        .domid = DOMID_SELF,
    };

    for (unsigned int i = 1; i < FRAMES; i++)
        EXPECT_EQ(map_at(page_of(data, i), 0), 0);
    memcpy(list.frames, p2m + pfn + 1, (FRAMES - 1) * sizeof(uint64_t));
    EXPECT_EQ(hypercall_memory_op(XENMEM_decrease_reservation, &op),
              FRAMES - 1);
    for (unsigned int i = 1; i < FRAMES; i++)
        list.frames[i - 1] = pfn + i;
    EXPECT_EQ(hypercall_memory_op(XENMEM_populate_physmap, &op), FRAMES - 1);
    memcpy(p2m + pfn + 1, list.frames, (FRAMES - 1) * sizeof(uint64_t));
    for (unsigned int i = 1; i < FRAMES; i++)
        EXPECT_EQ(map_writable(page_of(data, i)), 0);
}

/* Frames of extents of any order, for one by one, and for the largest ones. */
#define EXTENT 16U

static void exchange(void)
{
    uint64_t *p2m = (uint64_t *)(uintptr_t)start_info->mfn_list;
    uint64_t pfn = hypercall_ptr(data) / PAGE_SIZE, got[FRAMES / EXTENT];
    struct xen_memory_exchange x = {
        .in = {.extent_start = hypercall_ptr(list.frames), .domid = DOMID_SELF},
        .out = {.domid = DOMID_SELF},
    };

    x.in.nr_extents = FRAMES / EXTENT * EXTENT;
    for (unsigned int i = 0; i < x.in.nr_extents; i++) {
        EXPECT_EQ(map_at(page_of(data, i), 0), 0);
        list.frames[i] = p2m[pfn + i];
    }
    x.out.extent_start = x.in.extent_start;
    x.out.nr_extents = x.in.nr_extents;
    EXPECT_EQ(hypercall_memory_op(XENMEM_exchange, &x), 0);

    x.nr_exchanged = 0;
    x.out.extent_start = hypercall_ptr(got);
    x.out.nr_extents = FRAMES / EXTENT;
    x.out.extent_order = 4;
    for (unsigned int i = 0; i < FRAMES / EXTENT; i++)
        got[i] = pfn + i * EXTENT;
    EXPECT_EQ(hypercall_memory_op(XENMEM_exchange, &x), 0);
    for (unsigned int i = 0; i < x.in.nr_extents; i++) {
        p2m[pfn + i] = got[i / EXTENT] + i % EXTENT;
        EXPECT_EQ(map_writable(page_of(data, i)), 0);
    }
}

static struct gnttab_map_grant_ref maps[GRANTS];
static struct gnttab_unmap_grant_ref unmaps[GRANTS];

static void map_and_unmap(void)
{
    for (unsigned int i = 0; i < GRANTS; i++)
        maps[i] = (struct gnttab_map_grant_ref){.host_addr = grant_slot(i % 16),
                                                .flags = GNTMAP_host_map,
                                                .ref = 20,
                                                .dom = own_domid};
    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_map_grant_ref, maps, GRANTS),
              0);
    for (unsigned int i = 0; i < GRANTS; i++)
        unmaps[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = maps[i].host_addr, .handle = maps[i].handle};
    EXPECT_EQ(
        hypercall_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, GRANTS), 0);
}

TEST("frames and grants come and go a little at a time")
{
    ONLY_EXACT_PV;
    measure("decrease and populate", balloon);
    measure("exchange", exchange);
    REQUIRE(grants_init());
    grant_give(20, own_domid, data, 0);
    measure("grant map and unmap", map_and_unmap);
}

/* --- Descriptors and vCPUs ------------------------------------------------ */

static void other_gdt(uint64_t *frames)
{
    static unsigned int turn;

    turn++;
    for (unsigned int i = 0; i < GDT_PAGES; i++)
        frames[i] = frame_of(page_of(descriptors, turn % 2 * GDT_PAGES + i));
}

static void set_gdt(void)
{
    uint64_t frames[GDT_PAGES];

    other_gdt(frames);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames),
                         GDT_PAGES * TABLE_ENTRIES),
              0);
}

/* All is taken, and then it is refused: it can be called again and again. */
static void initialise(void)
{
    static struct vcpu_guest_context c;

    c = *vcpu_context(VCPU_COUNT - 1, 0x1000);
    other_gdt(c.gdt_frames);
    c.gdt_ents = GDT_PAGES * TABLE_ENTRIES;
    c.ctrlreg[1] = machine_of(L4);
    c.ctrlreg[3] = machine_of(data);
    EXPECT_EQ(hypercall_vcpu_op(VCPUOP_initialise, VCPU_COUNT - 1, &c),
              -ABI_EINVAL);
    EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_LOCAL, 0, 0), 0); /* undoes the rest */
}

TEST("descriptor tables and vCPUs are taken a little at a time")
{
    static const uint64_t code = 0x00affb000000ffff;

    ONLY_EXACT_PV;
    for (unsigned int i = 0; i < 2 * GDT_PAGES; i++) {
        for (unsigned int n = 0; n < TABLE_ENTRIES; n++)
            page_of(descriptors, i)[n] = code;
        REQUIRE_EQ(map_readable(page_of(descriptors, i)), 0);
    }
    measure("set_gdt", set_gdt);
    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    measure("VCPUOP_initialise", initialise);
}
