/* SPDX-License-Identifier: BSD-2-Clause */
/* Every status of the grant operations, and what is left after each. */

/* LINK: hypervisor/grant/active.c hypervisor/grant/copy.c */
/* LINK: hypervisor/grant/map.c hypervisor/grant/maptrack.c */
/* LINK: hypervisor/grant/table.c */
/* LINK: hypervisor/domain/memory.c tests/unit/doubles/no_pv.c */
/* LINK: hypervisor/memory/light.c */
/* LINK: hypervisor/memory/light_pages.c hypervisor/memory/light_window.c */
/* LINK: hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/pool.c */
/* LINK: hypervisor/memory/frame.c hypervisor/memory/buddy.c */
/* LINK: tests/unit/doubles/machine.c tests/unit/doubles/smp.c */
/* LINK: tests/unit/hypervisor/grant/world.c */

#include "grant/grant.h"

#include "arch/x86_64/paging.h"
#include "doubles/discard.h"
#include "doubles/machine.h"
#include "grant/table.h"
#include "hypervisor/grant/world.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "test.h"

#define REF 77U
#define RW  GNTMAP_host_map
#define RO  (GNTMAP_host_map | GNTMAP_readonly)

static grant_handle_t handle;

void setup(void)
{
    world_make();
    current->wants_memory = false;
    current->repeat = false;
}

void teardown(void)
{
    EXPECT_TRUE(world_unmake());
    EXPECT_EQ(machine_locks_held(), 0);
}

static uint16_t marks(domid_t id, grant_ref_t ref)
{
    return world_entry(id, ref)->flags & (GTF_reading | GTF_writing);
}

static void protect(domid_t id, uint64_t g, uint32_t prot)
{
    EXPECT_EQ(light_protect(world_domain[id]->space, gfn(g), 1, prot, true), 0);
}

TEST("a map shows the granter's page, marks the entry, and an unmap undoes it")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_refs(1, 5), 0);
    EXPECT_EQ(world_map(2, 1, REF, 3, RW, &handle), GNTST_okay);
    EXPECT_PTR(mfn_to_virt(pte_mfn(world_window_leaf(2, 3))), world_page(1, 5));
    EXPECT_TRUE(world_window_leaf(2, 3) & PTE_WRITE);
    EXPECT_TRUE(world_window_leaf(2, 3) & PTE_NX);
    EXPECT_EQ(marks(1, REF), GTF_reading | GTF_writing);
    EXPECT_EQ(world_refs(1, 5), 2);

    machine_page_flushes = 0;
    world_domain[2]->space->base.live_cpus = 1;
    EXPECT_EQ(world_unmap(2, 3, handle), GNTST_okay);
    world_domain[2]->space->base.live_cpus = 0;
    EXPECT_EQ(machine_page_flushes, 1);
    EXPECT_EQ(world_window_leaf(2, 3), 0);
    EXPECT_EQ(marks(1, REF), 0);
    EXPECT_EQ(world_refs(1, 5), 1);
    EXPECT_EQ(world_unmap(2, 3, handle), GNTST_bad_handle);
}

TEST("a read-only map is read-only, whatever the entry would allow")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 3, RO, &handle), GNTST_okay);
    EXPECT_FALSE(world_window_leaf(2, 3) & PTE_WRITE);
    EXPECT_EQ(marks(1, REF), GTF_reading);
    EXPECT_EQ(world_unmap(2, 3, handle), GNTST_okay);
}

