/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random operations on the tables of a domain of class pv against a model that
 * keeps nothing but what was asked for: pins, holds, and who owns what.  From
 * that and the tables' contents it says what is a table of which level, how
 * often each frame is referred to, and what must be refused.
 */

/* LINK: hypervisor/memory/pv_space.c hypervisor/memory/page_type.c */
/* LINK: hypervisor/memory/page_entry.c hypervisor/memory/descriptor.c */
/* LINK: hypervisor/memory/pv_check.c hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/frame.c */
/* LINK: hypervisor/memory/buddy.c tests/unit/doubles/machine.c */
/* LINK: tests/unit/doubles/smp.c tests/unit/doubles/m2p.c */

#include "memory/pv_space.h"

#include "arch/x86_64/paging.h"
#include "doubles/machine.h"
#include "memory/entry_near.h"
#include "memory/page_entry.h"
#include "memory/page_type.h"
#include "test.h"

#define FRAMES 24U
#define END    (MACHINE_FIRST + FRAMES)
#define DOMAIN 7
#define STEPS  60000U

static struct pv_space space;
static unsigned int failures;

/* --- The model ---------------------------------------------------------------
 */

static bool owned[END]; /* not given up */
static bool pinned[END];
static unsigned int bases[END];   /* holds as an L4 */
static unsigned int writers[END]; /* holds as writable, from outside */
static unsigned int readers[END]; /* holds as nothing */

/* What follows from it; recomputed at need. */
static struct need {
    enum frame_type type[END];
    unsigned int typed[END], plain[END];
} now;

/* Where entries are: the guest's, and what an L4 has had of the hypervisor. */
static const unsigned int slots[] = {0,   1,   7,   8,   100, 255,
                                     300, 510, 511, 256, 257, 258,
                                     259, 260, 261, 262, 263};
#define SLOTS (sizeof(slots) / sizeof(*slots))

static uint64_t *entries(unsigned int m)
{
    return mfn_to_virt(mfn(m));
}

static bool is_ours(uint64_t m)
{
    return m >= MACHINE_FIRST && m < END && owned[m];
}

static bool legal(unsigned int level, uint64_t e)
{
    return !(e & (PTE_PWT | PTE_PCD | PTE_LARGE)) &&
           !(level > 1 && e & PTE_GLOBAL);
}

static bool is_own(unsigned int level, unsigned int slot)
{
    return level == 4 && slot >= 256 && slot < 272;
}

static bool take(struct need *n, uint64_t m, enum frame_type type, bool fresh);

/* What entry @e of a table needs; @fresh: it was not in use before. */
static bool take_entry(struct need *n, unsigned int level, uint64_t e,
                       bool fresh)
{
    uint64_t m = pte_mfn(e).raw;

    if (!(e & PTE_PRESENT))
        return true;
    if (fresh && (!legal(level, e) || !is_ours(m)))
        return false;
    if (level > 1)
        return take(n, m, (enum frame_type)(level - 1), fresh);
    if (e & PTE_WRITE)
        return take(n, m, FRAME_WRITABLE, fresh);
    n->plain[m]++;
    return true;
}

static bool take(struct need *n, uint64_t m, enum frame_type type, bool fresh)
{
    if (n->typed[m] && n->type[m] != type)
        return false;
    n->type[m] = type;
    if (n->typed[m]++ || type > FRAME_L4)
        return true;
    for (unsigned int i = 0; i < SLOTS; i++)
        if (!is_own(type, slots[i]) &&
            !take_entry(n, type, entries((unsigned int)m)[slots[i]], fresh))
            return false;
    return true;
}

static void compute(void)
{
    memset(&now, 0, sizeof(now));
    for (unsigned int m = MACHINE_FIRST; m < END; m++) {
        enum frame_type type =
            frame_type(mfn_to_frame(mfn(m))); /* of a pin, only */
        bool ok = true;

        if (pinned[m])
            ok = take(&now, m, type, false);
        for (unsigned int i = 0; i < bases[m]; i++)
            ok &= take(&now, m, FRAME_L4, false);
        for (unsigned int i = 0; i < writers[m]; i++)
            ok &= take(&now, m, FRAME_WRITABLE, false);
        now.plain[m] += readers[m];
        failures += !ok;
    }
}

static bool could_take(uint64_t m, enum frame_type type)
{
    struct need n = now;

    return is_ours(m) && take(&n, m, type, true);
}

