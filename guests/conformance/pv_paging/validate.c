/* SPDX-License-Identifier: BSD-2-Clause */
/* What an entry may be, by each way that sets one. */

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

/* Xen lets its initial domain map devices, and choose how they are cached. */
#define NEEDS_NO_DEVICES SKIP_ON_XEN_DOM0("there it may map devices")

/* At levels 2 to 4; 8 is refused there, and 7 makes a superpage. */
#define REFUSED_ABOVE (PTE_PWT | PTE_PCD | PTE_PSE | PTE_GLOBAL)
#define REFUSED_LEAF  (PTE_PWT | PTE_PCD | PTE_PSE)

/* Each set of these is a state an entry may be in. */
#define FREE_BITS 5
static uint64_t free_bits(unsigned int set)
{
    static const uint64_t bits[FREE_BITS] = {PTE_WRITE, PTE_ACCESSED, PTE_USER,
                                             1ULL << 9, PTE_NX};
    uint64_t e = 0;

    for (unsigned int i = 0; i < FREE_BITS; i++)
        e |= set & 1U << i ? bits[i] : 0;
    return e;
}

/* Page @level's of the tree that begins with page 0. */
static uint64_t *level_page(unsigned int level)
{
    return page_at(4 - level);
}

/*
 * The entry 0 of @level's table is in state @old: no way leads to one with a
 * refused bit.
 */
static void refuse_bits(unsigned int level, uint64_t old, uint64_t refused)
{
    uint64_t at = entry_at(level_page(level), 0);
    uint64_t to = machine_of(level_page(level - 1));

    REQUIRE_EQ(mmu_one(at, to | PTE_PRESENT | old), 0);
    old = level_page(level)[0];
    for (uint64_t bit = 1; bit <= refused; bit <<= 1) {
        if (!(bit & refused))
            continue;
        for (unsigned int set = 0; set < 1U << FREE_BITS; set++) {
            uint64_t e = to | PTE_PRESENT | free_bits(set) | bit;

            if (mmu_one(at, e) != -ABI_EINVAL ||
                mmu_one(at | MMU_PT_UPDATE_PRESERVE_AD, e) != -ABI_EINVAL ||
                level_page(level)[0] != old) {
                EXPECT_EQ(e, 0);
                return;
            }
        }
    }
}

TEST("no way from a good entry of level 2 to 4 leads to one with a bad bit")
{
    tree_make(0);
    REQUIRE_EQ(pin(level_page(4), 4), 0);
    for (unsigned int level = 2; level <= 4; level++)
        for (unsigned int set = 0; set < 1U << FREE_BITS; set++)
            refuse_bits(level, free_bits(set), REFUSED_ABOVE);
}

TEST("no way from a good entry of level 1 leads to another caching")
{
    NEEDS_NO_DEVICES;
    tree_make(0);
    REQUIRE_EQ(pin(level_page(4), 4), 0);
    REQUIRE_EQ(map_readable(page_at(4)), 0);
    for (unsigned int set = 0; set < 1U << FREE_BITS; set++)
        refuse_bits(1, free_bits(set), REFUSED_LEAF);
}

TEST("a table with a bad entry is none, at each level and wherever it is")
{
    static const unsigned int places[] = {0, 1, 255, 300, 511};

    for (unsigned int level = 2; level <= 4; level++) {
        uint64_t *table = page_at(8 + level);

        for (unsigned int i = 0; i < 5; i++) {
            unsigned int place = places[i];

            tables_reset();
            if (level == 4 && place == 255)
                place = 272;
            tree_make(0);
            table[2] = entry_for(level_page(level - 1), TO_TABLE);
            table[place] = entry_for(level_page(level - 1), TO_TABLE | PTE_PSE);
            REQUIRE_EQ(map_readable(table), 0);
            EXPECT_EQ(pin(table, level), -ABI_EINVAL);
            /* And nothing is left of it: */
            EXPECT_EQ(map_writable(table), 0);
            for (unsigned int p = 0; p < 4; p++)
                EXPECT_EQ(map_writable(page_at(p)), 0);
        }
    }
}

TEST("frames that do not exist are refused at each level")
{
    static const uint64_t frames[] = {PTE_FRAME, PTE_FRAME & ~0xfffULL << 1,
                                      1ULL << 51, 1ULL << 45};

    NEEDS_NO_DEVICES;
    tree_make(0);
    REQUIRE_EQ(pin(level_page(4), 4), 0);
    for (unsigned int i = 0; i < 4; i++) {
        for (unsigned int level = 2; level <= 4; level++)
            EXPECT_EQ(
                mmu_one(entry_at(level_page(level), 1), frames[i] | TO_TABLE),
                -ABI_EINVAL);
        EXPECT_EQ(mmu_one(entry_at(level_page(1), 1), frames[i] | TO_READ),
                  i == 0 ? -ABI_EINVAL : -ABI_EPERM);
        EXPECT_EQ(mmu_one(entry_at(level_page(1), 1), frames[i] | TO_WRITE),
                  i == 0 ? -ABI_EINVAL : -ABI_EPERM);
    }
}

