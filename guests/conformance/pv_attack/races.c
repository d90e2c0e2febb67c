/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The same between two vCPUs: types that are taken and dropped while the other
 * one maps, stale translations, and validation that takes long.
 */

#include <string.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define ROUNDS 300U

static volatile bool stop;

/* Odd while the page is pinned, by the one who pins it. */
static volatile unsigned int epoch;

static void pin_and_unpin(uint64_t level)
{
    while (!stop) {
        if (pin(page_at(0), (unsigned int)level) == 0) {
            epoch++;
            vcpu_yield();
            epoch++;
            (void)unpin(page_at(0));
        }
        (void)map_readable(page_at(0));
    }
}

TEST("a page is pinned or mapped writable, whichever vCPU is first")
{
    SKIP_UNLESS_VCPUS(2);
    for (unsigned int level = 1; level <= 4; level++) {
        unsigned int both = 0, mapped = 0;

        REQUIRE_EQ(map_readable(page_at(0)), 0);
        stop = false;
        epoch = 0;
        REQUIRE(vcpu_start(1, pin_and_unpin, level));
        for (unsigned int i = 0; i < ROUNDS; i++) {
            unsigned int before = epoch;
            bool ok = map_writable(page_at(0)) == 0;

            both += ok && (before & 1) != 0 && epoch == before;
            mapped += ok;
            if (ok)
                EXPECT_EQ(map_readable(page_at(0)), 0);
            vcpu_yield();
        }
        stop = true;
        REQUIRE(vcpu_wait(1));
        EXPECT_EQ(both, 0);
        EXPECT_EQ(map_writable(page_at(0)), 0);
        print("# level %u: %u pins, %u maps\n", level, epoch / 2, mapped);
    }
}

static void unlink_and_link(uint64_t tree)
{
    (void)tree;
    while (!stop) {
        (void)unpin(page_at(0));
        vcpu_yield();
        (void)pin(page_at(0), 4);
        vcpu_yield();
    }
}

TEST("entries are changed while another vCPU unpins what they are in")
{
    unsigned int done = 0;

    SKIP_UNLESS_VCPUS(2);
    tree_make(0);
    REQUIRE_EQ(pin(page_at(0), 4), 0);
    stop = false;
    REQUIRE(vcpu_start(1, unlink_and_link, 0));
    for (unsigned int i = 0; i < ROUNDS; i++) {
        unsigned int level = i % 4;
        uint64_t value = level == 3 ? entry_for(page_at(4), TO_READ)
                                    : entry_for(page_at(level + 1), TO_TABLE);

        /* Between two states that are both good, wherever it is. */
        done += mmu_one(entry_at(page_at(level), 1 + i % 200),
                        i % 8 < 4 ? value : 0) == 0;
        if (i % 16 == 0)
            vcpu_yield();
    }
    stop = true;
    REQUIRE(vcpu_wait(1));
    EXPECT_TRUE(done > 0);
    (void)unpin(page_at(0));
    for (unsigned int i = 0; i < 5; i++)
        EXPECT_EQ(map_writable(page_at(i)), 0);
}

static void switch_bases(uint64_t unused)
{
    const void *base = (const void *)(uintptr_t)start_info->pt_base;

    (void)unused;
    while (!stop) {
        (void)mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(page_at(0)), 0);
        (void)mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(page_at(0)), 0);
        vcpu_yield();
        (void)mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(base), 0);
        (void)mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0);
    }
}

TEST("tables that another vCPU loads are unpinned, and not written")
{
    SKIP_UNLESS_VCPUS(2);
    memcpy(page_at(0), (const void *)(uintptr_t)start_info->pt_base, PAGE_SIZE);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    stop = false;
    REQUIRE(vcpu_start(1, switch_bases, 0));
    for (unsigned int i = 0; i < ROUNDS; i++) {
        (void)pin(page_at(0), 4);
        vcpu_yield();
        (void)unpin(page_at(0));
        /* In this page the tables are still all there. */
        if (map_writable(page_at(0)) == 0)
            EXPECT_EQ(map_readable(page_at(0)), 0);
    }
    stop = true;
    REQUIRE(vcpu_wait(1));
    (void)unpin(page_at(0));
    EXPECT_EQ(map_writable(page_at(0)), 0);
}

/* --- Stale translations -----------------------------------------------------
 */

static void store(void *word)
{
    *(volatile uint64_t *)word += 2;
}

static void keep_storing(uint64_t word)
{
    while (!stop)
        fault_probe(store, (void *)(uintptr_t)word);
}

TEST("no translation of a page outlives that it becomes a table")
{
    volatile uint64_t *page = page_at(0);
    bool two = vcpu_count() > 1;

    stop = false;
    if (two)
        REQUIRE(vcpu_start(1, keep_storing, hypercall_ptr(&page[5])));
    for (unsigned int i = 0; i < ROUNDS; i++) {
        unsigned int level = 2 + i % 3; /* stores to level 1 may be made */
        uint64_t seen;

        vcpu_yield();
        fault_probe(store, page_at(0) + 5); /* The translation is used here. */
        EXPECT_EQ(hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(page),
                             entry_for(page_at(0), TO_READ), UVMF_NONE),
                  0);
        if (pin(page_at(0), level) == 0) {
            seen = page[5];
            EXPECT_TRUE(fault_probe(store, page_at(0) + 5));
            for (unsigned int wait = 0; wait < 3; wait++)
                vcpu_yield();
            EXPECT_EQ(page[5], seen);
            EXPECT_EQ(unpin(page_at(0)), 0);
        }
        EXPECT_EQ(map_writable(page_at(0)), 0);
    }
    stop = true;
    if (two)
        REQUIRE(vcpu_wait(1));
}