TEST("what a map cannot be given, by status")
{
    static const struct {
        uint16_t entry_flags, from;
        domid_t to;
        uint32_t frame, ref, flags;
        int16_t status;
    } cases[] = {
        {GTF_permit_access, 1, 2, 5, REF, 0, GNTST_bad_gntref},
        {GTF_permit_access, 1, 2, 5, REF, GNTMAP_readonly, GNTST_bad_gntref},
        {GTF_permit_access, 1, 2, 5, 512, RW, GNTST_bad_gntref},
        {GTF_permit_access, 1, 2, 5, ~0U, RW, GNTST_bad_gntref},
        {GTF_permit_access, 0, 2, 5, REF, RW, GNTST_bad_domain},
        {GTF_permit_access, DOMID_SELF, 2, 5, REF, RW, GNTST_bad_domain},
        {GTF_permit_access, DOMID_XEN, 2, 5, REF, RW, GNTST_bad_domain},
        {GTF_invalid, 1, 2, 5, REF, RW, GNTST_general_error},
        {GTF_accept_transfer, 1, 2, 5, REF, RW, GNTST_general_error},
        {3, 1, 2, 5, REF, RW, GNTST_general_error},
        {GTF_permit_access, 1, 3, 5, REF, RW, GNTST_general_error},
        {GTF_permit_access | GTF_readonly, 1, 2, 5, REF, RW,
         GNTST_general_error},
        {GTF_permit_access | GTF_readonly, 1, 2, 5, REF, RO, GNTST_okay},
        {GTF_permit_access, 1, 2, RAM_PAGES, REF, RW, GNTST_bad_page},
        {GTF_permit_access, 1, 2, ~0U, REF, RO, GNTST_bad_page},
        {GTF_permit_access, 1, 2, 5, REF, RW | GNTMAP_contains_pte,
         GNTST_general_error},
        {GTF_permit_access, 1, 2, 5, REF, RW | GNTMAP_device_map,
         GNTST_permission_denied},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_give(1, REF, cases[i].to, cases[i].frame, cases[i].entry_flags);
        EXPECT_EQ(world_map(2, cases[i].from, cases[i].ref, 0, cases[i].flags,
                            &handle),
                  cases[i].status);
        if (cases[i].status == GNTST_okay) {
            EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
            continue;
        }
        EXPECT_EQ(marks(1, REF), 0);
        EXPECT_EQ(world_window_leaf(2, 0), 0);
        EXPECT_TRUE(world_refs(1, 5) <= 1);
        EXPECT_EQ(world_domain[2]->grants->maptrack_used, 0);
        EXPECT_EQ(world_domain[1]->refs, 1);
    }
}

TEST("access through a grant never exceeds the granter's own")
{
    static const struct {
        uint32_t prot;
        int16_t rw, ro;
    } cases[] = {
        {LIGHT_PROT_guard, GNTST_general_error, GNTST_general_error},
        {LIGHT_PROT_read, GNTST_general_error, GNTST_okay},
        {LIGHT_PROT_execute, GNTST_general_error, GNTST_okay},
        {LIGHT_PROT_read_write, GNTST_okay, GNTST_okay},
    };

    for (uint32_t i = 0; i < 4; i++) {
        protect(1, i, cases[i].prot);
        world_give(1, REF, 2, i, GTF_permit_access);
        EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), cases[i].rw);
        if (cases[i].rw == GNTST_okay)
            EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
        EXPECT_EQ(world_map(2, 1, REF, 0, RO, &handle), cases[i].ro);
        if (cases[i].ro == GNTST_okay)
            EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
        EXPECT_EQ(marks(1, REF), 0);
    }
}

TEST("an address that is no free page of the window is refused")
{
    struct gnttab_map_grant_ref op = {
        .flags = RW,
        .ref = REF,
        .dom = 1,
    };
    const vaddr_t bad[] = {
        0,
        world_window(2, 0) + 8,
        world_window(2, 0) - PAGE_SIZE,
        world_window(2, WINDOW_PAGES),
        world_domain[2]->space->layout.virt_base,
        HV_VIRT_START,
        ~0UL,
    };

    world_give(1, REF, 2, 5, GTF_permit_access);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        op.host_addr = bad[i];
        grant_map(world_domain[2], &op);
        EXPECT_EQ(op.status, GNTST_general_error);
    }
    EXPECT_EQ(marks(1, REF), 0);
    EXPECT_EQ(world_refs(1, 5), 1);

    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_general_error);
    EXPECT_EQ(world_refs(1, 5), 2);
}

