/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames and page tables of class pv: each rule, and each attack on it. */

/* LINK: hypervisor/memory/pv_space.c hypervisor/memory/page_type.c */
/* LINK: hypervisor/memory/page_entry.c hypervisor/memory/descriptor.c */
/* LINK: hypervisor/memory/pv_check.c hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/frame.c */
/* LINK: hypervisor/memory/buddy.c tests/unit/doubles/machine.c */
/* LINK: tests/unit/doubles/smp.c tests/unit/doubles/m2p.c */

#include "memory/pv_space.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "doubles/machine.h"
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
    frame_totals(&whole);
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
    frame_totals(&now);
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
    EXPECT_EQ(entries(t.l4)[256], hv_l4_slots()[0] | U);
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
    EXPECT_EQ(pin(t.leaf, FRAME_L1), -EBUSY);
    EXPECT_EQ(set(t.l1, 1, 9, to(t.leaf, P)), 0);
    EXPECT_EQ(pin(t.leaf, FRAME_L1), 0);
}

TEST("the walk finds the entry of an address")
{
    struct tree t = tree_make();
    mfn_t table = MFN_NONE;
    unsigned int index = 0;
    vaddr_t va = ~0UL << 39 | 510UL << 30 | 7UL << 21 | 9UL << 12;

    EXPECT_EQ(pin(t.l4, FRAME_L4), 0);
    EXPECT_TRUE(entry_find(t.l4, va, &table, &index));
    EXPECT_TRUE(mfn_eq(table, t.l1));
    EXPECT_EQ(index, 9);
    EXPECT_FALSE(entry_find(t.l4, va - (1UL << 21), &table, &index));
    EXPECT_FALSE(entry_find(t.l4, M2P_BASE, &table, &index));
    EXPECT_FALSE(entry_find(t.l4, va & ~(1UL << 60), &table, &index));
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
