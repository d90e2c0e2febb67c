/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and page tables of class pv: each rule, and each attack on it. */

/* LINK: hypervisor/memory/pv_space.c hypervisor/memory/page_type.c */
/* LINK: hypervisor/memory/page_entry.c hypervisor/memory/descriptor.c */
/* LINK: hypervisor/memory/pv_exchange.c */
/* LINK: hypervisor/memory/pv_check.c hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/frame.c */
/* LINK: hypervisor/memory/buddy.c tests/unit/doubles/machine.c */
/* LINK: tests/unit/doubles/smp.c tests/unit/doubles/m2p.c */

#include "memory/pv_space.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "doubles/machine.h"
#include "memory/descriptor.h"
#include "memory/entry_near.h"
#include "memory/m2p.h"
#include "memory/page_entry.h"
#include "memory/page_type.h"
#include "test.h"

#define FRAMES  1024U
#define DOMAIN  7
#define OTHER   8
#define PAGES   64U
#define PROMISE 16U

#define P  PTE_PRESENT
#define W  PTE_WRITE
#define U  PTE_USER
#define A  PTE_ACCESSED
#define D  PTE_DIRTY
#define G  PTE_GLOBAL
#define K  PTE_GUEST_KERNEL
#define NX PTE_NX

static struct pv_space space, other;
static struct frame_totals whole;
static struct page_work work;

static void destroy(struct pv_space *s)
{
    s->base.live_cpus = 0;
    while (!pv_space_destroy(s))
        ;
}

void setup(void)
{
    static bool made;

    if (!made) {
        machine_make(FRAMES);
        frames_add(mfn(MACHINE_FIRST), FRAMES / 2);
        frames_add(mfn(MACHINE_FIRST + FRAMES / 2 + 8), FRAMES / 2 - 8);
        made = true;
    }
    whole = frame_totals();
    EXPECT_EQ(pv_space_create(&space, DOMAIN, PROMISE, PAGES), 0);
    EXPECT_EQ(pv_space_create(&other, OTHER, 0, PAGES), 0);
    work.left = PAGE_WORK_QUANTUM * 10;
}

void teardown(void)
{
    struct frame_totals now;

    pv_check_frames();
    EXPECT_EQ(machine_locks_held(), 0);
    destroy(&space);
    destroy(&other);
    EXPECT_EQ(machine_frames_owned(DOMAIN), 0);
    EXPECT_EQ(machine_frames_owned(OTHER), 0);
    now = frame_totals();
    EXPECT_EQ(now.free, whole.free);
    EXPECT_EQ(now.unreserved, whole.unreserved);
}

static mfn_t page(void)
{
    return pv_populate(&space, 5);
}

static uint64_t *entries(mfn_t table)
{
    return mfn_to_virt(table);
}

static uint64_t to(mfn_t m, uint64_t flags)
{
    return pte_make(m, flags);
}

static uint32_t refs(mfn_t m)
{
    return mfn_to_frame(m)->refs;
}

static uint32_t types(mfn_t m)
{
    return frame_type_count(mfn_to_frame(m));
}

static int pin(mfn_t m, enum frame_type level)
{
    return page_pin(&space, m, level, &work);
}

static void drop_all(void)
{
    while (page_drop(&space, &work))
        work.left = PAGE_WORK_QUANTUM;
}

static int set(mfn_t table, unsigned int level, unsigned int index, uint64_t e)
{
    return entry_set(&space, table, level, index, e, false, NULL, &work);
}

/* Four tables, one below the other, and a page that the last one maps. */
struct tree {
    mfn_t l4, l3, l2, l1, leaf;
};

static struct tree tree_make(void)
{
    struct tree t = {page(), page(), page(), page(), page()};

    entries(t.l4)[511] = to(t.l3, P | W);
    entries(t.l3)[510] = to(t.l2, P | W);
    entries(t.l2)[7] = to(t.l1, P | W);
    entries(t.l1)[9] = to(t.leaf, P | W);
    return t;
}

TEST("pages are zeroed, counted, and known in the M2P")
{
    mfn_t m = page();

    EXPECT_EQ(entries(m)[17], 0);
    EXPECT_EQ(m2p_get(m), 5);
    EXPECT_EQ(space.pages, 1);
    EXPECT_EQ(space.promised, PROMISE - 1);
    EXPECT_EQ(refs(m), 1);
    EXPECT_EQ(pv_release(&other, m), -EINVAL);
    EXPECT_EQ(pv_release(&space, m), 0);
    EXPECT_EQ(pv_release(&space, m), -EINVAL);
    EXPECT_EQ(refs(m), 0);
    EXPECT_EQ(m2p_get(m), M2P_INVALID);
    for (unsigned int i = 0; i < PAGES; i++)
        EXPECT_FALSE(mfn_eq(page(), MFN_NONE));
    EXPECT_TRUE(mfn_eq(page(), MFN_NONE));
}

TEST("a tree is validated, adjusted, pinned, and given up")
{
    struct tree t = tree_make();

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(pin(t.l4, FRAME_L4), -EINVAL);
    EXPECT_EQ(entries(t.l4)[511], to(t.l3, P | W | U | A));
    EXPECT_EQ(entries(t.l3)[510], to(t.l2, P | W | U));
    EXPECT_EQ(entries(t.l2)[7], to(t.l1, P | W | U));
    EXPECT_EQ(entries(t.l1)[9], to(t.leaf, P | W | U | K));
    EXPECT_EQ(entries(t.l4)[256], hv_l4_slots()[0]); /* no kernel's yet */
    EXPECT_EQ(entries(t.l4)[257], hv_l4_slots()[1]);
    EXPECT_EQ(types(t.l1), 1);
    EXPECT_EQ(types(t.leaf), 1);
    EXPECT_EQ(refs(t.leaf), 2);
    pv_check_frames();

    EXPECT_EQ(page_unpin(&space, t.l4), 0);
    EXPECT_EQ(page_unpin(&space, t.l4), -EINVAL);
    EXPECT_EQ(types(t.leaf), 1);
    drop_all();
    EXPECT_EQ(types(t.leaf), 0);
    EXPECT_EQ(refs(t.leaf), 1);
    EXPECT_EQ(refs(t.l1), 1);
    EXPECT_EQ(refs(t.l4), 1);
    EXPECT_EQ(mfn_to_frame(t.l4)->type_info, 0);
}

