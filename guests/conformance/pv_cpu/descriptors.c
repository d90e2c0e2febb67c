/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's descriptor tables: which descriptors it may have in them. */

#include <rt/hypercall.h>

#include "framework/ports.h"
#include "framework/tables.h"
#include "framework/test.h"

#define PRESENT   (1ULL << 47)
#define SEGMENT   (1ULL << 44)
#define TYPE(t)   ((uint64_t)(t) << 40)
#define DPL(n)    ((uint64_t)(n) << 45)
#define CODE64    0x00affb000000ffffULL
#define DATA      0x00cff3000000ffffULL
#define GATE(sel) (PRESENT | TYPE(0xc) | (uint64_t)(sel) << 16)

#define GDT_PAGES   14U
#define GDT_ENTRIES (GDT_PAGES * 512)

static uint64_t *gdt;

static long set_gdt(const uint64_t *page, unsigned int entries)
{
    uint64_t frames[GDT_PAGES];

    for (unsigned int i = 0; i < GDT_PAGES; i++)
        frames[i] = page ? frame_of(page) : 0;
    return hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames), entries);
}

static long update(const void *page, unsigned int index, uint64_t descriptor)
{
    return hypercall2(HYPERCALL_update_descriptor, entry_at(page, index),
                      descriptor);
}

static void load_fs(void *selector)
{
    __asm__ volatile("mov %w0, %%fs" : : "r"(*(uint32_t *)selector));
}

/* True: it can be loaded. */
static bool loads(uint32_t selector)
{
    uint32_t none = 0;
    bool ok = !fault_probe(load_fs, &selector);

    load_fs(&none);
    return ok;
}

TEST("a table of descriptors is set, used, and taken away")
{
    gdt = page_at(0);
    gdt[2] = DATA;
    EXPECT_EQ(set_gdt(gdt, 8), -ABI_EINVAL); /* mapped writable */
    REQUIRE_EQ(map_readable(gdt), 0);
    REQUIRE_EQ(set_gdt(gdt, 8), 0);
    EXPECT_EQ(map_writable(gdt), -ABI_EBUSY);
    EXPECT_TRUE(loads(2 << 3 | 3));
    EXPECT_FALSE(loads(3 << 3 | 3));
    EXPECT_FALSE(loads(513 << 3 | 3));
    EXPECT_EQ(set_gdt(gdt, GDT_ENTRIES), 0);
    EXPECT_TRUE(loads((13 * 512 + 2) << 3 | 3));
    EXPECT_EQ(set_gdt(gdt, GDT_ENTRIES + 1), -ABI_EINVAL);
    EXPECT_EQ(set_gdt(NULL, 0), 0);
    EXPECT_FALSE(loads(2 << 3 | 3));
    EXPECT_EQ(map_writable(gdt), 0);
}

/* Looking at them all is more than is done at once. */
TEST("a table of many pages holds all of them, or none")
{
    uint64_t frames[GDT_PAGES];

    for (unsigned int i = 0; i < GDT_PAGES; i++) {
        page_at(i)[2] = DATA;
        frames[i] = frame_of(page_at(i));
        REQUIRE_EQ(map_readable(page_at(i)), 0);
    }
    REQUIRE_EQ(
        hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames), GDT_ENTRIES), 0);
    for (unsigned int i = 0; i < GDT_PAGES; i++) {
        EXPECT_TRUE(loads((i * 512 + 2) << 3 | 3));
        EXPECT_EQ(map_writable(page_at(i)), -ABI_EBUSY);
    }
    EXPECT_EQ(set_gdt(NULL, 0), 0);
    for (unsigned int i = 0; i < GDT_PAGES; i++)
        EXPECT_EQ(map_writable(page_at(i)), 0);

    for (unsigned int i = 0; i < GDT_PAGES - 1; i++)
        REQUIRE_EQ(map_readable(page_at(i)), 0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames), GDT_ENTRIES),
              -ABI_EINVAL); /* the last one is mapped writable */
    for (unsigned int i = 0; i < GDT_PAGES; i++)
        EXPECT_EQ(map_writable(page_at(i)), 0);
}