TEST("a lent page that is hostile to its own: entry changed while mapped")
{
    grant_handle_t second;

    world_give(1, REF, 2, 5, GTF_permit_access | GTF_readonly);
    EXPECT_EQ(world_map(2, 1, REF, 0, RO, &handle), GNTST_okay);

    /* Another frame: further pins still get the first one. */
    world_give(1, REF, 2, 6, GTF_permit_access | GTF_readonly | GTF_reading);
    EXPECT_EQ(world_map(2, 1, REF, 1, RO, &second), GNTST_okay);
    EXPECT_EQ(pte_mfn(world_window_leaf(2, 1)).raw,
              pte_mfn(world_window_leaf(2, 0)).raw);
    EXPECT_EQ(world_unmap(2, 1, second), GNTST_okay);

    /* A new right, and another frame with it: refused, not mixed up. */
    world_give(1, REF, 2, 6, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 1, RW, &second), GNTST_general_error);
    EXPECT_EQ(marks(1, REF), GTF_reading);

    /* Another holder: not while the first one has it. */
    world_give(1, REF, 3, 5, GTF_permit_access);
    EXPECT_EQ(world_map(3, 1, REF, 1, RO, &second), GNTST_general_error);

    /* Everything wiped: the unmap still works, and marks are just cleared. */
    world_give(1, REF, 0, 0, 0xffff);
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
    EXPECT_EQ(world_entry(1, REF)->flags,
              0xffff & ~(GTF_reading | GTF_writing));
    EXPECT_EQ(world_refs(1, 5), 1);
}

TEST("a read-only page lent, then the entry made writable: text stays text")
{
    grant_handle_t second;

    protect(1, 5, LIGHT_PROT_execute);
    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RO, &handle), GNTST_okay);
    EXPECT_EQ(world_map(2, 1, REF, 1, RW, &second), GNTST_general_error);
    EXPECT_EQ(marks(1, REF), GTF_reading);
}

TEST("marks go with the last pin of their kind")
{
    grant_handle_t write, read;

    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RO, &read), GNTST_okay);
    EXPECT_EQ(world_map(2, 1, REF, 1, RW, &write), GNTST_okay);
    EXPECT_EQ(world_refs(1, 5), 3);
    EXPECT_EQ(world_unmap(2, 1, write), GNTST_okay);
    EXPECT_EQ(marks(1, REF), GTF_reading);
    EXPECT_EQ(world_map(2, 1, REF, 1, RW, &write), GNTST_okay);
    EXPECT_EQ(world_unmap(2, 0, read), GNTST_okay);
    EXPECT_EQ(marks(1, REF), GTF_reading | GTF_writing);
    EXPECT_EQ(world_unmap(2, 1, write), GNTST_okay);
    EXPECT_EQ(marks(1, REF), 0);
}

TEST("a lent page can be neither discarded nor made less")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RO, &handle), GNTST_okay);
    EXPECT_EQ(discard(world_domain[1]->space, 5, 1), -EACCES);
    EXPECT_EQ(light_protect(world_domain[1]->space, gfn(5), 1, LIGHT_PROT_guard,
                            false),
              -EACCES);
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
    EXPECT_EQ(discard(world_domain[1]->space, 5, 1), 0);
}

static unsigned int refs_at_flush;
static uint16_t marks_at_flush;

static void watch_page(void)
{
    refs_at_flush = world_refs(1, 5);
    marks_at_flush = marks(1, REF);
}

TEST("an unmapped page is held, and marked, until every CPU has forgotten it")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    world_domain[2]->space->base.live_cpus = 1;
    machine_at_flush = watch_page;
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
    machine_at_flush = NULL;
    world_domain[2]->space->base.live_cpus = 0;
    EXPECT_EQ(refs_at_flush, 2);
    EXPECT_EQ(marks_at_flush, GTF_reading | GTF_writing);
    EXPECT_EQ(world_refs(1, 5), 1);
}

