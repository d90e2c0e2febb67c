/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Light address spaces in fake memory: what every leaf is after every
 * operation, as the processor would see it.
 */

/* LINK: hypervisor/memory/light.c */
/* LINK: hypervisor/memory/light_pages.c hypervisor/memory/light_window.c */
/* LINK: hypervisor/memory/space.c */
/* LINK: hypervisor/memory/tlb_batch.c hypervisor/memory/frame.c */
/* LINK: hypervisor/memory/buddy.c tests/unit/doubles/machine.c */
/* LINK: tests/unit/doubles/smp.c */

#include "memory/light.h"

#include "arch/x86_64/regs.h"
#include "doubles/discard.h"
#include "doubles/machine.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light_near.h"
#include "test.h"

#define FRAMES 4096U

/* Neither aligned to 2 MiB nor within one table. */
#define BASE     0x3ff000UL
#define RAM      1200U
#define GRANTS   40U
#define MODULES  10U
#define MMIO     20U
#define RESERVED 600U

static struct light_space space;
static struct frame_totals before;

static const struct light_layout layout = {
    .virt_base = BASE,
    .ram_pages = RAM,
    .grant_pages = GRANTS,
    .module_pages = MODULES,
    .mmio_pages = MMIO,
};

static void make(uint64_t reserved)
{
    REQUIRE(light_create(&space, 5, &layout, reserved) == 0);
}

void setup(void)
{
    static bool made;

    if (!made) {
        machine_make(FRAMES);
        frames_add(mfn(MACHINE_FIRST), FRAMES);
        made = true;
    }
    before = frame_totals();
    make(RESERVED);
    machine_page_flushes = 0;
    machine_full_flushes = 0;
}

static bool destroy_all(void)
{
    space.base.live_cpus = 0;
    for (int calls = 0; calls < 1000; calls++)
        if (light_destroy(&space))
            return true;
    return false;
}

void teardown(void)
{
    struct frame_totals now;

    EXPECT_TRUE(destroy_all());
    EXPECT_EQ(space.used_pages, 0);
    EXPECT_EQ(space.table_pages, 0);
    now = frame_totals();
    EXPECT_EQ(now.free, before.free);
    EXPECT_EQ(now.unreserved, before.unreserved);
    EXPECT_EQ(machine_frames_owned(5), 0);
    EXPECT_EQ(machine_frames_owned(DOMID_XEN), 0);
    EXPECT_EQ(machine_locks_held(), 0);
}

/* The leaf as the processor's walk finds it; 0: none. */
static uint64_t leaf(uint64_t page)
{
    vaddr_t va = BASE + page * PAGE_SIZE;
    const uint64_t *table = mfn_to_virt(space.root);

    for (unsigned int level = 4; level > 1; level--) {
        uint64_t entry = table[pt_index(va, level)];

        if (!(entry & PTE_PRESENT))
            return 0;
        EXPECT_EQ(entry & ~PTE_MADDR_MASK,
                  PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED);
        table = mfn_to_virt(pte_mfn(entry));
    }
    return table[pt_index(va, 1)];
}

static bool can_write(uint64_t page)
{
    return (leaf(page) & PTE_PRESENT) && (leaf(page) & PTE_WRITE);
}

static bool can_run(uint64_t page)
{
    return (leaf(page) & PTE_PRESENT) && !(leaf(page) & PTE_NX);
}

static int fault(uint64_t page, enum light_access access)
{
    return light_fault(&space, BASE + page * PAGE_SIZE + 123, access);
}

static struct frame *frame_of(uint64_t page)
{
    return mfn_to_frame(pte_mfn(leaf(page)));
}

TEST("a new space has a root with the hypervisor's slots and two tables below")
{
    const uint64_t *root = mfn_to_virt(space.root);

    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        uint64_t want = i >= HV_L4_FIRST && i < HV_L4_FIRST + HV_L4_COUNT
                            ? hv_l4_slots()[i - HV_L4_FIRST]
                            : 0;

        if (i > 0)
            EXPECT_EQ(root[i], want);
    }
    EXPECT_EQ(leaf(0), 0);
    EXPECT_EQ(space.table_pages, 3);
    EXPECT_EQ(space.used_pages, 0);
    EXPECT_EQ(frame_type(mfn_to_frame(space.root)), FRAME_L4);
}