/* A page that was given up and is not referred to any more is nobody's. */
static void compare(const char *what)
{
    uint64_t pages = 0;

    compute();
    for (unsigned int m = MACHINE_FIRST; m < END; m++) {
        const struct frame *f = mfn_to_frame(mfn(m));
        bool table = now.typed[m] && now.type[m] <= FRAME_L4;
        uint32_t refs = owned[m] + now.typed[m] + now.plain[m] + table;
        uint32_t info = now.typed[m] | (table ? FRAME_HELD : 0) |
                        (pinned[m] ? FRAME_PINNED : 0);

        pages += refs != 0;
        if (f->refs == refs &&
            (!refs || (f->type_info & ~FRAME_TYPE_MASK) == info) &&
            (!now.typed[m] || frame_type(f) == now.type[m]))
            continue;
        if (!failures++)
            printf("after %s: frame %u has refs %u, type %#x; should be %u, "
                   "%#x of type %u\n",
                   what, m, f->refs, f->type_info, refs, info, now.type[m]);
    }
    if (space.pages != pages && !failures++)
        printf("after %s: %lu pages, should be %lu\n", what, space.pages,
               pages);
    failures += space.dropping != DROP_END;
}

/* --- Operations --------------------------------------------------------------
 */

static uint32_t seed = 12345;

static uint32_t below(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * n >> 24);
}

static unsigned int any_frame(void)
{
    return MACHINE_FIRST + below(FRAMES);
}

static unsigned int any_slot(void)
{
    return slots[below(below(20) ? 9 : SLOTS)];
}

static int quantum(void)
{
    return 120 + (int)below(below(2) ? 60 : 1500);
}

static uint64_t any_entry(void)
{
    static const uint64_t extra[] = {
        0,       PTE_ACCESSED, PTE_DIRTY, PTE_NX, PTE_GLOBAL,
        PTE_PCD, PTE_LARGE,    1UL << 9,  0,      PTE_GUEST_KERNEL,
    };
    uint64_t e = pte_make(mfn(below(40) ? any_frame() : END), 0);

    e |= below(8) ? PTE_PRESENT : 0;
    e |= below(3) ? PTE_WRITE : 0;
    e |= below(2) ? PTE_USER : 0;
    return e | (below(3) ? 0 : extra[below(10)]);
}

static struct page_work work;

#define CALL(call)                                                             \
    ({                                                                         \
        int rc_;                                                               \
                                                                               \
        do {                                                                   \
            work.left = quantum();                                             \
            rc_ = (call);                                                      \
        } while (rc_ == -EAGAIN);                                              \
        rc_;                                                                   \
    })

static void expect(bool ok, bool want, const char *what)
{
    if (ok != want && !failures++)
        printf("%s: %s, should be %s\n", what, ok ? "done" : "refused",
               want ? "done" : "refused");
}

static void do_populate(void)
{
    mfn_t m = pv_populate(&space, 1);

    if (mfn_eq(m, MFN_NONE))
        return;
    owned[m.raw] = true;
}

static void do_release(void)
{
    unsigned int m = any_frame();
    bool want = owned[m] && !pinned[m];

    if (below(4))
        return;
    expect(pv_release(&space, mfn(m)) == 0, want, "release");
    if (want)
        owned[m] = false;
}

/* The guest writes to a page of its own by itself. */
static void do_store(void)
{
    unsigned int m = any_frame();

    if (owned[m] && !(mfn_to_frame(mfn(m))->type_info & FRAME_HELD))
        entries(m)[any_slot()] = below(4) ? any_entry() : 0;
}

static void do_clear(void)
{
    unsigned int m = any_frame();

    if (owned[m] && !(mfn_to_frame(mfn(m))->type_info & FRAME_HELD))
        memset(entries(m), 0, PAGE_SIZE);
}

static void do_set(void)
{
    unsigned int m = any_frame(), slot = any_slot();
    unsigned int level = now.typed[m] && now.type[m] <= FRAME_L4 && below(20)
                             ? now.type[m]
                             : 1 + below(4);
    uint64_t e = below(4) ? any_entry() : 0, old = entries(m)[slot];
    bool near = level == 1 && below(2);
    bool same = e & old & PTE_PRESENT && legal(level, e) &&
                !((old ^ entry_adjust(level, e)) & ~PTE_FREE);
    struct need n = now;
    bool want = owned[m] && now.typed[m] && now.type[m] == level &&
                !is_own(level, slot) &&
                (same || take_entry(&n, level, e, true));
    int rc;

    if (near && want &&
        entry_near_set(&space, &entries(m)[slot], e, false,
                       below(2) ? &old : NULL))
        rc = 0;
    else
        rc =
            CALL(entry_set(&space, mfn(m), level, slot, e, false, NULL, &work));
    expect(rc == 0, want, "set");
    if (want &&
        entries(m)[slot] != (e & PTE_PRESENT ? entry_adjust(level, e) : e))
        failures++;
}

static void do_pin(void)
{
    unsigned int m = any_frame();
    enum frame_type type = (enum frame_type)(FRAME_L1 + below(4));
    bool want = could_take(m, type) && !pinned[m];

    expect(CALL(page_pin(&space, mfn(m), type, &work)) == 0, want, "pin");
    pinned[m] |= want;
}