TEST("a table cannot be mapped writable, and a writable page is no table")
{
    struct tree t = tree_make();

    entries(t.l1)[10] = to(t.l2, P | W);
    EXPECT_EQ(pin(t.l4, FRAME_L4), -EINVAL);
    drop_all();
    EXPECT_EQ(types(t.leaf), 0);
    entries(t.l1)[10] = to(t.l1, P | W);
    EXPECT_EQ(pin(t.l1, FRAME_L1), -EBUSY);
    drop_all();
    entries(t.l1)[10] = to(t.l4, P);
    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l1, 1, 11, to(t.l4, P | W)), -EBUSY);
    EXPECT_EQ(pin(t.leaf, FRAME_L1), -EINVAL);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P)), 0);
    EXPECT_EQ(pin(t.leaf, FRAME_L1), 0);
}

TEST("the walk finds the entry of an address")
{
    struct tree t = tree_make();
    vaddr_t va = ~0UL << 39 | 510UL << 30 | 7UL << 21 | 9UL << 12;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_PTR(entry_find(t.l4, va), (uint64_t *)mfn_to_virt(t.l1) + 9);
    EXPECT_PTR(entry_find(t.l4, va - (1UL << 21)), NULL);
    EXPECT_PTR(entry_find(t.l4, M2P_BASE), NULL);
    EXPECT_PTR(entry_find(t.l4, va & ~(1UL << 60)), NULL);
}

TEST("entries change with what they hold")
{
    struct tree t = tree_make();
    mfn_t m = page();
    uint64_t seen;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l1, 1, 9, to(m, P | W | U)), 0);
    EXPECT_EQ(entries(t.l1)[9], to(m, P | W | U | G));
    EXPECT_EQ(refs(t.leaf), 1);
    EXPECT_EQ(refs(m), 2);
    EXPECT_EQ(types(m), 1);
    entries(t.l1)[9] |= A | D;
    EXPECT_EQ(entry_set(&space, t.l1, 1, 9, to(m, P | U), true, NULL, &work),
              0);
    EXPECT_EQ(entries(t.l1)[9], to(m, P | U | G | A | D));
    EXPECT_EQ(types(m), 0);
    seen = 0;
    EXPECT_EQ(entry_set(&space, t.l1, 1, 9, 0, false, &seen, &work), -EBUSY);
    EXPECT_EQ(seen, to(m, P | U | G | A | D));
    EXPECT_EQ(entry_set(&space, t.l1, 1, 9, 0, false, &seen, &work), 0);
    EXPECT_EQ(refs(m), 1);
    EXPECT_EQ(set(t.l3, 3, 510, 0), 0);
    drop_all();
    EXPECT_EQ(mfn_to_frame(t.l1)->type_info, 0);
    EXPECT_EQ(set(t.l4, 4, 256, 0), -EINVAL);
    EXPECT_EQ(set(t.l4, 4, 271, 0), -EINVAL);
    EXPECT_EQ(set(t.l4, 4, 272, 0), 0);
}

/* --- Flags -----------------------------------------------------------------
 */

/* Bits 0 to 11 and 52 to 63 as 24 in a row. */
#define FLAG_BITS 24U

static uint64_t flag(unsigned int i)
{
    return 1UL << (i < 12 ? i : i + 40);
}

/* What the ABI says of an entry: 4.2 and 4.3, word by word. */
static bool allowed(unsigned int level, uint64_t e)
{
    if (e & (PTE_PWT | PTE_PCD | PTE_LARGE))
        return false;
    return level == 1 || !(e & G);
}

static uint64_t adjusted(unsigned int level, uint64_t e)
{
    if (level == 1 && !(e & U))
        e |= K | U;
    if (level == 1 && !(e & K))
        e |= G | U;
    if (level == 4)
        e |= A;
    return e | U;
}

/* A table of @level, in use, and what an entry of it may refer to. */
static mfn_t table_and_target(unsigned int level, mfn_t *target)
{
    mfn_t table = page();

    *target = page();
    EXPECT_EQ(pin(table, (enum frame_type)level), 0);
    return table;
}

/* How often @target is held by an entry with @flags, apart from its owner. */
static void expect_held(unsigned int level, mfn_t target, uint64_t e)
{
    bool held = e & P, typed = held && (level > 1 || e & W);

    EXPECT_EQ(refs(target) - (level > 1 && typed), 1U + held);
    EXPECT_EQ(types(target), typed);
}

TEST("each flag and each two are allowed and adjusted as the ABI says")
{
    for (unsigned int level = 1; level <= 4; level++) {
        mfn_t target, table = table_and_target(level, &target);
        unsigned int wrong = 0;

        for (unsigned int i = 0; i < FLAG_BITS; i++)
            for (unsigned int j = 0; j < FLAG_BITS; j++) {
                uint64_t e = to(target, P | flag(i) | flag(j));
                int rc;

                work.left = PAGE_WORK_QUANTUM;
                rc = set(table, level, 3, e);

                wrong += rc != (allowed(level, e) ? 0 : -EINVAL);
                wrong += entries(table)[3] != (rc ? 0 : adjusted(level, e));
                expect_held(level, target, entries(table)[3]);
                EXPECT_EQ(set(table, level, 3, 0), 0);
                drop_all();
                expect_held(level, target, 0);
            }
        EXPECT_EQ(wrong, 0);
    }
}

TEST("validation allows and adjusts what an update does")
{
    for (unsigned int level = 1; level <= 4; level++) {
        mfn_t target = page(), table = page();
        unsigned int wrong = 0;

        for (unsigned int i = 0; i < FLAG_BITS; i++)
            for (unsigned int j = 0; j < FLAG_BITS; j++) {
                uint64_t e = to(target, flag(i) | flag(j));
                bool ok = !(e & P) || allowed(level, e);
                int rc;

                work.left = PAGE_WORK_QUANTUM;
                entries(table)[3] = e;
                rc = pin(table, (enum frame_type)level);
                wrong += rc != (ok ? 0 : -EINVAL);
                if (ok && e & P)
                    wrong += entries(table)[3] != adjusted(level, e);
                else
                    wrong += entries(table)[3] != e;
                if (!rc) {
                    expect_held(level, target, e);
                    EXPECT_EQ(page_unpin(&space, table), 0);
                }
                drop_all();
                expect_held(level, target, 0);
            }
        EXPECT_EQ(wrong, 0);
    }
}

/* Change entry 3 from @old, in use, to @e by the way that is tried. */
static int change(mfn_t table, unsigned int level, uint64_t e, bool near)
{
    if (near && entry_near_set(&space, &entries(table)[3], e, false, NULL))
        return 0;
    return set(table, level, 3, e);
}

/* All that can be different after an update. */
struct outcome {
    long rc;
    uint64_t entry;
    uint32_t refs, info;
};