TEST("the promise holds every page and every table of the layout")
{
    uint64_t pages = RAM + LIGHT_SPECIAL_PAGES + GRANTS + MODULES + MMIO;
    struct frame_totals now;

    /* 1398 pages from 4 KiB below 4 MiB on: four L1 tables. */
    EXPECT_EQ(space.pages, pages);
    EXPECT_EQ(space.tables_left + space.table_pages, 1 + 1 + 1 + 4);
    now = frame_totals();
    EXPECT_EQ(before.unreserved - now.unreserved, RESERVED + 7);
}

TEST("layouts that are not wholly a guest's, or out of order, are refused")
{
    static const struct {
        uint64_t base, ram;
        int rc;
    } cases[] = {
        {0, 100, 0},
        {0x1000, 100, 0},
        {0x1001, 100, -EINVAL},
        {0x7fffffff0000, 1, -EINVAL},
        {0x7ffffffff000 - 0x1000000, 0x1000 - 128, 0},
        {0x7ffffffff000 - 0x1000000, 0x1000 - 127, -EINVAL},
        {0x800000000000, 1, -EINVAL},
        {0xffff7ffffffff000, 1, -EINVAL},
        {0xffff800000000000, 1, -EINVAL},
        {0xffff87fffff00000, 512, -EINVAL},
        {0xffff880000000000, 512, 0},
        {0xffffffffff000000, 0x1000 - 128 - 1, 0},
        {0xffffffffff000000, 0x1000 - 128, -EINVAL},
        {0xffffffffff000000, 0x1000, -EINVAL},
        {0x1000, 0, -EINVAL},
        {0x1000, 1UL << 52, -EINVAL},
        {0x1000, ~0UL, -EINVAL},
        {0x1000, ~0UL - 127, -EINVAL},
        {0x1000, 1UL << 34, -ENOMEM},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct light_space s;
        struct light_layout l = {.virt_base = cases[i].base,
                                 .ram_pages = cases[i].ram};
        int rc;

        rc = light_create(&s, 1, &l, 0);
        EXPECT_EQ(rc, cases[i].rc);
        EXPECT_TRUE(light_destroy(&s));
        if (rc != cases[i].rc)
            printf("    case %zu\n", i);
    }
}

TEST("the windows lie behind RAM and behind each other, whatever was said")
{
    struct light_layout l = layout;
    struct light_space s;

    l.special_gfn = l.grant_gfn = l.mmio_gfn = 7;
    EXPECT_EQ(light_create(&s, 1, &l, 0), 0);
    EXPECT_EQ(s.layout.special_gfn, RAM);
    EXPECT_EQ(s.layout.grant_gfn, RAM + LIGHT_SPECIAL_PAGES);
    EXPECT_EQ(s.layout.module_gfn, s.layout.grant_gfn + GRANTS);
    EXPECT_EQ(s.layout.mmio_gfn, s.layout.module_gfn + MODULES);
    EXPECT_EQ(s.pages, s.layout.mmio_gfn + MMIO);
    EXPECT_TRUE(light_destroy(&s));
}

TEST("windows too large for any space, or more promised than RAM, are refused")
{
    static const uint64_t sizes[] = {1UL << 36, 1UL << 40, 1UL << 52,
                                     1UL << 63, ~0UL,      ~0UL - RAM};
    struct light_layout l;
    struct light_space s;

    for (unsigned int i = 0; i < 6; i++) {
        l = layout;
        l.grant_pages = sizes[i];
        EXPECT_EQ(light_create(&s, 1, &l, 0), -EINVAL);
        l = layout;
        l.module_pages = sizes[i];
        EXPECT_EQ(light_create(&s, 1, &l, 0), -EINVAL);
        l = layout;
        l.mmio_pages = sizes[i];
        EXPECT_EQ(light_create(&s, 1, &l, 0), -EINVAL);
    }
    EXPECT_EQ(light_create(&s, 1, &layout, RAM + 1), -EINVAL);
    l = (struct light_layout){.virt_base = BASE, .ram_pages = FRAMES * 2};
    EXPECT_EQ(light_create(&s, 1, &l, FRAMES), -ENOMEM);
    EXPECT_TRUE(light_destroy(&s));
}

