/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The search for stale translations.  One vCPU takes pages away, from the
 * domain or a right to them, while others use them as fast as they can.  Once
 * the call has returned no vCPU, on whatever CPU, may use what was taken.
 *
 * On one CPU the vCPUs take turns, and little can go wrong; more of them are
 * the emulator's option -smp.
 */

#include <string.h>

#include <abi/hypercall.h>
#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define ONLY_CAIRN SKIP_ON_XEN("class light is Cairn's")

#define ROUNDS  12U
#define TURN    32U /* accesses between two looks at who else wants the CPU */
#define REF     24U
#define TAGGED  16U /* pages that are discarded together */
#define FOREIGN 0xbUL

PAGES(pages, TAGGED);
PAGES(page, 1);

/* --- The others ----------------------------------------------------------- */

static volatile bool stop;

/* Odd: what is attempted is taken away. */
static volatile uint64_t phase;

static void (*attempt)(void *target);
static void *volatile target;

static volatile uint64_t accesses[VCPU_COUNT];
static uint64_t stale[VCPU_COUNT];

static void read_at(void *address)
{
    *(volatile uint64_t *)address;
}

static void write_at(void *address)
{
    *(volatile uint64_t *)address = vcpu_self();
}

static void worker(uint64_t unused)
{
    unsigned int self = vcpu_self();

    (void)unused;
    while (!stop) {
        for (unsigned int i = 0; i < TURN; i++) {
            uint64_t before = phase;
            bool allowed = !fault_probe(attempt, target);

            stale[self] += allowed && phase == before && before % 2 == 1;
            accesses[self]++;
        }
        vcpu_yield();
    }
}

/* Until each of them has looked again: none is in an access begun before. */
static void let_them_try(void)
{
    for (unsigned int id = 1; id < VCPU_COUNT; id++) {
        uint64_t seen = accesses[id];

        YIELD_UNTIL(accesses[id] > seen + 2);
    }
}

static bool begin(vcpu_fn *fn)
{
    bool started = true;

    stop = false;
    phase = 0;
    for (unsigned int id = 1; id < VCPU_COUNT; id++) {
        stale[id] = 0;
        started = started && vcpu_start(id, fn, 0);
    }
    return started;
}

static uint64_t end(void)
{
    uint64_t found = 0;

    stop = true;
    for (unsigned int id = 1; id < VCPU_COUNT; id++) {
        EXPECT_TRUE(vcpu_wait(id));
        found += stale[id];
    }
    return found;
}

/* --- Rights that are taken away ------------------------------------------- */

struct taking {
    void (*attempt)(void *target);
    void *(*where)(void);
    bool (*take)(void);
    bool (*give)(void);
};

static void *at_page(void)
{
    return page;
}

static bool protect(uint32_t prot)
{
    struct light_protect op = {.gfn = frame_of(page), .count = 1, .prot = prot};

    return hypercall_light_op(LIGHT_OP_protect, &op) == 0;
}

static bool make_guard(void)
{
    return protect(LIGHT_PROT_guard);
}

static bool make_readonly(void)
{
    return protect(LIGHT_PROT_read);
}

static bool make_writable(void)
{
    return protect(LIGHT_PROT_read_write);
}

static grant_handle_t handle;

static void *at_slot(void)
{
    return (void *)(uintptr_t)grant_slot(0);
}

static bool unmap(void)
{
    return grant_unmap(handle, grant_slot(0)) == GNTST_okay;
}

static bool map(void)
{
    struct gnttab_map_grant_ref op;

    grant_give(REF, own_domid, page, 0);
    op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
    handle = op.handle;
    return op.status == GNTST_okay;
}

static bool move_table(uint64_t gfn)
{
    struct xen_add_to_physmap op = {
        .domid = DOMID_SELF, .space = XENMAPSPACE_grant_table, .gpfn = gfn};

    return hypercall_memory_op(XENMEM_add_to_physmap, &op) == 0;
}