static struct outcome outcome(int rc, mfn_t table, mfn_t target)
{
    return (struct outcome){rc, entries(table)[3], refs(target),
                            mfn_to_frame(target)->type_info};
}

/*
 * For each entry that can be there, and each two bits in which the new one is
 * different: it ends as if there had been nothing before (XSA-148, XSA-182).
 */
static void compare_ways(unsigned int level, bool near)
{
    static const uint64_t vary[] = {W, U, A, D, G, 1UL << 9, K, 1UL << 53, NX};
    mfn_t target, table = table_and_target(level, &target);
    unsigned int wrong = 0;

    for (unsigned int n = 0; n < 1U << 9; n++) {
        uint64_t old = to(target, P);

        for (unsigned int i = 0; i < 9; i++)
            old |= n >> i & 1 ? vary[i] : 0;
        if (!allowed(level, old) || adjusted(level, old) != old)
            continue;
        for (unsigned int i = 0; i < FLAG_BITS; i++)
            for (unsigned int j = 0; j < FLAG_BITS; j++) {
                uint64_t e = old ^ flag(i) ^ (i == j ? 0 : flag(j));
                struct outcome fast, full;

                work.left = PAGE_WORK_QUANTUM;
                wrong += set(table, level, 3, old) != 0;
                fast = outcome(change(table, level, e, near), table, target);
                if (fast.rc)
                    wrong += fast.entry != old;
                drop_all();
                fast = outcome(fast.rc, table, target);
                wrong += set(table, level, 3, 0) != 0;
                drop_all();
                full = outcome(set(table, level, 3, e), table, target);
                if (full.rc)
                    wrong += fast.rc != full.rc;
                else
                    wrong += memcmp(&fast, &full, sizeof(fast)) != 0;
            }
        EXPECT_EQ(set(table, level, 3, 0), 0);
        drop_all();
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(refs(target), 1);
}

TEST("an update from any entry, by two bits, is one from none: level 1")
{
    compare_ways(1, false);
    compare_ways(1, true);
}

TEST("an update from any entry, by two bits, is one from none: levels 2 to 4")
{
    compare_ways(2, false);
    compare_ways(3, false);
    compare_ways(4, false);
}

TEST("accessed and dirty bits are kept where that is asked for")
{
    struct tree t = tree_make();
    uint64_t e = to(t.leaf, P | U | K);

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    entries(t.l1)[9] |= A | D;
    EXPECT_FALSE(entry_near_set(&space, &entries(t.l1)[9], 0x8000, true, NULL));
    EXPECT_EQ(entry_set(&space, t.l1, 1, 9, 0x8000, true, NULL, &work), 0);
    EXPECT_EQ(entries(t.l1)[9], 0x8000 | A | D);
    EXPECT_EQ(set(t.l1, 1, 9, e | A | D), 0);
    EXPECT_TRUE(entry_near_set(&space, &entries(t.l1)[9], e | NX, true, NULL));
    EXPECT_EQ(entries(t.l1)[9], e | NX | A | D);
    EXPECT_TRUE(entry_near_set(&space, &entries(t.l1)[9], e, false, NULL));
    EXPECT_EQ(entries(t.l1)[9], e);
}

TEST("an entry that is no more what was read stays, and so do all counts")
{
    struct tree t = tree_make();
    uint64_t e = to(t.leaf, P | W | U), seen = e | D;
    struct frame *leaf = mfn_to_frame(t.leaf);
    uint32_t refs, info;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l1, 1, 9, 0), 0);
    EXPECT_EQ(set(t.l1, 1, 10, e), 0);
    refs = leaf->refs;
    info = leaf->type_info;
    EXPECT_FALSE(entry_near_set(&space, &entries(t.l1)[9], e, false, &seen));
    EXPECT_EQ(entries(t.l1)[9], 0);
    EXPECT_EQ(leaf->refs, refs);
    EXPECT_EQ(leaf->type_info, info);
    seen = 0;
    EXPECT_TRUE(entry_near_set(&space, &entries(t.l1)[9], e, false, &seen));
    EXPECT_EQ(leaf->refs, refs + 1);
    EXPECT_EQ(leaf->type_info, info + 1);
    EXPECT_FALSE(entry_near_set(&space, &entries(t.l1)[9], 0, false, &seen));
    EXPECT_EQ(leaf->refs, refs + 1);
}

/* --- Frame numbers ---------------------------------------------------------
 */

TEST("numbers that are no RAM of the domain are refused at each level")
{
    mfn_t foreign = pv_populate(&other, 1);
    struct frame *own = frame_alloc(DOMID_XEN, FRAME_GUEST);
    const struct {
        uint64_t number;
        int leaf;
    } bad[] = {
        {0, -EPERM},
        {MACHINE_FIRST - 1, -EPERM},
        {MACHINE_FIRST + FRAMES / 2, -EPERM}, /* the hole */
        {MACHINE_FIRST + FRAMES, -EPERM},
        {1UL << 28, -EPERM},
        {(1UL << 40) - 2, -EPERM},
        {(1UL << 40) - 1, -EINVAL},
        {foreign.raw, -EBUSY},
        {frame_to_mfn(own).raw, -EBUSY},
    };

    for (unsigned int level = 1; level <= 4; level++) {
        mfn_t target, table = table_and_target(level, &target);

        for (unsigned int i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
            int want = level == 1 ? bad[i].leaf : -EINVAL;
            uint64_t e = to(mfn(bad[i].number), P);

            EXPECT_EQ(set(table, level, 0, e), want);
            EXPECT_EQ(set(table, level, 0, e | W), want);
            if (level == 1)
                EXPECT_FALSE(
                    entry_near_set(&space, entries(table), e, false, NULL));
            EXPECT_EQ(entries(table)[0], 0);
            EXPECT_EQ(pin(mfn(bad[i].number), (enum frame_type)level), -EINVAL);
        }
    }
    EXPECT_EQ(refs(foreign), 1);
    EXPECT_EQ(own->refs, 1);
    frame_put(own);
}