static grant_handle_t reused;
static int16_t reuse_status;

static void map_again(void)
{
    reuse_status = world_map(2, 3, REF, 0, RO, &reused);
}

TEST("a handle that is had again before the flush is another's by then")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    world_give(3, REF, 2, 6, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    world_domain[2]->space->base.live_cpus = 1;
    machine_at_flush = map_again; /* By another vCPU. */
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
    machine_at_flush = NULL;
    world_domain[2]->space->base.live_cpus = 0;
    EXPECT_EQ(reuse_status, GNTST_okay);
    EXPECT_EQ(reused, handle);

    /* What was let go is what the first stood for, all of it, and once. */
    EXPECT_EQ(world_refs(1, 5), 1);
    EXPECT_EQ(marks(1, REF), 0);
    EXPECT_EQ(world_domain[1]->refs, 1);
    EXPECT_EQ(world_refs(3, 6), 2);
    EXPECT_EQ(marks(3, REF), GTF_reading);
    EXPECT_EQ(world_domain[2]->grants->maptrack_used, 1);
    EXPECT_PTR(mfn_to_virt(pte_mfn(world_window_leaf(2, 0))), world_page(3, 6));
    EXPECT_EQ(world_unmap(2, 0, reused), GNTST_okay);
    EXPECT_EQ(world_refs(3, 6), 1);
    EXPECT_EQ(world_unmap(2, 0, reused), GNTST_bad_handle);
}

static void unmap_again(void)
{
    reuse_status = world_unmap(2, 0, handle);
}

TEST("two vCPUs unmap one handle: the second finds none, before the flush")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    world_domain[2]->space->base.live_cpus = 1;
    machine_at_flush = unmap_again;
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
    machine_at_flush = NULL;
    world_domain[2]->space->base.live_cpus = 0;
    EXPECT_EQ(reuse_status, GNTST_bad_handle);
    EXPECT_EQ(world_refs(1, 5), 1);
    EXPECT_EQ(world_domain[1]->refs, 1);
}

TEST("a handle whose map is not complete can be guessed, not unmapped")
{
    struct grant_table *t = world_domain[2]->grants;
    struct maptrack *track = maptrack_alloc(t);

    REQUIRE(track);
    track->host_addr = world_window(2, 0); /* As far as a map may have come. */
    EXPECT_EQ(world_unmap(2, 0, track->handle), GNTST_bad_handle);
    maptrack_free(t, track);
    EXPECT_EQ(world_unmap(2, 0, track->handle), GNTST_bad_handle);
    EXPECT_EQ(t->maptrack_used, 0);
}

TEST("unmap: handle and address must belong together")
{
    struct gnttab_unmap_grant_ref op = {0};

    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    EXPECT_EQ(world_unmap(2, 1, handle), GNTST_general_error);
    EXPECT_EQ(world_unmap(2, 0, handle + 1), GNTST_bad_handle);
    EXPECT_EQ(world_unmap(2, 0, MAPTRACK_SIZE), GNTST_bad_handle);
    EXPECT_EQ(world_unmap(2, 0, ~0U), GNTST_bad_handle);
    EXPECT_EQ(world_unmap(3, 0, handle), GNTST_bad_handle);
    op.handle = handle;
    grant_unmap(world_domain[2], &op, 1);
    EXPECT_EQ(op.status, GNTST_okay); /* A zero address leaves it mapped. */
    EXPECT_TRUE(world_window_leaf(2, 0) != 0);
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
}