TEST("frames that are none make no table of descriptors")
{
    static const uint64_t frames[] = {~0UL, PTE_FRAME / PAGE_SIZE, 1UL << 40};

    for (unsigned int i = 0; i < 3; i++)
        EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frames[i]), 1),
                  -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, 0xffff830000000000, 1),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(frames), ~0UL),
              -ABI_EINVAL);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    REQUIRE_EQ(pin(page_at(0), 1), 0);
    EXPECT_EQ(set_gdt(page_at(0), 1), -ABI_EINVAL);
}

/* Whether a page with @d in its last place, and a call with it, are taken. */
static void audit(uint64_t d, bool good, uint64_t becomes)
{
    gdt[511] = d;
    REQUIRE_EQ(map_readable(gdt), 0);
    EXPECT_EQ(set_gdt(gdt, 1), good ? 0 : -ABI_EINVAL);
    if (good)
        EXPECT_EQ(gdt[511], becomes);
    EXPECT_EQ(update(gdt, 500, d), good ? 0 : -ABI_EINVAL);
    EXPECT_EQ(gdt[500], good ? becomes : 0);
    EXPECT_EQ(set_gdt(NULL, 0), 0);
    REQUIRE_EQ(map_writable(gdt), 0);
    gdt[500] = gdt[511] = 0;
    EXPECT_EQ(update(gdt, 500, d), good ? 0 : -ABI_EINVAL);
    EXPECT_EQ(gdt[500], good ? becomes : 0);
    gdt[500] = 0;
}

TEST("of the system's descriptors there are none but gates and nothing")
{
    gdt = page_at(0);
    for (unsigned int type = 0; type < 16; type++)
        for (unsigned int dpl = 0; dpl < 4; dpl++) {
            uint64_t d = TYPE(type) | DPL(dpl) | 0x0000003400005678ULL;

            audit(d, true, d); /* absent, so anything */
            if (type == 0)
                audit(d | PRESENT, true, d | PRESENT);
            else if (type != 0xc)
                audit(d | PRESENT, false, 0);
        }
}

TEST("segments lose the hypervisor's rings")
{
    gdt = page_at(0);
    for (unsigned int type = 0; type < 16; type++)
        for (unsigned int dpl = 0; dpl < 4; dpl++) {
            uint64_t d = PRESENT | SEGMENT | TYPE(type) | DPL(dpl) |
                         0x00cf00000000ffffULL;

            audit(d, true, d | DPL(3));
        }
}

TEST("gates lead to the guest's own selectors, and nobody goes through")
{
    gdt = page_at(0);
    for (unsigned int dpl = 0; dpl < 4; dpl++) {
        audit(GATE(0x10) | DPL(dpl), true, GATE(0x13));
        audit(GATE(0xdff8) | DPL(dpl), true, GATE(0xdffb));
        audit(GATE(FLAT_RING3_CS64) | DPL(dpl), true, GATE(FLAT_RING3_CS64));
        audit(GATE(0xe004) | DPL(dpl), true, GATE(0xe007));
    }
    for (unsigned int selector = 0xe000; selector < 0x10000; selector++)
        if (!(selector & 4) && selector != FLAT_RING3_CS64 &&
            (selector < 0xe100 || selector > 0xfff0))
            for (unsigned int dpl = 0; dpl < 4; dpl += 3)
                audit(GATE(selector) | DPL(dpl), false, 0);
}

static const struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) through = {0, 8 << 3 | 3};

static void call_far(void *unused)
{
    (void)unused;
    __asm__ volatile("lcall *%0" : : "m"(through) : "memory");
}

TEST("a call through a gate is #GP, whatever level it was given")
{
    gdt = page_at(0);
    for (unsigned int dpl = 0; dpl < 4; dpl++) {
        gdt[8] = GATE(FLAT_RING3_CS64) | DPL(dpl) | 0x1000;
        gdt[9] = 0;
        REQUIRE_EQ(map_readable(gdt), 0);
        REQUIRE_EQ(set_gdt(gdt, 16), 0);
        EXPECT_TRUE(fault_probe(call_far, NULL));
        EXPECT_EQ(trap_seen.vector, TRAP_GP);
        EXPECT_EQ(trap_seen.error, 8 << 3);
        EXPECT_EQ(set_gdt(NULL, 0), 0);
        REQUIRE_EQ(map_writable(gdt), 0);
    }
}