TEST("a touched page of RAM becomes a clear page that is writable, not code")
{
    uint64_t want =
        PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY | PTE_NX;

    EXPECT_EQ(fault(0, LIGHT_READ), 0);
    EXPECT_EQ(fault(RAM - 1, LIGHT_WRITE), 0);
    EXPECT_EQ(leaf(0) & ~PTE_MADDR_MASK, want);
    EXPECT_EQ(leaf(RAM - 1) & ~PTE_MADDR_MASK, want);
    EXPECT_EQ(*(uint64_t *)mfn_to_virt(pte_mfn(leaf(0))), 0);
    EXPECT_EQ(space.used_pages, 2);
    EXPECT_EQ(space.reserve_left, RESERVED - 2);
    EXPECT_EQ(frame_of(0)->owner, 5);
    EXPECT_EQ(frame_of(0)->refs, 1);
    EXPECT_EQ(frame_type(frame_of(0)), FRAME_WRITABLE);

    /* Again: another vCPU was faster. */
    EXPECT_EQ(fault(0, LIGHT_WRITE), 0);
    EXPECT_EQ(space.used_pages, 2);
    EXPECT_EQ(fault(0, LIGHT_EXECUTE), -EFAULT);
    EXPECT_EQ(fault(5, LIGHT_EXECUTE), -EFAULT);
    EXPECT_EQ(leaf(5), 0);
}

TEST("addresses outside of RAM fault to the guest, however wild")
{
    static const vaddr_t wild[] = {
        0,
        BASE - 1,
        BASE + RAM * PAGE_SIZE,
        BASE + 2000 * PAGE_SIZE,
        0x800000000000,
        HV_VIRT_START,
        FRAME_TABLE_BASE,
        HV_VIRT_END,
        ~0UL,
    };

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        EXPECT_EQ(light_fault(&space, wild[i], LIGHT_READ), -EFAULT);
        EXPECT_EQ(light_fault(&space, wild[i], LIGHT_WRITE), -EFAULT);
    }
    EXPECT_EQ(space.table_pages, 3);
}

TEST("every protection of an untouched page holds when it is touched")
{
    static const struct {
        uint32_t prot;
        bool read, write, run;
    } cases[] = {
        {LIGHT_PROT_guard, false, false, false},
        {LIGHT_PROT_read, true, false, false},
        {LIGHT_PROT_read_write, true, true, false},
        {LIGHT_PROT_execute, true, false, true},
    };

    for (unsigned int i = 0; i < 4; i++) {
        uint32_t prot = cases[i].prot;

        EXPECT_EQ(light_protect(&space, gfn(i * 4), 3, prot, true), 0);
        EXPECT_EQ(leaf(i * 4) & (PTE_MADDR_MASK | PTE_PRESENT), 0);
        EXPECT_EQ(fault(i * 4, LIGHT_READ), cases[i].read ? 0 : -EFAULT);
        EXPECT_EQ(fault(i * 4 + 1, LIGHT_WRITE), cases[i].write ? 0 : -EFAULT);
        EXPECT_EQ(fault(i * 4 + 2, LIGHT_EXECUTE), cases[i].run ? 0 : -EFAULT);
        EXPECT_EQ(can_write(i * 4), cases[i].write);
        EXPECT_EQ(can_run(i * 4), cases[i].run);
    }
}

/* Every change of protection on a populated page, builder or guest. */
TEST("no sequence of protections makes a page writable and executable")
{
    for (uint32_t from = 0; from < 4; from++)
        for (uint32_t to = 0; to < 5; to++)
            for (int builder = 0; builder < 2; builder++) {
                uint64_t page = 100 + from * 20 + to * 2 + (unsigned)builder;
                bool text = from == LIGHT_PROT_execute;
                int rc, want = 0;

                EXPECT_EQ(fault(page, LIGHT_WRITE), 0);
                EXPECT_EQ(light_protect(&space, gfn(page), 1, from, true), 0);
                space.base.live_cpus = 1;
                machine_page_flushes = 0;
                rc = light_protect(&space, gfn(page), 1, to, builder);
                if (to > LIGHT_PROT_execute ||
                    (to == LIGHT_PROT_execute && !builder))
                    want = -EINVAL;
                else if (text && !builder)
                    want = -EACCES;
                EXPECT_EQ(rc, want);
                EXPECT_FALSE(can_write(page) && can_run(page));
                if (rc)
                    continue;
                EXPECT_EQ(can_write(page), to == LIGHT_PROT_read_write &&
                                               from != LIGHT_PROT_guard);
                EXPECT_EQ(can_run(page),
                          to == LIGHT_PROT_execute && from != LIGHT_PROT_guard);
                if (from != to && from > LIGHT_PROT_read)
                    EXPECT_EQ(machine_page_flushes, 1);
                if (leaf(page) & PTE_PRESENT)
                    EXPECT_EQ(frame_type_count(frame_of(page)),
                              can_write(page));
                if (to == LIGHT_PROT_guard)
                    EXPECT_EQ(leaf(page) & PTE_MADDR_MASK, 0);
            }
}