TEST("a batch unmaps all it can with one round of flushes, in order")
{
    struct gnttab_unmap_grant_ref ops[4];

    for (uint32_t i = 0; i < 3; i++) {
        world_give(1, REF + i, 2, i, GTF_permit_access);
        EXPECT_EQ(world_map(2, 1, REF + i, i, RW, &handle), GNTST_okay);
        ops[i] = (struct gnttab_unmap_grant_ref){
            .host_addr = world_window(2, i),
            .handle = handle,
        };
    }
    ops[3] = ops[1];
    machine_page_flushes = 0;
    world_domain[2]->space->base.live_cpus = 1;
    machine_at_flush = watch_page;
    grant_unmap(world_domain[2], ops, 4);
    machine_at_flush = NULL;
    world_domain[2]->space->base.live_cpus = 0;
    EXPECT_EQ(machine_page_flushes, 3);
    EXPECT_EQ(marks_at_flush, GTF_reading | GTF_writing);
    EXPECT_EQ(world_refs(1, 2), 1);
    EXPECT_EQ(world_domain[1]->refs, 1);
    for (int i = 0; i < 3; i++)
        EXPECT_EQ(ops[i].status, GNTST_okay);
    EXPECT_EQ(ops[3].status, GNTST_bad_handle);
    EXPECT_EQ(world_domain[2]->grants->maptrack_used, 0);
}

TEST("machine addresses are for domains with devices only")
{
    struct gnttab_map_grant_ref op = {
        .host_addr = world_window(3, 0),
        .flags = RW | GNTMAP_device_map,
        .ref = REF,
        .dom = 1,
    };
    struct gnttab_unmap_grant_ref end = {0};

    world_give(1, REF, 3, 5, GTF_permit_access);
    world_domain[3]->rights = DOMAIN_RIGHT_DEVICE;
    grant_map(world_domain[3], &op);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(op.dev_bus_addr, pte_mfn(world_window_leaf(3, 0)).raw << 12);

    end.handle = op.handle;
    end.host_addr = op.host_addr;
    grant_unmap(world_domain[3], &end, 1);
    EXPECT_EQ(end.status, GNTST_okay);
    EXPECT_EQ(world_refs(1, 5), 2); /* The device still has it. */
    end.host_addr = 0;
    end.dev_bus_addr = op.dev_bus_addr + PAGE_SIZE;
    grant_unmap(world_domain[3], &end, 1);
    EXPECT_EQ(end.status, GNTST_bad_dev_addr);
    end.dev_bus_addr = op.dev_bus_addr;
    /* Another vCPU may have unmapped the address, and be about to flush. */
    machine_full_flushes = 0;
    world_domain[3]->space->base.live_cpus = 1;
    grant_unmap(world_domain[3], &end, 1);
    world_domain[3]->space->base.live_cpus = 0;
    EXPECT_EQ(end.status, GNTST_okay);
    EXPECT_EQ(machine_full_flushes, 1);
    EXPECT_EQ(world_refs(1, 5), 1);

    world_give(1, REF, 2, 5, GTF_permit_access);
    op.host_addr = world_window(2, 0);
    op.flags = RW;
    grant_map(world_domain[2], &op);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(op.dev_bus_addr, 0);
}

TEST("map tracking is limited, and what was freed can be had again")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    for (uint32_t i = 0; i < MAPTRACK_SIZE; i++)
        EXPECT_EQ(world_map(2, 1, REF, i, RO, &handle), GNTST_okay);
    EXPECT_EQ(world_map(2, 1, REF, MAPTRACK_SIZE, RO, &handle), GNTST_no_space);
    EXPECT_EQ(world_unmap(2, 7, 7), GNTST_okay);
    EXPECT_EQ(world_map(2, 1, REF, 7, RO, &handle), GNTST_okay);
    EXPECT_EQ(handle, 7);
}