TEST("a descriptor is written only where one of ours can be")
{
    EXPECT_EQ(hypercall2(HYPERCALL_update_descriptor, PTE_FRAME, 0),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_update_descriptor, ~7UL, 0), -ABI_EINVAL);
    for (unsigned int offset = 1; offset < 8; offset++)
        EXPECT_EQ(hypercall2(HYPERCALL_update_descriptor,
                             machine_of(page_at(0)) + offset, 0),
                  -ABI_EINVAL);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    for (unsigned int level = 1; level <= 4; level++) {
        REQUIRE_EQ(pin(page_at(0), level), 0);
        EXPECT_EQ(update(page_at(0), 3, DATA), -ABI_EINVAL);
        EXPECT_EQ(update(page_at(0), 3, 0), -ABI_EINVAL);
        EXPECT_EQ(page_at(0)[3], 0);
        REQUIRE_EQ(unpin(page_at(0)), 0);
    }
}

/* --- The local table --------------------------------------------------------
 */

#define LOCAL(index) ((index) << 3 | 7)

static long set_ldt(const void *at, uint64_t entries)
{
    return mmuext_call(MMUEXT_SET_LDT, hypercall_ptr(at), entries);
}

TEST("a local table is looked at when it is used")
{
    uint64_t *ldt = page_at(0);

    ldt[1] = DATA;
    ldt[2] = 0x00cf93000000ffff; /* level 0 */
    EXPECT_EQ(set_ldt((uint8_t *)ldt + 8, 16), -ABI_EINVAL);
    EXPECT_EQ(set_ldt(ldt, 8193), -ABI_EINVAL);
    REQUIRE_EQ(map_readable(ldt), 0);
    EXPECT_EQ(set_ldt(ldt, 512), 0);
    EXPECT_TRUE(loads(LOCAL(1U)));
    EXPECT_EQ(map_writable(ldt), -ABI_EBUSY);
    EXPECT_EQ(ldt[2], 0x00cff3000000ffff);
    EXPECT_TRUE(loads(LOCAL(2U)));
    EXPECT_FALSE(loads(LOCAL(3U)));
    EXPECT_FALSE(loads(LOCAL(512U)));
    EXPECT_FALSE(loads(LOCAL(8191U)));
    EXPECT_EQ(update(ldt, 3, DATA), 0);
    EXPECT_TRUE(loads(LOCAL(3U)));
    EXPECT_EQ(update(ldt, 4, PRESENT | TYPE(9)), -ABI_EINVAL);
    EXPECT_EQ(set_ldt(NULL, 0), 0);
    EXPECT_FALSE(loads(LOCAL(1U)));
    EXPECT_EQ(map_writable(ldt), 0);
}

TEST("a local table with a bad descriptor, or that can be written, is none")
{
    uint64_t *ldt = page_at(0);

    ldt[1] = DATA;
    EXPECT_EQ(set_ldt(ldt, 512), 0);
    EXPECT_FALSE(loads(LOCAL(1U))); /* mapped writable */
    EXPECT_EQ(map_writable(ldt), 0);
    ldt[511] = PRESENT | TYPE(2);
    EXPECT_EQ(map_readable(ldt), 0);
    EXPECT_FALSE(loads(LOCAL(1U)));
    EXPECT_EQ(map_writable(ldt), 0);
    ldt[511] = 0;
    EXPECT_EQ(map_readable(ldt), 0);
    EXPECT_TRUE(loads(LOCAL(1U)));
    EXPECT_EQ(set_ldt(NULL, 0), 0);
}

TEST("a local table that is nowhere is a page fault where it would be")
{
    static const uint64_t bad[] = {0xffff830000000000, 0xffff800000000000,
                                   0x8000000000000000};

    EXPECT_EQ(mmuext_call(MMUEXT_SET_LDT, FREE_ADDRESS, 8192), 0);
    EXPECT_FALSE(loads(LOCAL(1U)));
    EXPECT_FALSE(loads(LOCAL(8191U)));
    EXPECT_EQ(trap_seen.vector, TRAP_PF);
    EXPECT_EQ(trap_seen_cr2, FREE_ADDRESS + 8191 * 8);
    for (unsigned int i = 0; i < 3; i++)
        EXPECT_EQ(mmuext_call(MMUEXT_SET_LDT, bad[i], 8192), -ABI_EINVAL);
    EXPECT_EQ(set_ldt(NULL, 0), 0);
}