TEST("what is not present may be anything")
{
    tree_make(0);
    REQUIRE_EQ(pin(level_page(4), 4), 0);
    for (unsigned int level = 1; level <= 4; level++) {
        EXPECT_EQ(mmu_one(entry_at(level_page(level), 5), 0xfffffffffffffffe),
                  0);
        EXPECT_EQ(level_page(level)[5], 0xfffffffffffffffe);
    }
}

TEST("a frame is a table of one level only")
{
    for (unsigned int level = 1; level <= 4; level++) {
        tables_reset();
        REQUIRE_EQ(map_readable(page_at(0)), 0);
        REQUIRE_EQ(pin(page_at(0), level), 0);
        for (unsigned int other = 1; other <= 4; other++) {
            if (other == level)
                continue;
            EXPECT_EQ(pin(page_at(0), other), -ABI_EINVAL);
            if (other == 4)
                continue;
            page_at(1)[0] = entry_for(page_at(0), TO_TABLE);
            EXPECT_EQ(map_readable(page_at(1)), 0);
            EXPECT_EQ(pin(page_at(1), other + 1), -ABI_EINVAL);
            EXPECT_EQ(map_writable(page_at(1)), 0);
        }
    }
}

TEST("what is mapped writable is no table, and no descriptor page")
{
    uint64_t frame = frame_of(page_at(0));

    for (unsigned int level = 1; level <= 4; level++)
        EXPECT_EQ(pin(page_at(0), level), -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frame), 1),
              -ABI_EINVAL);
    page_at(1)[0] = entry_for(page_at(0), TO_TABLE);
    REQUIRE_EQ(map_readable(page_at(1)), 0);
    for (unsigned int level = 2; level <= 4; level++)
        EXPECT_EQ(pin(page_at(1), level), -ABI_EINVAL);
}

TEST("a table that maps itself writable is none")
{
    page_at(0)[9] = entry_for(page_at(0), TO_WRITE);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    EXPECT_EQ(pin(page_at(0), 1), -ABI_EBUSY);
    for (unsigned int level = 2; level <= 4; level++)
        EXPECT_EQ(pin(page_at(0), level), -ABI_EINVAL);
}

TEST("no table refers to one of its own level for writing")
{
    for (unsigned int level = 2; level <= 4; level++) {
        tables_reset();
        tree_make(0);
        tree_make(8);
        REQUIRE_EQ(pin(page_at(0), 4), 0);
        REQUIRE_EQ(pin(page_at(8), 4), 0);
        EXPECT_EQ(mmu_one(entry_at(level_page(level), 3),
                          entry_for(level_page(level), TO_TABLE)),
                  -ABI_EINVAL);
        EXPECT_EQ(mmu_one(entry_at(level_page(level), 3),
                          entry_for(page_at(12 - level), TO_TABLE)),
                  -ABI_EINVAL);
    }
}

TEST("no table refers to one of its own level at all")
{
    CAIRN_ONLY("linear tables are left out");
    for (unsigned int level = 2; level <= 4; level++) {
        tables_reset();
        tree_make(0);
        tree_make(8);
        REQUIRE_EQ(pin(page_at(0), 4), 0);
        REQUIRE_EQ(pin(page_at(8), 4), 0);
        EXPECT_EQ(mmu_one(entry_at(level_page(level), 3),
                          entry_for(level_page(level), TO_READ)),
                  -ABI_EINVAL);
        EXPECT_EQ(mmu_one(entry_at(level_page(level), 3),
                          entry_for(page_at(12 - level), TO_READ)),
                  -ABI_EINVAL);
    }
    tables_reset();
    for (unsigned int level = 2; level <= 4; level++) {
        page_at(0)[9] = entry_for(page_at(0), TO_READ);
        REQUIRE_EQ(map_readable(page_at(0)), 0);
        EXPECT_EQ(pin(page_at(0), level), -ABI_EINVAL);
        REQUIRE_EQ(map_writable(page_at(0)), 0);
    }
}

TEST("a refused table leaves what it refers to as it was")
{
    uint64_t *table = page_at(0);

    /* 300 good entries that take pages for writing, then a bad one. */
    for (unsigned int i = 0; i < 300; i++)
        table[i] = entry_for(page_at(1 + i % 4), TO_WRITE);
    table[300] = entry_for(table, TO_WRITE);
    REQUIRE_EQ(map_readable(table), 0);
    EXPECT_EQ(pin(table, 1), -ABI_EBUSY);
    for (unsigned int i = 1; i < 5; i++) {
        REQUIRE_EQ(map_readable(page_at(i)), 0);
        EXPECT_EQ(pin(page_at(i), 1), 0);
    }
}