TEST("ranges that are not wholly RAM are refused whole")
{
    static const struct {
        uint64_t first, count;
    } bad[] = {
        {RAM, 1},  {RAM + 1, 0}, {0, RAM + 1},   {RAM - 1, 2}, {~0UL, 1},
        {~0UL, 2}, {1, ~0UL},    {1UL << 52, 1}, {~0UL, ~0UL},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        EXPECT_EQ(light_protect(&space, gfn(bad[i].first), bad[i].count,
                                LIGHT_PROT_read, true),
                  -EINVAL);
        EXPECT_EQ(discard(&space, bad[i].first, bad[i].count), -EINVAL);
    }
    EXPECT_EQ(light_protect(&space, gfn(RAM), 0, LIGHT_PROT_read, false), 0);
    EXPECT_EQ(space.table_pages, 3);
}

TEST("a discarded page is clear again and its frame is back in the promise")
{
    uint64_t *word;

    space.base.live_cpus = 1;
    EXPECT_EQ(fault(7, LIGHT_WRITE), 0);
    word = mfn_to_virt(pte_mfn(leaf(7)));
    *word = 0x1234;
    EXPECT_EQ(discard(&space, 0, 20), 0);
    EXPECT_EQ(leaf(7), 0);
    EXPECT_EQ(machine_page_flushes, 1);
    EXPECT_EQ(machine_last_flush, BASE + 7 * PAGE_SIZE);
    EXPECT_EQ(space.reserve_left, RESERVED);
    EXPECT_EQ(space.used_pages, 0);
    EXPECT_EQ(fault(7, LIGHT_READ), 0);
    EXPECT_EQ(*(uint64_t *)mfn_to_virt(pte_mfn(leaf(7))), 0);
}

static struct frame *watched;
static unsigned int still_held;

static void watch_frame(void)
{
    still_held += watched->refs == 1 && frame_type(watched) == FRAME_WRITABLE &&
                  frame_type_count(watched) == 1;
}

TEST("a frame is kept, with its type, until every CPU has forgotten it")
{
    space.base.live_cpus = 1;
    machine_at_flush = watch_frame;
    still_held = 0;

    EXPECT_EQ(fault(7, LIGHT_WRITE), 0);
    watched = frame_of(7);
    EXPECT_EQ(light_protect(&space, gfn(7), 1, LIGHT_PROT_read, false), 0);
    EXPECT_EQ(still_held, 1);
    EXPECT_EQ(frame_type_count(watched), 0);

    EXPECT_EQ(fault(8, LIGHT_WRITE), 0);
    watched = frame_of(8);
    EXPECT_EQ(discard(&space, 8, 1), 0);
    EXPECT_EQ(still_held, 2);
    EXPECT_EQ(watched->refs, 0);
    machine_at_flush = NULL;
}

TEST("discarding keeps protections, and text stays")
{
    EXPECT_EQ(light_protect(&space, gfn(1), 1, LIGHT_PROT_read, false), 0);
    EXPECT_EQ(light_protect(&space, gfn(2), 1, LIGHT_PROT_guard, false), 0);
    EXPECT_EQ(light_protect(&space, gfn(3), 1, LIGHT_PROT_execute, true), 0);
    EXPECT_EQ(fault(1, LIGHT_READ), 0);
    EXPECT_EQ(discard(&space, 0, 3), 0);
    EXPECT_EQ(discard(&space, 3, 1), -EACCES);
    EXPECT_EQ(fault(1, LIGHT_WRITE), -EFAULT);
    EXPECT_EQ(fault(2, LIGHT_READ), -EFAULT);
    EXPECT_EQ(fault(3, LIGHT_EXECUTE), 0);
}

TEST("many pages at once are one flush of everything")
{
    space.base.live_cpus = 1;
    for (uint64_t page = 0; page < LIGHT_QUANTUM; page++)
        EXPECT_EQ(fault(page, LIGHT_WRITE), 0);
    EXPECT_EQ(discard(&space, 0, TLB_BATCH_PAGES), 0);
    EXPECT_EQ(machine_page_flushes, TLB_BATCH_PAGES);
    EXPECT_EQ(machine_full_flushes, 0);
    EXPECT_EQ(discard(&space, 0, LIGHT_QUANTUM), 0);
    EXPECT_EQ(machine_full_flushes, 1);
}