/* --- Long validations -------------------------------------------------------
 */

#define BIG 100U

PAGES(big, BIG + 1);

static uint64_t *big_page(unsigned int i)
{
    return (uint64_t *)(big + (size_t)i * PAGE_SIZE);
}

/* A level-2 table, page 0, that refers to so many full ones of level 1. */
static void big_make(uint64_t leaf)
{
    for (unsigned int i = 1; i <= BIG; i++) {
        uint64_t *table = big_page(i);

        EXPECT_EQ(map_writable(table), 0);
        for (unsigned int j = 0; j < TABLE_ENTRIES; j++)
            table[j] = leaf;
        EXPECT_EQ(map_readable(table), 0);
    }
    EXPECT_EQ(map_writable(big_page(0)), 0);
    memset(big_page(0), 0, PAGE_SIZE);
    for (unsigned int i = 1; i <= BIG; i++)
        big_page(0)[i] = entry_for(big_page(i), TO_TABLE);
    EXPECT_EQ(map_readable(big_page(0)), 0);
}

static void big_end(void)
{
    (void)unpin(big_page(0));
    for (unsigned int i = 0; i <= BIG; i++) {
        (void)unpin(big_page(i));
        EXPECT_EQ(map_writable(big_page(i)), 0);
    }
}

TEST("a big tree is validated, and undone, piece by piece")
{
    big_make(entry_for(page_at(0), TO_READ));
    for (unsigned int i = 0; i < 3; i++) {
        EXPECT_EQ(pin(big_page(0), 2), 0);
        EXPECT_EQ(map_writable(big_page(BIG)), -ABI_EBUSY);
        EXPECT_EQ(unpin(big_page(0)), 0);
    }
    big_end();
}

TEST("a big tree whose last entry is bad leaves nothing behind")
{
    big_make(entry_for(page_at(0), TO_WRITE));
    EXPECT_EQ(map_writable(big_page(BIG)), 0);
    big_page(BIG)[511] = entry_for(big_page(1), TO_WRITE);
    EXPECT_EQ(map_readable(big_page(BIG)), 0);
    EXPECT_TRUE(pin(big_page(0), 2) < 0);
    for (unsigned int i = 0; i <= BIG; i++)
        EXPECT_EQ(map_writable(big_page(i)), 0);
    EXPECT_EQ(map_readable(page_at(0)), 0);
    EXPECT_EQ(pin(page_at(0), 1), 0); /* nobody writes it any more */
}

static void disturb(uint64_t seed)
{
    while (!stop) {
        uint64_t *table = big_page(1 + seed % BIG);

        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        switch (seed >> 60 & 7) {
        case 0:
            if (map_writable(table) == 0)
                (void)map_readable(table);
            break;
        case 1:
            if (pin(table, 1) == 0)
                (void)unpin(table);
            break;
        case 2:
            if (pin(table, 2) == 0)
                (void)unpin(table);
            break;
        case 3:
            (void)mmu_one(entry_at(table, 7), entry_for(page_at(0), TO_READ));
            break;
        case 4:
            (void)mmu_one(entry_at(big_page(0), 200),
                          entry_for(table, TO_TABLE));
            break;
        case 5:
            (void)mmuext_call(MMUEXT_CLEAR_PAGE, frame_of(big_page(0)), 0);
            break;
        default:
            if (pin(big_page(0), 2) == 0)
                (void)unpin(big_page(0));
            break;
        }
    }
}

TEST("two vCPUs pin, unpin, change and write one big tree at a time")
{
    unsigned int pinned = 0;

    SKIP_UNLESS_VCPUS(2);
    big_make(entry_for(page_at(0), TO_READ));
    stop = false;
    REQUIRE(vcpu_start(1, disturb, 12345));
    for (unsigned int i = 0; i < 30; i++) {
        if (pin(big_page(0), 2) == 0) {
            pinned++;
            (void)unpin(big_page(0));
        }
        vcpu_yield();
    }
    stop = true;
    REQUIRE(vcpu_wait(1));
    print("# pinned %u times\n", pinned);
    big_end();
}

/* --- State of the processor -------------------------------------------------
 */

static volatile uint64_t got[4];

static void look_at_registers(uint64_t unused)
{
    uint64_t low;

    (void)unused;
    __asm__ volatile("movq %%xmm7, %0" : "=r"(low));
    got[0] = low;
    got[1] = (uint64_t)hypercall1(HYPERCALL_get_debugreg, 0);
    got[2] = (uint64_t)hypercall1(HYPERCALL_get_debugreg, 7);
    *(volatile uint64_t *)page_at(3) = 1; /* another vCPU watches this */
    got[3] = 1;
}

TEST("registers of one vCPU are not another's")
{
    const uint64_t pattern = 0x5ec0e75ec0e75ec0;

    SKIP_UNLESS_VCPUS(3);
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 0, hypercall_ptr(page_at(3))),
              0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 7, 0x90403), 0);
    __asm__ volatile("movq %0, %%xmm7" : : "r"(pattern));
    got[3] = 0;
    REQUIRE(vcpu_start(2, look_at_registers, 0));
    REQUIRE(vcpu_wait(2));
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 7, 0), 0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 0, 0), 0);
    EXPECT_FALSE(got[0] == pattern);
    EXPECT_EQ(got[1], 0);
    EXPECT_EQ(got[2], 0x400);
    EXPECT_EQ(got[3], 1);
}