TEST("the granter dies first: the frame stays until the mapper unmaps")
{
    struct frame *f;

    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    f = mfn_to_frame(pte_mfn(world_window_leaf(2, 0)));
    world_kill(1);
    EXPECT_EQ(world_records, 3);
    EXPECT_EQ(f->refs, 1);
    EXPECT_EQ(f->owner, 1);
    world_create(1); /* The id may be another's by now. */
    EXPECT_EQ(world_map(2, 1, REF, 1, RW, &handle), GNTST_general_error);
    EXPECT_EQ(world_unmap(2, 0, 0), GNTST_okay);
    EXPECT_EQ(f->refs, 0);
    EXPECT_EQ(world_records, 3);
}

TEST("the mapper dies: all its mappings are undone")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    world_give(3, REF, 2, 6, GTF_permit_access);
    for (uint32_t i = 0; i < 8; i++)
        EXPECT_EQ(world_map(2, i % 2 ? 1 : 3, REF, i, RW, &handle), GNTST_okay);
    world_kill(2);
    EXPECT_EQ(world_records, 2);
    EXPECT_EQ(marks(1, REF) | marks(3, REF), 0);
    EXPECT_EQ(world_refs(1, 5), 1);
    EXPECT_EQ(world_refs(3, 6), 1);
}

TEST("both die, granter first, and a domain that maps its own grant")
{
    world_give(1, REF, 2, 5, GTF_permit_access);
    world_give(2, REF, 2, 6, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    EXPECT_EQ(world_map(2, 2, REF, 1, RW, &handle), GNTST_okay);
    world_kill(1);
    world_kill(2);
    EXPECT_EQ(world_records, 1);
}

TEST("a dying domain's table is closed to who still holds the record")
{
    struct domain *d = domain_get(1);
    struct gnttab_copy op = {
        .source = {.u.ref = REF, .domid = 1},
        .dest = {.u.gmfn = 0, .domid = DOMID_SELF},
        .len = 8,
        .flags = GNTCOPY_source_gref,
    };

    world_give(1, REF, 2, 5, GTF_permit_access);
    world_kill(1);
    world_domain[1] = d; /* As if it had been looked up before. */
    grant_copy(world_domain[2], &op);
    EXPECT_EQ(op.status, GNTST_bad_domain);
    EXPECT_EQ(grant_grow(d, 2), -EINVAL);
    world_domain[1] = NULL;
    domain_put(d);
}

TEST("a dying domain maps nothing any more, whatever handles are free")
{
    struct domain *d = domain_get(2);
    struct gnttab_map_grant_ref op = {
        .host_addr = world_window(2, 0),
        .flags = RW,
        .ref = REF,
        .dom = 1,
    };

    world_give(1, REF, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, REF, 0, RW, &handle), GNTST_okay);
    EXPECT_EQ(world_unmap(2, 0, handle), GNTST_okay);
    world_kill(2);
    grant_map(d, &op);
    EXPECT_EQ(op.status, GNTST_no_space);
    EXPECT_EQ(marks(1, REF), 0);
    EXPECT_EQ(world_domain[1]->refs, 1);
    domain_put(d);
}

static int16_t copy(domid_t caller, struct gnttab_copy op)
{
    grant_copy(world_domain[caller], &op);
    return op.status;
}