TEST("a pinned page is neither discarded nor loses a right")
{
    struct frame *f;

    EXPECT_EQ(light_get_frame(&space, gfn(9), LIGHT_WRITE, false, &f), 0);
    EXPECT_EQ(f->refs, 2);
    EXPECT_EQ(discard(&space, 9, 1), -EACCES);
    EXPECT_EQ(light_protect(&space, gfn(9), 1, LIGHT_PROT_guard, false),
              -EACCES);
    EXPECT_EQ(light_protect(&space, gfn(9), 1, LIGHT_PROT_read, false),
              -EACCES);
    EXPECT_EQ(light_protect(&space, gfn(9), 1, LIGHT_PROT_execute, true),
              -EACCES);
    EXPECT_TRUE(can_write(9));
    frame_put(f);
    EXPECT_EQ(discard(&space, 9, 1), 0);
}

TEST("a pinned frame outlives its domain, then is free")
{
    struct frame *f;

    EXPECT_EQ(light_get_frame(&space, gfn(9), LIGHT_WRITE, false, &f), 0);
    EXPECT_TRUE(destroy_all());
    EXPECT_EQ(f->refs, 1);
    EXPECT_EQ(f->owner, 5);
    frame_put(f);
}

TEST("frames are given out only for the rights that the page has")
{
    static const struct {
        uint32_t prot;
        enum light_access access;
        bool override;
        int rc;
    } cases[] = {
        {LIGHT_PROT_guard, LIGHT_READ, false, -EACCES},
        {LIGHT_PROT_guard, LIGHT_WRITE, true, -EACCES},
        {LIGHT_PROT_read, LIGHT_READ, false, 0},
        {LIGHT_PROT_read, LIGHT_WRITE, false, -EACCES},
        {LIGHT_PROT_read, LIGHT_WRITE, true, 0},
        {LIGHT_PROT_read_write, LIGHT_READ, false, 0},
        {LIGHT_PROT_read_write, LIGHT_WRITE, false, 0},
        {LIGHT_PROT_execute, LIGHT_READ, false, 0},
        {LIGHT_PROT_execute, LIGHT_WRITE, false, -EACCES},
        {LIGHT_PROT_execute, LIGHT_WRITE, true, 0},
    };

    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (unsigned int touched = 0; touched < 2; touched++) {
            uint64_t page = i * 2 + touched;
            struct frame *f = NULL;

            EXPECT_EQ(light_protect(&space, gfn(page), 1, cases[i].prot, true),
                      0);
            if (touched && cases[i].prot != LIGHT_PROT_guard)
                EXPECT_EQ(fault(page, LIGHT_READ), 0);
            EXPECT_EQ(light_get_frame(&space, gfn(page), cases[i].access,
                                      cases[i].override, &f),
                      cases[i].rc);
            EXPECT_EQ(f != NULL, cases[i].rc == 0);
            if (f) {
                EXPECT_PTR(f, frame_of(page));
                frame_put(f);
            }
        }
}

TEST("only RAM has frames to give out")
{
    struct frame *f = NULL;

    EXPECT_EQ(light_get_frame(&space, gfn(RAM), LIGHT_READ, false, &f),
              -EINVAL);
    EXPECT_EQ(light_get_frame(&space, gfn(~0UL), LIGHT_READ, false, &f),
              -EINVAL);
    EXPECT_PTR(f, NULL);
}

TEST("beyond the promise pages come from what is free, until nothing is")
{
    uint64_t touched = 0;
    struct frame *f;
    struct frame_totals now;

    REQUIRE(destroy_all());
    now = frame_totals();
    EXPECT_EQ(frame_reserve(now.unreserved - 300), 0);
    make(100);
    while (touched < RAM && fault(touched, LIGHT_WRITE) == 0)
        touched++;
    EXPECT_EQ(touched, 300 - 7);
    EXPECT_EQ(fault(touched, LIGHT_WRITE), -ENOMEM);
    EXPECT_EQ(light_get_frame(&space, gfn(touched), LIGHT_READ, false, &f),
              -ENOMEM);
    EXPECT_EQ(leaf(touched), 0);

    /* What comes back goes to the promise first, the rest to everybody. */
    machine_refilled_calls = 0;
    frames_wanted = 1;
    EXPECT_EQ(discard(&space, 0, 150), 0);
    EXPECT_EQ(space.reserve_left, 100);
    now = frame_totals();
    EXPECT_EQ(now.unreserved, 50);

    /* A vCPU of its own that waits is told. */
    EXPECT_EQ(machine_refilled_calls, 1);
    frames_wanted = 0;
    EXPECT_EQ(discard(&space, 150, 1), 0);
    EXPECT_EQ(machine_refilled_calls, 1);
    REQUIRE(destroy_all());
    frame_unreserve(before.unreserved - 300);
}

