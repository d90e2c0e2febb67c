/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random maps, unmaps, copies, entry changes and deaths against a model that
 * knows, for each entry, who has it pinned and how.
 *
 * The attack it stands for: a long history of mapping and unmapping after
 * which some count is off by one, and a frame is freed while it is mapped, or
 * never.
 */

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

#include "arch/x86_64/paging.h"
#include "doubles/discard.h"
#include "doubles/machine.h"
#include "grant/grant.h"
#include "grant/table.h"
#include "hypervisor/grant/world.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "test.h"

#define REFS  6U
#define PAGES 5U /* gfns lent; 0 read-only, 1 text, 2 guard */

/* What the model knows of a mapping; found by mapper and window page. */
struct mapping {
    bool mapped, write;
    grant_handle_t handle;
    unsigned int life; /* of the granter */
    domid_t from;
    grant_ref_t ref;
    struct frame *frame;
};

static struct mapping mapping[DOMAINS][WINDOW_PAGES];
static unsigned int life[DOMAINS]; /* how often it was created */
static uint64_t seed;

static unsigned int pick(unsigned int below)
{
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (unsigned int)(seed >> 33) % below;
}

struct pins {
    unsigned int all, writers;
    domid_t user;
    struct frame *frame;
};

static struct pins pins_of(domid_t from, grant_ref_t ref, unsigned int of_life)
{
    struct pins pins = {0};

    for (domid_t id = 1; id < DOMAINS; id++)
        for (unsigned int page = 0; page < WINDOW_PAGES; page++) {
            const struct mapping *m = &mapping[id][page];

            if (!m->mapped || m->from != from || m->ref != ref ||
                m->life != of_life)
                continue;
            pins.all++;
            pins.writers += m->write;
            pins.user = id;
            pins.frame = m->frame;
        }
    return pins;
}

static void protect_pages(domid_t id)
{
    struct light_space *s = world_domain[id]->space;

    EXPECT_EQ(light_protect(s, gfn(0), 1, LIGHT_PROT_read, true), 0);
    EXPECT_EQ(light_protect(s, gfn(1), 1, LIGHT_PROT_execute, true), 0);
    EXPECT_EQ(light_protect(s, gfn(2), 1, LIGHT_PROT_guard, true), 0);
}

/* The frame behind a page of a living domain, if it has one. */
static struct frame *frame_behind(domid_t id, uint32_t g)
{
    if (g >= PAGES || g == 2)
        return NULL;
    return mfn_to_frame(virt_to_mfn(world_page(id, g)));
}

static int16_t pin_status(domid_t user, domid_t from, grant_ref_t ref,
                          bool write)
{
    struct pins pins = pins_of(from, ref, life[from]);
    const struct grant_entry_v1 *e = world_entry(from, ref);

    if (pins.all && pins.user != user)
        return GNTST_general_error;
    if (pins.all && (!write || pins.writers))
        return GNTST_okay;
    if ((e->flags & GTF_type_mask) != GTF_permit_access || e->domid != user ||
        (write && (e->flags & GTF_readonly)))
        return GNTST_general_error;
    if (e->frame >= RAM_PAGES)
        return GNTST_bad_page;
    if (e->frame == 2 || (write && e->frame < 2))
        return GNTST_general_error;
    if (pins.all && pins.frame != frame_behind(from, e->frame))
        return GNTST_general_error;
    return GNTST_okay;
}

static unsigned int handles_used(domid_t id)
{
    unsigned int used = 0;

    for (unsigned int page = 0; page < WINDOW_PAGES; page++)
        used += mapping[id][page].mapped;
    return used;
}

static int16_t map_status(domid_t user, domid_t from, grant_ref_t ref,
                          bool write, unsigned int page)
{
    int16_t status;

    if (!world_domain[from])
        return GNTST_bad_domain;
    if (handles_used(user) == MAPTRACK_SIZE)
        return GNTST_no_space;
    status = pin_status(user, from, ref, write);
    if (status)
        return status;
    return mapping[user][page].mapped ? GNTST_general_error : GNTST_okay;
}

static void step_map(void)
{
    domid_t user = (domid_t)(1 + pick(3)), from = (domid_t)(1 + pick(3));
    unsigned int page = pick(WINDOW_PAGES);
    grant_ref_t ref = 8 + pick(REFS);
    bool write = pick(2);
    struct mapping *m = &mapping[user][page];
    grant_handle_t handle;
    int16_t want, status;

    if (!world_domain[user])
        return;
    want = map_status(user, from, ref, write, page);
    status =
        world_map(user, from, ref, page,
                  GNTMAP_host_map | (write ? 0 : GNTMAP_readonly), &handle);
    EXPECT_EQ(status, want);
    if (status)
        return;
    *m = (struct mapping){
        .mapped = true,
        .write = write,
        .handle = handle,
        .life = life[from],
        .from = from,
        .ref = ref,
        .frame = mfn_to_frame(pte_mfn(world_window_leaf(user, page))),
    };
}