static uint64_t table_home(void)
{
    return layout.special_gfn + LIGHT_SPECIAL_GRANT_TABLE;
}

static void *at_table(void)
{
    return (void *)(uintptr_t)(layout.virt_base + table_home() * PAGE_SIZE);
}

static bool move_away(void)
{
    return move_table(frame_of(page));
}

static bool move_home(void)
{
    return move_table(table_home());
}

static const struct taking takings[] = {
    {read_at, at_page, make_guard, make_writable},
    {write_at, at_page, make_guard, make_writable},
    {write_at, at_page, make_readonly, make_writable},
    {read_at, at_slot, unmap, map},
    {write_at, at_slot, unmap, map},
    {read_at, at_table, move_away, move_home},
};

static uint64_t take_and_give(uint64_t which)
{
    const struct taking *t = &takings[which];
    uint64_t found;

    if (!grants_init() || (t->give == map && !map()))
        return ~0UL;
    attempt = t->attempt;
    target = t->where();
    if (!begin(worker))
        return ~0UL;
    for (unsigned int i = 0; i < ROUNDS; i++) {
        let_them_try();
        EXPECT_TRUE(t->take());
        phase++;
        let_them_try();
        phase++;
        EXPECT_TRUE(t->give());
    }
    found = end();
    return found;
}

static void in_child_of_four(child_fn *fn, uint64_t argument)
{
    static const struct child_limits limits = {.vcpus = VCPU_COUNT};
    struct child child;

    if (!child_start(&child, &limits, fn, argument))
        return;
    EXPECT_TRUE(child_wait(&child));
    EXPECT_TRUE(child.finished);
    EXPECT_EQ(child.result, 0);
    child_destroy(&child);
}

TEST("no stale reading of a page that was made a guard")
{
    ONLY_CAIRN;
    in_child_of_four(take_and_give, 0);
}

TEST("no stale writing to a page that was made a guard")
{
    ONLY_CAIRN;
    in_child_of_four(take_and_give, 1);
}

TEST("no stale writing to a page that was made read-only")
{
    ONLY_CAIRN;
    in_child_of_four(take_and_give, 2);
}

TEST("no stale reading of a grant that was unmapped")
{
    ONLY_CAIRN;
    in_child_of_four(take_and_give, 3);
}

TEST("no stale writing to a grant that was unmapped")
{
    ONLY_CAIRN;
    in_child_of_four(take_and_give, 4);
}

TEST("no stale reading of a grant table where it was")
{
    ONLY_CAIRN;
    in_child_of_four(take_and_give, 5);
}

/* --- Frames that are taken away ------------------------------------------- */

/*
 * Word 0 of a page is written by vCPU 0, word N by vCPU N: which page it is,
 * and in word 0 the generation, too.  Frames come back as other pages, or as
 * another domain's.
 */
#define WORDS ((uint64_t)VCPU_COUNT)

/* Generations below are discarded. */
static volatile uint64_t alive_from;

static volatile uint64_t *word_of(uint64_t which, uint64_t word)
{
    return (volatile uint64_t *)(void *)(pages + which * PAGE_SIZE) + word;
}

static uint64_t tag_of(uint64_t generation, uint64_t which)
{
    return generation << 8 | which;
}

/* How many words of page @which are not its own, or of those before. */
static uint64_t look_at(uint64_t which)
{
    uint64_t from = alive_from, found = 0;

    for (uint64_t word = 0; word < WORDS; word++) {
        uint64_t tag = *word_of(which, word);

        found += tag != 0 && (tag % 256 != which || tag >> 8 < from);
        from = 0; /* of the other words any generation is right */
    }
    return found;
}

static void tagger(uint64_t unused)
{
    unsigned int self = vcpu_self();

    (void)unused;
    for (uint64_t i = self; !stop; i++) {
        uint64_t which = i * 7 % TAGGED;

        stale[self] += look_at(which);
        *word_of(which, self) = tag_of(1, which);
        accesses[self]++;
        if (i % TURN == 0)
            vcpu_yield();
    }
}