TEST("tables cannot form lines or circles")
{
    mfn_t m = page(), n = page();

    for (unsigned int level = 1; level <= 4; level++) {
        enum frame_type type = (enum frame_type)level;

        entries(m)[1] = to(m, P | W);
        EXPECT_TRUE(pin(m, type) < 0);
        drop_all();
        if (level > 1) {
            entries(m)[1] = to(m, P);
            EXPECT_EQ(pin(m, type), -EINVAL);
            drop_all();
            entries(m)[1] = to(n, P);
            EXPECT_EQ(pin(n, type), 0);
            EXPECT_EQ(pin(m, type), -EINVAL);
            EXPECT_EQ(set(n, level, 5, to(m, P)), -EINVAL + (level == 2) * 22);
            EXPECT_EQ(set(n, level, 5, 0), 0);
            EXPECT_EQ(page_unpin(&space, n), 0);
            drop_all();
        }
        entries(m)[1] = 0;
        EXPECT_EQ(mfn_to_frame(m)->type_info, 0);
        EXPECT_EQ(refs(m), 1);
    }
}

/* --- Running out of work ---------------------------------------------------
 */

#define LEAVES 8U

/* A tree with many entries; two tables are referred to twice. */
struct forest {
    mfn_t l4, l3[2], l2[2], l1[4], leaf[LEAVES];
};

static struct forest forest_make(void)
{
    struct forest t;

    t.l4 = page();
    for (unsigned int i = 0; i < LEAVES; i++)
        t.leaf[i] = page();
    for (unsigned int i = 0; i < 4; i++) {
        t.l1[i] = page();
        for (unsigned int j = 0; j < PT_ENTRIES; j += 1 + 3 * i)
            entries(t.l1[i])[j] =
                to(t.leaf[(i + j) % LEAVES], P | (j % 2 ? W : 0));
    }
    for (unsigned int i = 0; i < 2; i++) {
        t.l2[i] = page();
        t.l3[i] = page();
        for (unsigned int j = 0; j < 4; j++)
            entries(t.l2[i])[100 * j + i] = to(t.l1[j], P | W);
        entries(t.l3[i])[511] = to(t.l2[i], P | W);
        entries(t.l3[i])[i] = to(t.l2[0], P | W);
        entries(t.l4)[0 + 255 * i] = to(t.l3[i], P | W);
        entries(t.l4)[272 + 239 * i] = to(t.l3[i], P | W);
    }
    return t;
}

static unsigned int forest_state(const struct forest *t, struct outcome *o)
{
    const mfn_t *m = (const mfn_t *)t;
    unsigned int count = sizeof(*t) / sizeof(*m);

    for (unsigned int i = 0; i < count; i++)
        o[i] = (struct outcome){mfn_to_frame(m[i])->progress, entries(m[i])[0],
                                refs(m[i]), mfn_to_frame(m[i])->type_info};
    return count;
}

TEST("validation with any quantum ends as without a limit, and so does undoing")
{
    struct forest t = forest_make();
    struct outcome valid[sizeof(t) / sizeof(mfn_t)],
        now[sizeof(t) / sizeof(mfn_t)];
    struct outcome bare[sizeof(t) / sizeof(mfn_t)];
    unsigned int count = forest_state(&t, bare), calls = 0;

    work.left = 1 << 20;
    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    (void)forest_state(&t, valid);
    EXPECT_EQ(page_unpin(&space, t.l4), 0);
    drop_all();
    for (int quantum = 120; quantum < 1500; quantum += 1 + quantum / 20) {
        for (;;) {
            int rc;

            work.left = quantum;
            rc = pin(t.l4, FRAME_L4);
            pv_check_frames();
            EXPECT_TRUE(work.left > -600);
            calls++;
            if (rc != -EAGAIN) {
                EXPECT_EQ(rc, 0);
                break;
            }
        }
        (void)forest_state(&t, now);
        EXPECT_MEM(now, valid, count * sizeof(*now));
        EXPECT_EQ(page_unpin(&space, t.l4), 0);
        do {
            work.left = quantum;
            pv_check_frames();
        } while (page_drop(&space, &work));
        (void)forest_state(&t, now);
        for (unsigned int i = 0; i < count; i++) {
            EXPECT_EQ(now[i].refs, 1);
            EXPECT_EQ(now[i].info & ~FRAME_TYPE_MASK, 0);
        }
    }
    EXPECT_TRUE(calls > 300);
}

TEST("a validation that nobody goes on with is undone by who wants the frame")
{
    for (int quantum = 40; quantum < 3000; quantum += 100) {
        struct forest t = forest_make();
        unsigned int tries = 0;
        int rc;

        work.left = quantum;
        EXPECT_EQ(pin(t.l4, FRAME_L4), -EAGAIN);
        pv_check_frames();
        do {
            work.left = PAGE_WORK_QUANTUM;
            rc = page_get_type(&space, t.l3[0], FRAME_WRITABLE, &work);
            pv_check_frames();
        } while (rc == -EAGAIN && tries++ < 50);
        EXPECT_EQ(rc, 0);
        page_put_type(&space, mfn_to_frame(t.l3[0]));

        /* Or a frame that was released, or a domain that goes. */
        EXPECT_EQ(pv_release(&space, t.l4), 0);
        EXPECT_EQ(pv_release(&space, t.l3[1]), 0);
        destroy(&space);
        EXPECT_EQ(pv_space_create(&space, DOMAIN, PROMISE, PAGES), 0);
    }
}

TEST("what is refused holds nothing, wherever the fault is")
{
    struct forest t = forest_make();
    struct outcome now[sizeof(t) / sizeof(mfn_t)];
    unsigned int count = forest_state(&t, now);
    mfn_t *table = (mfn_t *)&t;

    for (unsigned int i = 0; i < count - LEAVES; i++)
        for (unsigned int slot = 7; slot < PT_ENTRIES; slot += 113) {
            uint64_t old = entries(table[i])[slot];

            entries(table[i])[slot] = to(t.leaf[0], P | PTE_PCD);
            do
                work.left = 500;
            while (pin(t.l4, FRAME_L4) == -EAGAIN);
            EXPECT_FALSE(mfn_to_frame(t.l4)->type_info & FRAME_PINNED);
            drop_all();
            (void)forest_state(&t, now);
            for (unsigned int j = 0; j < count; j++) {
                EXPECT_EQ(now[j].refs, 1);
                EXPECT_EQ(now[j].info & ~FRAME_TYPE_MASK, 0);
            }
            entries(table[i])[slot] = old;
        }
}

TEST("a tree taken again while it is being dropped is whole again")
{
    struct forest t = forest_make();

    work.left = 1 << 20;
    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    for (int quantum = 1; quantum < 3000; quantum += 50) {
        int rc;

        EXPECT_EQ(page_unpin(&space, t.l4), 0);
        work.left = quantum;
        EXPECT_TRUE(page_drop(&space, &work) <= 0);
        pv_check_frames();
        do {
            work.left = quantum + 200;
            rc = pin(t.l4, FRAME_L4);
        } while (rc == -EAGAIN);
        EXPECT_EQ(rc, 0);
        EXPECT_EQ(types(t.l2[0]), 3);
        EXPECT_EQ(space.dropping, DROP_END);
    }
}