TEST("a copy moves exactly its bytes, from and to grants and own pages")
{
    struct gnttab_copy op = {
        .source = {.u.ref = REF, .domid = 1, .offset = 100},
        .dest = {.u.gmfn = 9, .domid = DOMID_SELF, .offset = 4000},
        .len = 96,
        .flags = GNTCOPY_source_gref,
    };
    char *from = world_page(1, 5), *to = world_page(2, 9);

    world_give(1, REF, 2, 5, GTF_permit_access | GTF_readonly);
    for (int i = 0; i < 4096; i++)
        from[i] = (char)(i * 7);
    EXPECT_EQ(copy(2, op), GNTST_okay);
    EXPECT_MEM(to + 4000, from + 100, 96);
    EXPECT_EQ(to[3999], 0);
    EXPECT_EQ(marks(1, REF), 0);
    EXPECT_EQ(world_refs(1, 5), 1);
    EXPECT_EQ(world_refs(2, 9), 1);
    EXPECT_EQ(world_domain[1]->refs, 1);

    /* Between two grants, unaligned, to a page never touched. */
    world_give(3, REF, 2, 11, GTF_permit_access);
    op.dest.u.ref = REF;
    op.dest.domid = 3;
    op.dest.offset = 1;
    op.len = 4095;
    op.source.offset = 0;
    op.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
    EXPECT_EQ(copy(2, op), GNTST_okay);
    EXPECT_MEM(world_page(3, 11) + 1, from, 4095);
    EXPECT_EQ(world_page(3, 11)[0], 0);
    EXPECT_EQ(marks(3, REF), 0);

    /* Own pages only, and nothing at all. */
    op = (struct gnttab_copy){
        .source = {.u.gmfn = 9, .domid = DOMID_SELF, .offset = 4000},
        .dest = {.u.gmfn = 9, .domid = DOMID_SELF, .offset = 0},
        .len = 96,
    };
    EXPECT_EQ(copy(2, op), GNTST_okay);
    EXPECT_MEM(to, from + 100, 96);
    op.len = 0;
    op.source.offset = 4096;
    EXPECT_EQ(copy(2, op), GNTST_okay);
}

TEST("what a copy cannot be given, by status")
{
    const struct gnttab_copy good = {
        .source = {.u.ref = REF, .domid = 1},
        .dest = {.u.gmfn = 9, .domid = DOMID_SELF},
        .len = 64,
        .flags = GNTCOPY_source_gref,
    };
    struct gnttab_copy op;

    world_give(1, REF, 2, 5, GTF_permit_access | GTF_readonly);
    world_give(1, REF + 1, 3, 5, GTF_permit_access);
    protect(2, 1, LIGHT_PROT_read);
    protect(2, 2, LIGHT_PROT_execute);
    protect(2, 3, LIGHT_PROT_guard);

    op = good;
    op.source.offset = 4033;
    EXPECT_EQ(copy(2, op), GNTST_bad_copy_arg);
    op = good;
    op.dest.offset = 4033;
    EXPECT_EQ(copy(2, op), GNTST_bad_copy_arg);
    op.source.offset = 0xffff;
    op.dest.offset = 0xffff;
    op.len = 0xffff;
    EXPECT_EQ(copy(2, op), GNTST_bad_copy_arg);
    op = good;
    op.source.domid = 0;
    EXPECT_EQ(copy(2, op), GNTST_bad_domain);
    op = good;
    op.source.domid = DOMID_SELF; /* The caller's own grants, to itself. */
    EXPECT_EQ(copy(2, op), GNTST_general_error);
    op = good;
    op.source.u.ref = 1000;
    EXPECT_EQ(copy(2, op), GNTST_bad_gntref);
    op = good;
    op.source.u.ref = REF + 1;
    EXPECT_EQ(copy(2, op), GNTST_general_error);
    op = good;
    op.dest.domid = 2; /* Own pages are named by SELF. */
    EXPECT_EQ(copy(2, op), GNTST_permission_denied);
    op = good;
    op.dest.domid = 1;
    EXPECT_EQ(copy(2, op), GNTST_permission_denied);
    op = good;
    op.dest.u.gmfn = RAM_PAGES;
    EXPECT_EQ(copy(2, op), GNTST_bad_page);
    op = good;
    op.dest.u.gmfn = ~0UL;
    EXPECT_EQ(copy(2, op), GNTST_bad_page);
    for (op = good, op.dest.u.gmfn = 1; op.dest.u.gmfn < 4; op.dest.u.gmfn++)
        EXPECT_EQ(copy(2, op), GNTST_general_error);
    op = good;
    op.dest.u.ref = REF;
    op.dest.domid = 1;
    op.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref; /* Read-only. */
    EXPECT_EQ(copy(2, op), GNTST_general_error);

    EXPECT_EQ(marks(1, REF) | marks(1, REF + 1), 0);
    EXPECT_EQ(world_refs(1, 5), 1);
    EXPECT_EQ(world_domain[1]->refs, 1);
    EXPECT_FALSE(current->repeat);
}