TEST("a table of ours is no local table of descriptors")
{
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    REQUIRE_EQ(pin(page_at(0), 1), 0);
    EXPECT_EQ(set_ldt(page_at(0), 512), 0);
    EXPECT_FALSE(loads(LOCAL(1U)));
    EXPECT_EQ(set_ldt((void *)(uintptr_t)start_info->pt_base, 512), 0);
    EXPECT_FALSE(loads(LOCAL(1U)));
    EXPECT_EQ(set_ldt(NULL, 0), 0);
}

/* Tables that take the hypervisor a while to drop, and what refers to them. */
#define SLOW_TABLES 512
PAGES(slow, SLOW_TABLES + 1);

#define LOCAL_CS 0xc /* entry 1, kernel mode */
#define UP_TO_IT 5000000UL
#define TOO_LATE 1000000000UL

static uint64_t due, came;
static volatile unsigned int upcalls;

/*
 * The first comes in the middle of dropping: go on there by the LDT, which is
 * looked at only when nothing is left to drop.  The second is the timer's.
 */
static bool interrupt_dropping(struct trap_frame *frame)
{
    struct vcpu_info *v = &shared_info->vcpu_info[0];

    if (frame->vector != TRAP_UPCALL || upcalls++) {
        came = now_ns();
        return false;
    }
    frame->cs = (frame->cs & ~0xffffUL) | LOCAL_CS;
    v->evtchn_upcall_pending = 0;
    v->evtchn_pending_sel = 0;
    due = now_ns() + UP_TO_IT;
    EXPECT_EQ(hypercall1(HYPERCALL_set_timer_op, due), 0);
    return true;
}

static void fill_slow_tables(void)
{
    uint64_t *above = (uint64_t *)(slow + SLOW_TABLES * PAGE_SIZE);

    REQUIRE_EQ(map_readable(page_at(1)), 0);
    for (unsigned int i = 0; i < SLOW_TABLES; i++) {
        uint64_t *table = (uint64_t *)(slow + i * PAGE_SIZE);

        for (unsigned int j = 0; j < TABLE_ENTRIES; j++)
            table[j] = entry_for(page_at(1), TO_READ);
        above[i] = entry_for(table, TO_TABLE);
        REQUIRE_EQ(map_readable(table), 0);
    }
    REQUIRE_EQ(map_readable(above), 0);
    REQUIRE_EQ(pin(above, 2), 0);
}

/* Else the timer's comes when nothing is left to drop. */
TEST("who waits for an LDT page by iret takes interrupts meanwhile")
{
    uint64_t *ldt = page_at(0),
             *above = (uint64_t *)(slow + SLOW_TABLES * PAGE_SIZE);
    evtchn_port_t timer = port_bind_virq(VIRQ_TIMER, 0), now = port_bind_ipi(0);
    uint64_t end;

    CAIRN_ONLY("it has nothing to drop then");
    fill_slow_tables();
    ldt[1] = CODE64;
    REQUIRE_EQ(map_readable(ldt), 0);
    REQUIRE_EQ(set_ldt(ldt, 512), 0);
    upcalls = 0;
    trap_hook = interrupt_dropping;
    EXPECT_EQ(port_send(now), 0);
    shared_info->vcpu_info[0].evtchn_upcall_mask = 0; /* no look, as yet */
    EXPECT_EQ(unpin(above), 0);
    end = now_ns();
    while (upcalls < 2 && now_ns() < end + TOO_LATE)
        ;
    mask_upcalls();
    trap_hook = NULL;
    EXPECT_EQ(upcalls, 2);
    EXPECT_TRUE(came < end && end - came > (end - due) / 16);

    EXPECT_EQ(set_ldt(NULL, 0), 0);
    EXPECT_EQ(port_close(timer), 0);
    EXPECT_EQ(port_close(now), 0);
    for (unsigned int i = 0; i <= SLOW_TABLES; i++)
        EXPECT_EQ(map_writable(slow + i * PAGE_SIZE), 0);
}