/* --- Forgetting ------------------------------------------------------------
 */

/* What must hold while old translations are still in use. */
static mfn_t watched;
static bool watched_ok;

static void see_held(void)
{
    watched_ok = mfn_to_frame(watched)->type_info & FRAME_HELD;
}

static void see_in_use(void)
{
    watched_ok = refs(watched) > 0 && types(watched) == 0;
}

/* This CPU may know what was there before @step; how often it must forget. */
#define FLUSHES(seen_, m, step)                                                \
    ({                                                                         \
        unsigned int before_ = machine_full_flushes;                           \
                                                                               \
        watched = (m);                                                         \
        watched_ok = true;                                                     \
        machine_at_flush = (seen_);                                            \
        space.base.live_cpus = 1;                                              \
        step;                                                                  \
        machine_at_flush = NULL;                                               \
        EXPECT_TRUE(watched_ok);                                               \
        machine_full_flushes - before_;                                        \
    })

TEST("a page is no table before its writers have forgotten it")
{
    struct tree t = tree_make();

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P)), 0);
    EXPECT_TRUE(space.stale);
    EXPECT_EQ(FLUSHES(see_held, t.leaf, EXPECT_EQ(pin(t.leaf, FRAME_L1), 0)),
              1);
    EXPECT_FALSE(space.stale);
    EXPECT_EQ(
        FLUSHES(see_held, t.leaf, EXPECT_EQ(page_unpin(&space, t.leaf), 0)), 0);
    EXPECT_EQ(FLUSHES(see_held, t.leaf, drop_all()), 0);
}

TEST("a table is no page before all have forgotten it, and a descriptor page")
{
    struct tree t = tree_make();

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l2, 2, 7, 0), 0);
    EXPECT_EQ(FLUSHES(see_held, t.l1, drop_all()), 1);
    EXPECT_FALSE(mfn_to_frame(t.l1)->type_info & FRAME_HELD);
    EXPECT_EQ(set(t.l2, 2, 7, to(t.l1, P)), 0);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P)), 0);
    EXPECT_EQ(FLUSHES(see_held, t.leaf,
                      EXPECT_EQ(page_get_type(&space, t.leaf, FRAME_DESCRIPTORS,
                                              &work),
                                0)),
              1);
    page_put_type(&space, mfn_to_frame(t.leaf));
}

TEST("an L4 is not another thing before no idle CPU has it loaded")
{
    mfn_t l4 = page();

    EXPECT_EQ(pin(l4, FRAME_L4), 0);
    pv_load(&space, l4);
    EXPECT_EQ(space.base.live_cpus, 1);
    EXPECT_EQ(page_unpin(&space, l4), 0);
    EXPECT_TRUE(space.stale);
    EXPECT_EQ(FLUSHES(see_held, l4, drop_all()), 1);
    space_unload();
    EXPECT_EQ(space.base.live_cpus, 0);
}

TEST("a full flush of all CPUs that may know the space is enough, no less")
{
    struct tree t = tree_make();
    vaddr_t va = 0x1000;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l1, 1, 9, 0), 0);
    space.base.live_cpus = 3;
    pv_flush_cpus(&space, 1, NULL);
    EXPECT_TRUE(space.stale);
    pv_flush_page(&space, va);
    EXPECT_TRUE(space.stale);
    pv_flush_cpus(&space, 3, NULL);
    EXPECT_FALSE(space.stale);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P)), 0);
    EXPECT_FALSE(space.stale);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P | D)), 0);
    EXPECT_FALSE(space.stale);
    space.base.live_cpus = 0;
}

/* --- Giving up -------------------------------------------------------------
 */

TEST("a page that is given up while it is mapped is free when it is not")
{
    struct tree t = tree_make();

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(pv_release(&space, t.l4), -EINVAL);
    EXPECT_EQ(pv_release(&space, t.leaf), 0);
    EXPECT_EQ(pv_release(&space, t.leaf), -EINVAL);
    EXPECT_EQ(refs(t.leaf), 1);
    EXPECT_EQ(space.pages, 5); /* It is still paid for, */
    EXPECT_EQ(set(t.l1, 1, 10, to(t.leaf, P)), -EBUSY); /* and nobody's. */
    EXPECT_EQ(pin(t.leaf, FRAME_L1), -EINVAL);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P)), -EBUSY);
    EXPECT_EQ(FLUSHES(see_in_use, t.leaf, EXPECT_EQ(set(t.l1, 1, 9, 0), 0)), 1);
    EXPECT_EQ(refs(t.leaf), 0);
    EXPECT_EQ(space.pages, 4);
}

TEST("no domain has more memory than it may by giving up what it maps")
{
    struct tree t = tree_make();
    unsigned int got = 5;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    for (unsigned int i = 10; i < 10 + 2 * PAGES; i++) {
        mfn_t m = page();

        if (mfn_eq(m, MFN_NONE))
            break;
        got++;
        EXPECT_EQ(set(t.l1, 1, i, to(m, P | W)), 0);
        EXPECT_EQ(pv_release(&space, m), 0);
    }
    EXPECT_EQ(got, PAGES);
    EXPECT_EQ(machine_frames_owned(DOMAIN | PV_LEAVING), PAGES - 5);
}

TEST("a table that is given up in use stays one until it is not")
{
    struct tree t = tree_make();

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(pv_release(&space, t.l2), 0);
    EXPECT_EQ(types(t.l2), 1);
    EXPECT_EQ(set(t.l2, 2, 7, 0), -EINVAL);
    pv_check_frames();
    EXPECT_EQ(set(t.l3, 3, 510, 0), 0);
    drop_all();
    EXPECT_EQ(refs(t.l2), 0);
    EXPECT_EQ(refs(t.l1), 1);
    EXPECT_EQ(space.pages, 4);
}

TEST("a page that was given up is paid for until a neighbour lets go of it")
{
    struct frame *f = NULL;
    mfn_t m = page(), n = page();

    EXPECT_EQ(pv_get_frame(&space, m, true, &f), 0);
    EXPECT_EQ(pv_release(&space, m), 0);
    EXPECT_EQ(space.pages, 2);
    pv_frame_paid(&space, f);
    frame_let_go(f, true);
    EXPECT_EQ(refs(m), 0);
    EXPECT_EQ(space.pages, 1);
    pv_frame_paid(&space, mfn_to_frame(n)); /* It is still the domain's. */
    pv_frame_paid(&other, mfn_to_frame(n));
    EXPECT_EQ(space.pages, 1);
    EXPECT_EQ(other.pages, 0);
}