TEST("special pages go into their windows only, once, never executable")
{
    uint64_t at = space.layout.special_gfn;
    mfn_t m = mfn(MACHINE_FIRST + 5);

    EXPECT_EQ(light_map_special(&space, gfn(at), m, true), 0);
    EXPECT_EQ(light_map_special(&space, gfn(at), m, true), -EBUSY);
    EXPECT_EQ(light_map_special(&space, gfn(at + 127), m, false), 0);
    EXPECT_EQ(light_map_special(&space, gfn(at + 128), m, false), -EINVAL);
    EXPECT_EQ(light_map_special(&space, gfn(RAM - 1), m, false), -EINVAL);
    EXPECT_EQ(
        light_map_special(&space, gfn(space.layout.module_gfn + 9), m, false),
        0);
    EXPECT_EQ(
        light_map_special(&space, gfn(space.layout.module_gfn + 10), m, false),
        -EINVAL);
    EXPECT_TRUE(can_write(at));
    EXPECT_FALSE(can_write(at + 127));
    EXPECT_FALSE(can_run(at) || can_run(at + 127));
    EXPECT_EQ(pte_mfn(leaf(at)).raw, m.raw);
    EXPECT_EQ(light_fault(&space, BASE + at * PAGE_SIZE, LIGHT_EXECUTE),
              -EFAULT);
}

static uint64_t special_at;

static int move_to(uint64_t to)
{
    return light_move_special(&space, &special_at, to);
}

TEST("a special page moves over RAM, and is none of the domain's there")
{
    mfn_t m = mfn(MACHINE_FIRST + 5);
    struct frame *f;

    special_at = space.layout.special_gfn;
    EXPECT_EQ(light_map_special(&space, gfn(special_at), m, true), 0);
    EXPECT_EQ(fault(7, LIGHT_WRITE), 0);
    space.base.live_cpus = 1;
    machine_at_flush = watch_frame;
    watched = frame_of(7);
    still_held = 0;
    EXPECT_EQ(move_to(7), 0);
    machine_at_flush = NULL;
    EXPECT_EQ(still_held, 2); /* one flush for it, one for the old place */
    EXPECT_EQ(watched->refs, 0);
    EXPECT_EQ(space.used_pages, 0);
    EXPECT_EQ(special_at, 7);
    EXPECT_EQ(pte_mfn(leaf(7)).raw, m.raw);
    EXPECT_EQ(leaf(space.layout.special_gfn), 0);

    EXPECT_EQ(discard(&space, 7, 1), -EACCES);
    for (uint32_t prot = 0; prot < 4; prot++)
        EXPECT_EQ(light_protect(&space, gfn(7), 1, prot, true), -EACCES);
    EXPECT_EQ(light_get_frame(&space, gfn(7), LIGHT_READ, true, &f), -EACCES);
    EXPECT_EQ(fault(7, LIGHT_WRITE), 0);
    EXPECT_EQ(fault(7, LIGHT_EXECUTE), -EFAULT);

    EXPECT_EQ(move_to(7), 0);
    EXPECT_EQ(move_to(8), 0);
    EXPECT_EQ(leaf(7), 0);
    EXPECT_EQ(fault(7, LIGHT_WRITE), 0);
    EXPECT_EQ(space.used_pages, 1);
}

TEST("a special page moves neither over text, pins, its like nor elsewhere")
{
    uint64_t other = space.layout.special_gfn + 1;
    struct frame *f;

    special_at = space.layout.special_gfn;
    EXPECT_EQ(light_map_special(&space, gfn(special_at), mfn(4), true), 0);
    EXPECT_EQ(light_map_special(&space, gfn(other), mfn(5), true), 0);
    EXPECT_EQ(light_protect(&space, gfn(3), 1, LIGHT_PROT_execute, true), 0);
    EXPECT_EQ(light_get_frame(&space, gfn(9), LIGHT_WRITE, false, &f), 0);
    EXPECT_EQ(move_to(3), -EACCES);
    EXPECT_EQ(move_to(9), -EACCES);
    EXPECT_EQ(move_to(other), -EACCES);
    EXPECT_EQ(move_to(space.layout.grant_gfn), -EINVAL);
    EXPECT_EQ(move_to(space.layout.mmio_gfn), -EINVAL);
    EXPECT_EQ(move_to(~0UL), -EINVAL);
    EXPECT_EQ(special_at, space.layout.special_gfn);
    frame_put(f);
    EXPECT_TRUE(destroy_all());
    EXPECT_EQ(move_to(20), -EINVAL);
}