TEST("a copy that finds no frame waits if it is the caller's page")
{
    struct gnttab_copy op = {
        .source = {.u.ref = REF, .domid = 1},
        .dest = {.u.gmfn = 9, .domid = DOMID_SELF},
        .len = 64,
        .flags = GNTCOPY_source_gref,
    };
    struct light_space *s = world_domain[2]->space;
    uint64_t promised = s->reserve_left;
    struct frame_totals now;

    world_give(1, REF, 2, 5, GTF_permit_access);
    (void)world_page(1, 6); /* Records of its table and pages exist. */
    EXPECT_EQ(copy(2, op), GNTST_okay);
    EXPECT_EQ(discard(s, 9, 1), 0);
    now = frame_totals();
    EXPECT_EQ(frame_reserve(now.unreserved), 0);
    s->reserve_left = 0; /* Beyond its promise. */
    current->domain = world_domain[2];
    percpu_slow_return = false;
    EXPECT_EQ(copy(2, op), GNTST_eagain);
    EXPECT_TRUE(current->repeat && current->wants_memory);
    EXPECT_EQ(marks(1, REF), 0);

    /* Without these it got its -EFAULT, and nobody ever woke it. */
    EXPECT_TRUE(percpu_slow_return);
    EXPECT_TRUE(frames_wanted);
    frames_wanted = false;
    s->reserve_left = promised;
    frame_unreserve(now.unreserved);
}

TEST("a table grows to its limit, at the places the guest is told")
{
    uint32_t frames, most, handles, most_handles;

    EXPECT_EQ(grant_grow(world_domain[1], TABLE_FRAMES + 1), -EINVAL);
    EXPECT_EQ(grant_grow(world_domain[1], ~0U), -EINVAL);
    EXPECT_EQ(grant_grow(world_domain[1], TABLE_FRAMES), 0);
    EXPECT_EQ(grant_grow(world_domain[1], 0), 0);
    grant_counts(world_domain[1], &frames, &most, &handles, &most_handles);
    EXPECT_EQ(frames, TABLE_FRAMES);
    EXPECT_EQ(most, TABLE_FRAMES);
    EXPECT_EQ(handles, 0);
    EXPECT_EQ(most_handles, MAPTRACK_SIZE);
    EXPECT_EQ(grant_frame_gfn(world_domain[1], 2),
              RAM_PAGES + LIGHT_SPECIAL_GRANT_TABLE + 2);
    world_give(1, TABLE_FRAMES * 512 - 1, 2, 5, GTF_permit_access);
    EXPECT_EQ(world_map(2, 1, TABLE_FRAMES * 512 - 1, 0, RW, &handle),
              GNTST_okay);
    EXPECT_EQ(world_map(2, 1, TABLE_FRAMES * 512, 1, RW, &handle),
              GNTST_bad_gntref);
}

static int seed(uint32_t ref, uint64_t g)
{
    struct control_seed_grant op = {.ref = ref, .to = 2, .gfn = g};

    return grant_seed(world_domain[1], &op);
}

TEST("console and store get their references from the builder")
{
    EXPECT_EQ(seed(GNTTAB_RESERVED_XENSTORE, 8), 0);
    EXPECT_EQ(seed(GNTTAB_NR_RESERVED, 8), -EINVAL);
    EXPECT_EQ(seed(0, RAM_PAGES), -EINVAL);
    EXPECT_EQ(seed(0, 1UL << 40), -EINVAL);
    EXPECT_EQ(world_map(2, 1, GNTTAB_RESERVED_XENSTORE, 0, RW, &handle),
              GNTST_okay);
    EXPECT_PTR(mfn_to_virt(pte_mfn(world_window_leaf(2, 0))), world_page(1, 8));
}