TEST("a page that a neighbour holds outlives its domain")
{
    struct frame *f = NULL;
    mfn_t m = page();

    EXPECT_EQ(pv_get_frame(&other, m, true, &f), -EINVAL);
    EXPECT_EQ(pv_get_frame(&space, m, true, &f), 0);
    EXPECT_EQ(pin(m, FRAME_L1), -EINVAL);
    destroy(&space);
    EXPECT_EQ(refs(m), 1);
    frame_let_go(f, true);
    EXPECT_EQ(refs(m), 0);
    EXPECT_EQ(pv_space_create(&space, DOMAIN, PROMISE, PAGES), 0);
}

/* --- Giving for others ---------------------------------------------------- */

static int exchange(mfn_t m, mfn_t n, struct pv_extents *out)
{
    struct pv_extents in = {0, {m.raw, n.raw}};

    *out = (struct pv_extents){1, {20}};
    work.left = PAGE_WORK_QUANTUM;
    return pv_exchange(&space, &in, out, UINT64_MAX, &work);
}

TEST("two frames are exchanged for two in a row, and forgotten before")
{
    mfn_t a = page(), gap = page(), b = page();
    struct pv_extents out;

    entries(b)[3] = 3;
    space.stale = true;
    space.base.live_cpus = 1;
    EXPECT_EQ(FLUSHES(see_in_use, a, EXPECT_EQ(exchange(a, b, &out), 0)), 1);
    space.base.live_cpus = 0;
    EXPECT_EQ(space.pages, 3);
    EXPECT_EQ(refs(a), 0);
    EXPECT_EQ(refs(gap), 1);
    EXPECT_EQ(m2p_get(a), M2P_INVALID);
    EXPECT_EQ(machine_frames_owned(DOMAIN), 3);
    for (unsigned int i = 0; i < 2; i++) {
        EXPECT_EQ(m2p_get(mfn(out.first[0] + i)), 20 + i);
        EXPECT_EQ(entries(mfn(out.first[0] + i))[3], 0);
        EXPECT_EQ(pv_release(&space, mfn(out.first[0] + i)), 0);
    }
}

TEST("frames that cannot all be exchanged stay as they are")
{
    mfn_t a = page(), used = page(), foreign = pv_populate(&other, 1);
    struct pv_extents out, in = {0, {a.raw}};
    struct frame *f = NULL, *shared = frame_alloc(DOMID_XEN, FRAME_GUEST);

    EXPECT_EQ(pv_get_frame(&space, used, false, &f), 0);
    EXPECT_EQ(exchange(a, used, &out), -EINVAL);
    frame_let_go(f, false);
    EXPECT_EQ(exchange(a, a, &out), -EINVAL);
    EXPECT_EQ(exchange(a, foreign, &out), -EINVAL);
    EXPECT_EQ(exchange(a, mfn(FRAMES * 2), &out), -EINVAL);
    EXPECT_EQ(exchange(a, MFN_NONE, &out), -EINVAL);
    pv_share_frame(&space, shared);
    EXPECT_EQ(exchange(a, frame_to_mfn(shared), &out), -EINVAL);
    pv_unshare_frame(&space, shared);
    frame_put(shared);
    EXPECT_EQ(out.first[0], 20);

    out.order = 0;
    EXPECT_EQ(pv_exchange(&space, &in, &out, MACHINE_FIRST, &work), -ENOMEM);
    EXPECT_EQ(space.pages, 2);
    EXPECT_EQ(machine_frames_owned(DOMAIN), 2);
    EXPECT_EQ(m2p_get(a), 5);
    EXPECT_EQ(exchange(a, used, &out), 0);
}

TEST("an exchange finds no extent as large where memory is in pieces")
{
    mfn_t a = page(), b = page(), taken[FRAMES];
    struct pv_extents out;
    unsigned int count = 0;
    struct frame *f;

    while (space.promised)
        (void)page();
    while ((f = frame_alloc(DOMID_XEN, FRAME_GUEST)) ||
           (f = frame_alloc(DOMID_XEN, FRAME_METADATA)))
        taken[count++] = frame_to_mfn(f);
    EXPECT_EQ(exchange(a, b, &out), -ENOMEM);
    for (unsigned int i = 0; i < count; i++)
        if (taken[i].raw % 2)
            frame_put(mfn_to_frame(taken[i]));
    EXPECT_EQ(exchange(a, b, &out), -ENOMEM);
    EXPECT_EQ(space.pages, PROMISE);
    for (unsigned int i = 0; i < count; i++)
        if (taken[i].raw % 2 == 0)
            frame_put(mfn_to_frame(taken[i]));
    EXPECT_EQ(exchange(a, b, &out), 0);
}

TEST("a table that is idle is dropped before it is exchanged")
{
    struct tree t = tree_make();
    struct pv_extents out;
    int rc;

    work.left = PAGE_WORK_TYPE + PAGE_WORK_PRESENT;
    EXPECT_EQ(page_pin(&space, t.l4, FRAME_L4, &work), -EAGAIN);
    EXPECT_EQ(exchange(t.l4, t.l3, &out), -EAGAIN);
    EXPECT_EQ(mfn_to_frame(t.l4)->owner, DOMAIN);
    for (unsigned int i = 0; (rc = exchange(t.l4, t.l3, &out)) == -EAGAIN; i++)
        EXPECT_TRUE(i < 10);
    EXPECT_EQ(rc, 0);
    EXPECT_EQ(refs(t.l4), 0);
    EXPECT_EQ(refs(t.l3), 0);
    EXPECT_EQ(refs(t.l2), 1);
    EXPECT_EQ(space.pages, 5);
}

TEST("a turn exchanges the largest extent, and drops with what is left of it")
{
    struct tree t = tree_make();
    mfn_t a = page();
    struct pv_extents in = {0, {a.raw}}, out = {0, {20}};

    work.left = PAGE_WORK_QUANTUM;
    for (unsigned int i = 0; i < PV_EXTENT_PAGES; i++) {
        EXPECT_TRUE(work.left > 0);
        EXPECT_EQ(pv_exchange(&space, &in, &out, UINT64_MAX, &work), 0);
        in.first[0] = out.first[0];
        out.first[0] = 20;
    }
    EXPECT_TRUE(work.left <= 0);

    work.left = PAGE_WORK_TYPE + PAGE_WORK_PRESENT;
    EXPECT_EQ(page_pin(&space, t.l4, FRAME_L4, &work), -EAGAIN);
    page_queue_idle(&space, mfn_to_frame(t.l4));
    EXPECT_TRUE(space.dropping != DROP_END);
    work.left = -1;
    EXPECT_EQ(pv_exchange(&space, &in, &out, UINT64_MAX, &work), -EAGAIN);
    EXPECT_TRUE(space.dropping != DROP_END);
}