TEST("device pages are uncached, and RAM is no device")
{
    uint64_t at = space.layout.mmio_gfn;

    EXPECT_EQ(light_map_mmio(&space, gfn(at), mfn(MACHINE_FIRST)), -EINVAL);
    EXPECT_EQ(light_map_mmio(&space, gfn(at), mfn(0xfebd0)), 0);
    EXPECT_EQ(light_map_mmio(&space, gfn(at), mfn(0xfebd0)), -EBUSY);
    EXPECT_EQ(light_map_mmio(&space, gfn(at - 1), mfn(0xfebd0)), -EINVAL);
    EXPECT_EQ(light_map_mmio(&space, gfn(at + MMIO), mfn(0xfebd0)), -EINVAL);
    EXPECT_EQ(leaf(at) & (PTE_PCD | PTE_PWT), PTE_PCD | PTE_PWT);
    EXPECT_TRUE(can_write(at));
    EXPECT_FALSE(can_run(at));
}

TEST("a granted frame is mapped and unmapped at a page of its window only")
{
    vaddr_t va = BASE + space.layout.grant_gfn * PAGE_SIZE;
    struct frame *f = frame_alloc(9, FRAME_GUEST);
    struct tlb_batch batch;
    mfn_t m;

    REQUIRE(f != NULL);
    m = frame_to_mfn(f);
    space.base.live_cpus = 1;
    tlb_batch_init(&batch, &space.base);
    EXPECT_EQ(light_map_granted(&space, va + 1, m, true), -EINVAL);
    EXPECT_EQ(light_map_granted(&space, va - PAGE_SIZE, m, true), -EINVAL);
    EXPECT_EQ(light_map_granted(&space, va + GRANTS * PAGE_SIZE, m, true),
              -EINVAL);
    EXPECT_EQ(light_map_granted(&space, BASE, m, true), -EINVAL);
    EXPECT_EQ(light_map_granted(&space, 0, m, true), -EINVAL);
    EXPECT_EQ(light_map_granted(&space, ~0UL << 12, m, true), -EINVAL);

    EXPECT_EQ(light_unmap_granted(&space, va, m, &batch), -EINVAL);
    EXPECT_EQ(light_map_granted(&space, va, m, false), 0);
    EXPECT_EQ(light_map_granted(&space, va, m, true), -EBUSY);
    EXPECT_FALSE(can_write(space.layout.grant_gfn));
    EXPECT_FALSE(can_run(space.layout.grant_gfn));
    EXPECT_EQ(light_unmap_granted(&space, va, mfn(m.raw + 1), &batch), -EINVAL);
    EXPECT_EQ(light_unmap_granted(&space, va + PAGE_SIZE, m, &batch), -EINVAL);
    EXPECT_EQ(light_unmap_granted(&space, va, m, &batch), 0);
    EXPECT_EQ(machine_page_flushes, 0);
    tlb_batch_flush(&batch);
    EXPECT_EQ(machine_page_flushes, 1);
    EXPECT_EQ(leaf(space.layout.grant_gfn), 0);
    frame_put(f);
}

TEST("a space that still maps a grant is not destroyed")
{
    vaddr_t va = BASE + space.layout.grant_gfn * PAGE_SIZE;
    struct frame *f = frame_alloc(9, FRAME_GUEST);
    struct tlb_batch batch;

    REQUIRE(f != NULL);
    EXPECT_EQ(light_map_granted(&space, va, frame_to_mfn(f), true), 0);
    EXPECT_PANIC(light_destroy(&space));
    tlb_batch_init(&batch, &space.base);
    EXPECT_EQ(light_unmap_granted(&space, va, frame_to_mfn(f), &batch), 0);
    frame_put(f);
}

TEST("a space that a CPU may still hold is not destroyed")
{
    space.base.live_cpus = 2;
    EXPECT_PANIC(light_destroy(&space));
}