static void step_unmap(void)
{
    domid_t user = (domid_t)(1 + pick(3));
    unsigned int page = pick(WINDOW_PAGES);
    struct mapping *m = &mapping[user][page];

    if (!world_domain[user] || !m->mapped)
        return;
    if (pick(8) == 0) {
        unsigned int other = (page + 1 + pick(WINDOW_PAGES - 1)) % WINDOW_PAGES;

        EXPECT_EQ(world_unmap(user, other, m->handle), GNTST_general_error);
        return;
    }
    EXPECT_EQ(world_unmap(user, page, m->handle), GNTST_okay);
    EXPECT_EQ(world_unmap(user, page, m->handle), GNTST_bad_handle);
    m->mapped = false;
}

static void step_copy(void)
{
    domid_t user = (domid_t)(1 + pick(3)), from = (domid_t)(1 + pick(3));
    grant_ref_t ref = 8 + pick(REFS);
    bool write = pick(2);
    struct gnttab_copy op = {.len = 16};
    struct gnttab_copy_ptr lent = {.u.ref = ref, .domid = from};
    struct gnttab_copy_ptr own = {.u.gmfn = 10, .domid = DOMID_SELF};
    int16_t want = GNTST_bad_domain;

    if (!world_domain[user])
        return;
    if (world_domain[from])
        want = pin_status(user, from, ref, write);
    op.source = write ? own : lent;
    op.dest = write ? lent : own;
    op.flags = write ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
    grant_copy(world_domain[user], &op);
    EXPECT_EQ(op.status, want);
}

/* A hostile granter keeps the marks, or wipes them: both must be harmless. */
static void step_entry(void)
{
    static const uint16_t flags[] = {
        0,
        GTF_permit_access,
        GTF_permit_access,
        GTF_permit_access | GTF_readonly,
        GTF_accept_transfer,
        0xffff,
    };
    domid_t from = (domid_t)(1 + pick(3));
    grant_ref_t ref = 8 + pick(REFS);
    uint16_t marks = 0;

    if (!world_domain[from])
        return;
    if (pick(2))
        marks = world_entry(from, ref)->flags & (GTF_reading | GTF_writing);
    world_give(from, ref, (domid_t)(1 + pick(3)),
               pick(10) ? pick(PAGES) : 100000, flags[pick(6)] | marks);
}

static void step_discard(void)
{
    domid_t id = (domid_t)(1 + pick(3));

    if (world_domain[id])
        (void)!discard(world_domain[id]->space, pick(PAGES), 1);
}

static void step_death(void)
{
    domid_t id = (domid_t)(1 + pick(3));

    if (world_domain[id]) {
        world_kill(id);
        memset(mapping[id], 0, sizeof(mapping[id]));
        return;
    }
    world_create(id);
    protect_pages(id);
    life[id]++;
}

/* Every frame that is mapped has the references that the model counts. */
static void check_frames(void)
{
    for (domid_t id = 1; id < DOMAINS; id++)
        for (unsigned int page = 0; page < WINDOW_PAGES; page++) {
            const struct mapping *m = &mapping[id][page];
            uint32_t refs = 0, typed = 0;

            if (!m->mapped)
                continue;
            for (domid_t i = 1; i < DOMAINS; i++)
                for (unsigned int p = 0; p < WINDOW_PAGES; p++) {
                    const struct mapping *o = &mapping[i][p];

                    if (!o->mapped || o->frame != m->frame)
                        continue;
                    refs++;
                    typed += o->write;
                }
            if (m->life == life[m->from] && world_domain[m->from]) {
                refs++;
                typed += frame_type_count(m->frame) > typed;
            }
            EXPECT_EQ(m->frame->refs, refs);
            EXPECT_EQ(frame_type_count(m->frame), typed);
            EXPECT_PTR(mfn_to_frame(pte_mfn(world_window_leaf(id, page))),
                       m->frame);
            EXPECT_EQ(!!(world_window_leaf(id, page) & PTE_WRITE), m->write);
        }
}

TEST("two hundred thousand steps agree with the model, and all is returned")
{
    seed = 1;
    world_make();
    for (domid_t id = 1; id < DOMAINS; id++) {
        protect_pages(id);
        life[id]++;
    }
    for (int step = 0; step < 200000; step++) {
        unsigned int what = pick(1000);

        /* The short ways and the long ones must agree. */
        machine_locks_contended = pick(3) == 0;
        if (what < 350)
            step_map();
        else if (what < 650)
            step_unmap();
        else if (what < 800)
            step_copy();
        else if (what < 950)
            step_entry();
        else if (what < 995)
            step_discard();
        else
            step_death();
        if (step % 64 == 0)
            check_frames();
    }
    machine_locks_contended = false;
    for (domid_t id = 1; id < DOMAINS; id++)
        memset(mapping[id], 0, sizeof(mapping[id]));
    EXPECT_TRUE(world_unmake());
    EXPECT_EQ(machine_locks_held(), 0);
}