TEST("tables are no pages to write for neighbours")
{
    mfn_t m = page();
    struct frame *f;

    EXPECT_EQ(pin(m, FRAME_L1), 0);
    EXPECT_EQ(pv_get_frame(&space, m, true, &f), -EBUSY);
    EXPECT_EQ(page_unpin(&space, m), 0);
    EXPECT_FALSE(frame_get_type(mfn_to_frame(m), FRAME_WRITABLE));
    EXPECT_FALSE(frame_get_type(mfn_to_frame(m), FRAME_L1));
    EXPECT_EQ(pv_get_frame(&space, m, true, &f), -EBUSY);
    EXPECT_EQ(pv_get_frame(&space, m, false, &f), 0);
    frame_let_go(f, false);
    drop_all();
    EXPECT_EQ(pv_get_frame(&space, m, true, &f), 0);
    frame_let_go(f, true);
}

TEST("a shared page is the guest's to map, and nothing else")
{
    struct frame *f = frame_alloc(DOMID_XEN, FRAME_GUEST);
    struct tree t = tree_make();
    mfn_t m = frame_to_mfn(f);

    pv_share_frame(&space, f);
    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(set(t.l1, 1, 0, to(m, P | W)), 0);
    EXPECT_EQ(pin(m, FRAME_L1), -EINVAL);
    EXPECT_EQ(pv_release(&space, m), -EINVAL);
    EXPECT_EQ(space.pages, 5);
    EXPECT_PANIC(pv_share_frame(&space, f));
    EXPECT_PANIC(pv_unshare_frame(&other, f));
    EXPECT_EQ(FLUSHES(see_in_use, t.leaf, (void)0), 0);
    space.base.live_cpus = 0;
    pv_unshare_frame(&space, f);
    EXPECT_EQ(set(t.l1, 1, 1, to(m, P | W)), -EBUSY);
    frame_put(f);
    EXPECT_EQ(refs(m), 1); /* the entry */
    destroy(&space);
    EXPECT_EQ(refs(m), 0);
    EXPECT_EQ(pv_space_create(&space, DOMAIN, PROMISE, PAGES), 0);
}

TEST("a domain cannot go with a page still shared, or a CPU on its tables")
{
    struct frame *f = frame_alloc(DOMID_XEN, FRAME_GUEST);

    EXPECT_FALSE(mfn_eq(page(), MFN_NONE));
    pv_share_frame(&space, f);
    space.lowest = MIN(space.lowest, frame_to_mfn(f).raw);
    space.highest = MAX(space.highest, frame_to_mfn(f).raw);
    space.base.live_cpus = 2;
    EXPECT_PANIC((void)!pv_space_destroy(&space));
    space.base.live_cpus = 0;
    EXPECT_PANIC((void)!pv_space_destroy(&space));
    pv_unshare_frame(&space, f);
    frame_put(f);
}

TEST("who looks for a page of a domain that goes does not keep its others")
{
    struct frame *found;
    uint64_t first, elsewhere;

    destroy(&space);
    EXPECT_EQ(pv_space_create(&space, DOMAIN, 0, 200), 0);
    first = page().raw;
    for (unsigned int i = 1; i < 200; i++)
        EXPECT_FALSE(mfn_eq(page(), MFN_NONE));
    elsewhere = MACHINE_FIRST +
                (first - MACHINE_FIRST < FRAMES / 2 ? FRAMES / 2 + 20 : 0);
    while (!pv_space_destroy(&space)) {
        EXPECT_EQ(pv_get_frame(&space, mfn(elsewhere), false, &found), -EINVAL);
        EXPECT_EQ(pv_get_frame(&space, mfn(first), true, &found), -EINVAL);
        EXPECT_EQ(pv_get_frame(&space, mfn(elsewhere), false, &found), -EINVAL);
    }
    EXPECT_EQ(machine_frames_owned(DOMAIN), 0);
    EXPECT_EQ(pv_space_create(&space, DOMAIN, PROMISE, PAGES), 0);
}

TEST("no space of class pv can be made where guests have tables of their own")
{
    struct pv_space s;

    cpu_features.xpti = true;
    EXPECT_EQ(pv_space_create(&s, 9, 4, 4), -EOPNOTSUPP);
    cpu_features.xpti = false;
    EXPECT_TRUE(pv_space_destroy(&s));
    EXPECT_EQ(pv_space_create(&s, 9, 1UL << 40, 1UL << 40), -ENOMEM);
    EXPECT_TRUE(pv_space_destroy(&s));
}

/* --- Grants' entries -------------------------------------------------------
 */

TEST("a granted page is mapped beside the grant, and unmapped exactly")
{
    mfn_t m = pv_populate(&other, 3);
    struct tree t = tree_make();
    struct frame *f;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_EQ(pv_get_frame(&other, m, true, &f), 0);
    EXPECT_EQ(entry_map_grant(&space, t.l2, 9, to(m, P | W)), -EINVAL);
    EXPECT_EQ(entry_map_grant(&space, t.leaf, 9, to(m, P | W)), -EINVAL);
    EXPECT_EQ(entry_map_grant(&space, m, 9, to(m, P | W)), -EINVAL);
    EXPECT_EQ(entry_map_grant(&space, t.l1, 9, to(m, P | W | A | D | NX)), 0);
    EXPECT_EQ(entries(t.l1)[9], to(m, P | W | U | A | D | K | NX));
    EXPECT_EQ(refs(t.leaf), 1);
    EXPECT_EQ(refs(m), 3);
    EXPECT_EQ(types(m), 2);
    EXPECT_EQ(set(t.l1, 1, 10, to(m, P)), -EBUSY);
    EXPECT_EQ(entry_unmap_grant(&space, t.l1, 9, t.leaf, true), -EINVAL);
    EXPECT_EQ(entry_unmap_grant(&space, t.l1, 9, m, false), -EINVAL);
    EXPECT_EQ(entry_unmap_grant(&space, t.l1, 8, m, true), -EINVAL);
    EXPECT_EQ(entry_unmap_grant(&space, t.l1, 9, m, true), 0);
    EXPECT_TRUE(space.stale);
    EXPECT_EQ(entries(t.l1)[9], 0);
    EXPECT_EQ(refs(m), 2);

    /* The guest loses it by itself: by an update, and with the table. */
    EXPECT_EQ(entry_map_grant(&space, t.l1, 9, to(m, P | W | U)), 0);
    EXPECT_EQ(entries(t.l1)[9], to(m, P | W | U | G));
    EXPECT_EQ(set(t.l1, 1, 9, to(m, P | U)), -EBUSY);
    EXPECT_EQ(set(t.l1, 1, 9, to(m, P | W | U | A)), 0);
    EXPECT_EQ(set(t.l1, 1, 9, 0), 0);
    EXPECT_EQ(refs(m), 2);
    EXPECT_EQ(entry_map_grant(&space, t.l1, 9, to(m, P)), 0);
    EXPECT_EQ(page_unpin(&space, t.l4), 0);
    drop_all();
    EXPECT_EQ(refs(m), 2);
    EXPECT_EQ(pin(t.l1, FRAME_L1), -EBUSY);
    drop_all();
    frame_let_go(f, true);
}