TEST("destruction does a bounded part at a time, and all in the end")
{
    unsigned int calls = 0;

    for (uint64_t page = 0; page < RESERVED; page++)
        EXPECT_EQ(fault(page * 2, LIGHT_WRITE), 0);
    do {
        uint64_t used = space.used_pages;

        calls++;
        if (light_destroy(&space))
            break;
        EXPECT_TRUE(used - space.used_pages <= 200);
    } while (calls < 100);
    EXPECT_TRUE(calls >= 3 && calls < 20);
    EXPECT_TRUE(light_destroy(&space));
}

TEST("whoever still holds a space that is being destroyed finds nothing in it")
{
    struct frame *f;
    mfn_t m;

    EXPECT_EQ(fault(3, LIGHT_WRITE), 0);
    EXPECT_TRUE(destroy_all());
    EXPECT_EQ(fault(3, LIGHT_READ), -EFAULT);
    EXPECT_EQ(light_get_frame(&space, gfn(3), LIGHT_READ, false, &f), -EINVAL);
    EXPECT_FALSE(light_near_frame(&space, 3, false, &m));
    EXPECT_EQ(discard(&space, 3, 1), -EINVAL);
    EXPECT_EQ(light_protect(&space, gfn(3), 1, LIGHT_PROT_read, true), -EINVAL);
    EXPECT_EQ(light_map_special(&space, gfn(space.layout.special_gfn),
                                mfn(MACHINE_FIRST), true),
              -EINVAL);
}

TEST("a huge and sparse space is destroyed by what it holds")
{
    struct light_layout l = {.virt_base = 0x1000, .ram_pages = 1UL << 19};
    unsigned int calls = 1;

    REQUIRE(destroy_all()); /* and then one of 2 GiB: */
    REQUIRE(light_create(&space, 5, &l, 0) == 0);
    EXPECT_EQ(light_fault(&space, 0x1000, LIGHT_READ), 0);
    EXPECT_EQ(light_fault(&space, 0x5000000, LIGHT_READ), 0);
    EXPECT_EQ(light_fault(&space, 0x7fffff00, LIGHT_READ), 0);
    EXPECT_EQ(space.table_pages, 1 + 1 + 2 + 3);
    while (!light_destroy(&space))
        calls++;
    /* What three tables of leaves need, and none that lacks. */
    EXPECT_TRUE(calls <= 2);
}

TEST("random touching, protecting and discarding leaves nothing behind")
{
    uint64_t seed = 99, present = 0;

    for (int step = 0; step < 50000; step++) {
        uint64_t page, count;

        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        page = (seed >> 33) % (RAM + 10);
        count = (seed >> 50) % 9;
        switch ((seed >> 60) % 4) {
        case 0:
        case 1:
            (void)!fault(page, (seed >> 58) % 3);
            break;
        case 2:
            (void)!light_protect(&space, gfn(page), count, (seed >> 45) % 4,
                                 (seed >> 43) % 8 == 0);
            break;
        default:
            (void)!discard(&space, page, count);
        }
    }
    for (uint64_t page = 0; page < RAM; page++) {
        EXPECT_FALSE(can_write(page) && can_run(page));
        if (leaf(page) & PTE_PRESENT) {
            present++;
            EXPECT_EQ(frame_type_count(frame_of(page)), can_write(page));
        } else {
            EXPECT_EQ(leaf(page) & PTE_MADDR_MASK, 0);
        }
    }
    EXPECT_EQ(space.used_pages, present);
    EXPECT_EQ(space.reserve_left + present,
              present > RESERVED ? present : RESERVED);
}

TEST("under xpti the guest's root has its entries and one of ours, to the end")
{
    const uint64_t *ours, *guests;

    EXPECT_TRUE(destroy_all());
    cpu_features.xpti = true;
    make(RESERVED);
    cpu_features.xpti = false;
    EXPECT_EQ(fault(0, LIGHT_WRITE), 0);

    ours = mfn_to_virt(space.root);
    guests = mfn_to_virt(space.guest_root);
    REQUIRE(ours != guests);
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        if (i == XPTI_L4_INDEX)
            EXPECT_EQ(guests[i], xpti_l4_entry);
        else if (i >= HV_L4_FIRST && i < HV_L4_FIRST + HV_L4_COUNT)
            EXPECT_EQ(guests[i], 0);
        else
            EXPECT_EQ(guests[i], ours[i]);
    }
    EXPECT_TRUE(guests[pt_index(BASE, 4)] & PTE_PRESENT);
}