static bool discard_range(void)
{
    struct light_discard op = {.gfn = frame_of(pages), .count = TAGGED};

    return hypercall_light_op(LIGHT_OP_discard, &op) == 0;
}

static bool decrease(void)
{
    uint64_t list[TAGGED];
    struct xen_memory_reservation op = {.extent_start = hypercall_ptr(list),
                                        .nr_extents = TAGGED,
                                        .domid = DOMID_SELF};

    for (uint64_t i = 0; i < TAGGED; i++)
        list[i] = frame_of(pages + i * 5 % TAGGED * PAGE_SIZE);
    return hypercall_memory_op(XENMEM_decrease_reservation, &op) == TAGGED;
}

/* Some, each by itself: flushed page by page, and then the rest. */
static bool discard_pages(void)
{
    bool done = true;

    for (uint64_t i = 0; i < TAGGED; i += 5) {
        struct light_discard op = {.gfn = frame_of(pages) + i, .count = 1};

        done = done && hypercall_light_op(LIGHT_OP_discard, &op) == 0;
    }
    return done && discard_range();
}

static bool (*const discards[])(void) = {discard_range, decrease,
                                         discard_pages};

static uint64_t tag_and_discard(uint64_t which)
{
    uint64_t found = 0;

    alive_from = 0;
    if (!begin(tagger))
        return ~0UL;
    for (uint64_t generation = 1; generation <= ROUNDS; generation++) {
        for (uint64_t i = 0; i < TAGGED; i++) {
            uint64_t at = (i + generation) % TAGGED;

            found += look_at(at);
            *word_of(at, 0) = tag_of(generation, at);
        }
        let_them_try();
        EXPECT_TRUE(discards[which]());
        alive_from = generation + 1;
    }
    return end() + found;
}

TEST("no stale page after a range was discarded")
{
    ONLY_CAIRN;
    in_child_of_four(tag_and_discard, 0);
}

TEST("no stale page after a reservation was decreased")
{
    ONLY_CAIRN;
    in_child_of_four(tag_and_discard, 1);
}

TEST("no stale page after pages were discarded one by one")
{
    ONLY_CAIRN;
    in_child_of_four(tag_and_discard, 2);
}

/* --- Another domain's frames ---------------------------------------------- */

/* Tags no page of the other domain has, and nobody else writes them. */
static uint64_t keep_and_discard(uint64_t unused)
{
    uint64_t found = 0;

    (void)unused;
    for (uint64_t round = 0; round < 20 * ROUNDS; round++) {
        for (uint64_t i = 0; i < TAGGED; i++)
            for (uint64_t word = 0; word < WORDS; word++) {
                found += *word_of(i, word) != 0;
                *word_of(i, word) = tag_of(round, FOREIGN << 4 | i);
            }
        vcpu_yield();
        for (uint64_t i = 0; i < TAGGED; i++)
            for (uint64_t word = 0; word < WORDS; word++)
                found += *word_of(i, word) != tag_of(round, FOREIGN << 4 | i);
        EXPECT_TRUE(discard_range());
    }
    return found;
}

TEST("no stale page in the hands of another domain")
{
    static const struct child_limits limits = {.vcpus = VCPU_COUNT};
    struct child giver, taker;

    ONLY_CAIRN;
    if (!child_start(&taker, NULL, keep_and_discard, 0))
        return;
    if (child_start(&giver, &limits, tag_and_discard, 0)) {
        EXPECT_TRUE(child_wait(&giver));
        EXPECT_TRUE(giver.finished);
        EXPECT_EQ(giver.result, 0);
        child_destroy(&giver);
    }
    EXPECT_TRUE(child_wait(&taker));
    EXPECT_TRUE(taker.finished);
    EXPECT_EQ(taker.result, 0);
    child_destroy(&taker);
}