static void do_unpin(void)
{
    unsigned int m = any_frame();
    bool want = owned[m] && pinned[m];

    expect(page_unpin(&space, mfn(m)) == 0, want, "unpin");
    if (want)
        pinned[m] = false;
}

static void do_base(void)
{
    unsigned int m = any_frame();
    bool want = could_take(m, FRAME_L4);

    expect(CALL(page_get_type(&space, mfn(m), FRAME_L4, &work)) == 0, want,
           "base");
    bases[m] += want;
}

static void do_base_drop(void)
{
    unsigned int m = any_frame();

    if (!bases[m])
        return;
    bases[m]--;
    page_put_type(&space, mfn_to_frame(mfn(m)));
}

static void do_hold(void)
{
    unsigned int m = any_frame();
    bool write = below(2),
         want = write ? could_take(m, FRAME_WRITABLE) : owned[m];
    struct frame *f;

    expect(pv_get_frame(&space, mfn(m), write, &f) == 0, want, "hold");
    if (want)
        (write ? writers : readers)[m]++;
}

/* Who lets go last of what was given up takes it off the domain's bill. */
static void do_let_go(void)
{
    unsigned int m = any_frame();
    struct frame *f = mfn_to_frame(mfn(m));
    bool write = below(2);
    unsigned int *holds = write ? writers : readers;

    if (!holds[m])
        return;
    holds[m]--;
    if (f->refs == 1)
        pv_frame_paid(&space, f);
    frame_let_go(f, write);
}

/* A validation with which nobody goes on. */
static void do_give_up(void)
{
    unsigned int m = any_frame();
    enum frame_type type = (enum frame_type)(FRAME_L2 + below(3));

    work.left = (int)below(200);
    if (page_get_type(&space, mfn(m), type, &work) == 0)
        page_put_type(&space, mfn_to_frame(mfn(m)));
    pv_check_frames();
    for (m = MACHINE_FIRST; m < END; m++)
        page_queue_idle(&space, mfn_to_frame(mfn(m)));
}

static const struct {
    void (*run)(void);
    const char *name;
    unsigned int weight;
} operations[] = {
    {do_populate, "populate", 3}, {do_release, "release", 2},
    {do_store, "store", 12},      {do_clear, "clear", 4},
    {do_set, "set", 10},          {do_pin, "pin", 5},
    {do_unpin, "unpin", 4},       {do_base, "base", 2},
    {do_base_drop, "drop", 2},    {do_hold, "hold", 1},
    {do_let_go, "let go", 2},     {do_give_up, "give up", 2},
};

#define OPERATIONS (sizeof(operations) / sizeof(*operations))

static void one_step(void)
{
    unsigned int n = below(49), i = 0;

    while (n >= operations[i].weight)
        n -= operations[i++].weight;
    operations[i].run();
    pv_check_frames();
    if (CALL(page_drop(&space, &work)))
        failures++;
    compare(operations[i].name);
    pv_check_frames();
}

TEST("types and counts are what pins, holds and contents say")
{
    unsigned int tables = 0, deep = 0;

    machine_make(FRAMES);
    frames_add(mfn(MACHINE_FIRST), FRAMES);
    for (unsigned int round = 0; round < 6; round++) {
        seed += round * 7919;
        EXPECT_EQ(pv_space_create(&space, DOMAIN, 4, FRAMES - 2), 0);
        for (unsigned int s = 0; s < STEPS / 6 && !failures; s++) {
            one_step();
            for (unsigned int m = MACHINE_FIRST; m < END; m++) {
                tables += now.typed[m] && now.type[m] <= FRAME_L4;
                deep += now.typed[m] && now.type[m] == FRAME_L1 && !pinned[m];
            }
        }
        EXPECT_EQ(failures, 0);

        /* The end: only what others hold is left. */
        for (unsigned int m = MACHINE_FIRST; m < END; m++)
            for (; bases[m]; bases[m]--)
                page_put_type(&space, mfn_to_frame(mfn(m)));
        while (!pv_space_destroy(&space))
            pv_check_frames();
        for (unsigned int m = MACHINE_FIRST; m < END; m++) {
            EXPECT_EQ(mfn_to_frame(mfn(m))->refs, writers[m] + readers[m]);
            for (; writers[m]; writers[m]--)
                frame_let_go(mfn_to_frame(mfn(m)), true);
            for (; readers[m]; readers[m]--)
                frame_let_go(mfn_to_frame(mfn(m)), false);
            owned[m] = pinned[m] = false;
        }
    }
    printf("%u tables, %u of level 1 below others, in %u steps\n", tables, deep,
           STEPS);
    EXPECT_TRUE(deep > STEPS / 50);
}