/* --- Descriptors -----------------------------------------------------------
 */

#define DESC(low, high) ((uint64_t)(high) << 32 | (low))

TEST("descriptors that no guest may have are refused, the others lose rings")
{
    static const struct {
        uint64_t is, becomes; /* 0: refused */
    } d[] = {
        {DESC(0, 0x00008200) & ~(1UL << 47), DESC(0, 0x00000200)}, /* absent */
        {0x00af9b000000ffff, 0x00affb000000ffff}, /* ring 0 code */
        {0x00cf93000000ffff, 0x00cff3000000ffff},
        {0x00cfb3000000ffff, 0x00cff3000000ffff}, /* ring 1 */
        {0x00cfd3000000ffff, 0x00cff3000000ffff}, /* ring 2 */
        {0x00cff3000000ffff, 0x00cff3000000ffff},
        {0x00af9f000000ffff, 0x00afff000000ffff}, /* conforming */
        {0x0000800000000000, 0x0000800000000000}, /* type 0 */
        {DESC(0x00330000, 0x0000ec00), DESC(0x00330000, 0x00008c00)},
        {DESC(0x00330000, 0x00008c00), DESC(0x00330000, 0x00008c00)},
        {DESC(0xdfff0000, 0x0000ec00), DESC(0xdfff0000, 0x00008c00)},
        {DESC(0xe0330000, 0x0000ec00), DESC(0xe0330000, 0x00008c00)},
        {DESC(0xe0370000, 0x0000ec00), DESC(0xe0370000, 0x00008c00)}, /* LDT */
        {DESC(0xe0080000, 0x0000ec00), 0},
        {DESC(0xe0300000, 0x0000ec00), 0},
        {DESC(0xe0000000, 0x00008c00), 0},
        {DESC(0xfff80000, 0x00008c00), 0},
    };

    for (unsigned int i = 0; i < sizeof(d) / sizeof(*d); i++) {
        uint64_t now = d[i].is;

        EXPECT_EQ(descriptor_fix(&now), d[i].becomes != 0);
        EXPECT_EQ(now, d[i].becomes ? d[i].becomes : d[i].is);
    }
    for (uint64_t type = 1; type < 16; type++)
        for (uint64_t dpl = 0; dpl < 4; dpl++) {
            uint64_t now = 1UL << 47 | dpl << 45 | type << 40;

            EXPECT_EQ(descriptor_fix(&now), type == 0xc);
        }
}

TEST("all descriptors of a page are looked at")
{
    mfn_t m = page();

    for (unsigned int i = 0; i < PT_ENTRIES; i += 73) {
        entries(m)[i] = 0x0000890000000000; /* a task state segment */
        EXPECT_EQ(page_get_type(&space, m, FRAME_DESCRIPTORS, &work), -EINVAL);
        drop_all();
        EXPECT_EQ(refs(m), 1);
        EXPECT_EQ(mfn_to_frame(m)->type_info, 0);
        entries(m)[i] = 0x00cf93000000ffff;
        work.left = PAGE_WORK_QUANTUM;
    }
    EXPECT_EQ(page_get_type(&space, m, FRAME_DESCRIPTORS, &work), 0);
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        EXPECT_EQ(entries(m)[i], i % 73 ? 0 : 0x00cff3000000ffff);
    EXPECT_EQ(pin(m, FRAME_L1), -EINVAL);
    EXPECT_EQ(page_get_type(&space, m, FRAME_WRITABLE, &work), -EBUSY);
    page_put_type(&space, mfn_to_frame(m));
    EXPECT_EQ(page_get_type(&space, m, FRAME_WRITABLE, &work), 0);
    page_put_type(&space, mfn_to_frame(m));
}

/* --- The check itself ------------------------------------------------------
 */

static void expect_found(const char *what)
{
    EXPECT_PANIC(pv_check_frames());
    EXPECT_TRUE(strstr(machine_panic_text, what) != NULL);
}

/* Counts that a check took away when it found a fault stay so: start anew. */
TEST("the check of all frames finds what is wrong")
{
    struct tree t = tree_make();
    struct frame saved[5], *f[5];
    const mfn_t *m = (const mfn_t *)&t;
    uint64_t e;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    for (unsigned int i = 0; i < 5; i++) {
        f[i] = mfn_to_frame(m[i]);
        saved[i] = *f[i];
    }
#define RESTORE()                                                              \
    for (unsigned int i = 0; i < 5; i++)                                       \
    *f[i] = saved[i]

    e = entries(t.l1)[9];
    entries(t.l1)[8] = e; /* one more than is counted */
    expect_found("more entries refer to it than are counted");
    RESTORE();
    entries(t.l1)[8] = to(t.l2, P | W);
    expect_found("as another type");
    RESTORE();
    entries(t.l1)[8] = to(mfn(1), P);
    expect_found("no RAM");
    RESTORE();
    entries(t.l1)[8] = 0;
    f[4]->type_info = (uint32_t)FRAME_L1 << FRAME_TYPE_SHIFT | 1;
    expect_found("as another type");
    RESTORE();
    entries(t.l4)[260] ^= 0x1000;
    expect_found("slots of the hypervisor");
    entries(t.l4)[260] ^= 0x1000;
    RESTORE();
    f[3]->progress = 9;
    expect_found("not valid");
    RESTORE();
    f[0]->type_info--;
    expect_found("pinned, and nobody");
    RESTORE();
    f[2]->refs = 1;
    expect_found("references");
    RESTORE();
    pv_check_frames();
}
