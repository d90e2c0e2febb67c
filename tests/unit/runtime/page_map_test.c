/* SPDX-License-Identifier: BSD-2-Clause */
/* The bitmap of pages, against a plain array that says the same. */
/* LINK: guests/runtime/page_map.c */

#include "../../../guests/runtime/page_map.h"

#include "test.h"

#define PAGES 10000

static struct page_map map;
static uint64_t storage[400];

static void fresh(size_t count)
{
    memset(storage, 0, sizeof(storage));
    page_map_init(&map, storage, count);
}

void setup(void)
{
    fresh(PAGES);
}

TEST("a fresh map has all its pages free, and no more")
{
    size_t first;

    REQUIRE(page_map_bytes(PAGES) <= sizeof(storage));
    EXPECT_EQ(map.free_count, PAGES);
    EXPECT_FALSE(page_map_take(&map, PAGES + 1, &first));
    REQUIRE(page_map_take(&map, PAGES, &first));
    EXPECT_EQ(first, 0);
    EXPECT_FALSE(page_map_take(&map, 1, &first));
    EXPECT_EQ(map.free_count, 0);
}

TEST("pages are taken from the top down")
{
    size_t first;

    REQUIRE(page_map_take(&map, 1, &first));
    EXPECT_EQ(first, PAGES - 1);
    REQUIRE(page_map_take(&map, 3, &first));
    EXPECT_EQ(first, PAGES - 4);
}

TEST("a run does not cross a used page")
{
    size_t first;

    page_map_reserve(&map, PAGES - 3, 1);
    REQUIRE(page_map_take(&map, 3, &first));
    EXPECT_EQ(first, PAGES - 6);
    REQUIRE(page_map_take(&map, 2, &first));
    EXPECT_EQ(first, PAGES - 2);
}

TEST("reserving twice, or beyond the end, counts each page once")
{
    page_map_reserve(&map, 10, 5);
    page_map_reserve(&map, 12, 5);
    page_map_reserve(&map, PAGES - 1, 5);
    EXPECT_EQ(map.free_count, PAGES - 8);
}

TEST("pages that are free, or not there, cannot be given back")
{
    EXPECT_FALSE(page_map_release(&map, 5, 1));
    EXPECT_FALSE(page_map_release(&map, PAGES, 1));
    EXPECT_FALSE(page_map_release(&map, SIZE_MAX, 2));
    page_map_reserve(&map, 5, 2);
    EXPECT_FALSE(page_map_release(&map, 5, 3));
    EXPECT_TRUE(page_map_release(&map, 5, 2));
    EXPECT_EQ(map.free_count, PAGES);
}

TEST("exact pages are taken only if all of them are free")
{
    page_map_reserve(&map, 100, 1);
    EXPECT_FALSE(page_map_take_at(&map, 98, 3));
    EXPECT_TRUE(page_map_take_at(&map, 98, 2));
    EXPECT_FALSE(page_map_take_at(&map, PAGES - 1, 2));
    EXPECT_EQ(map.free_count, PAGES - 3);
}

TEST("the lowest run is found above what is asked")
{
    size_t first = 0;

    page_map_reserve(&map, 0, 50);
    page_map_reserve(&map, 60, 1);
    REQUIRE(page_map_find_low(&map, 0, 10, &first));
    EXPECT_EQ(first, 50);
    REQUIRE(page_map_find_low(&map, 0, 11, &first));
    EXPECT_EQ(first, 61);
    EXPECT_FALSE(page_map_find_low(&map, PAGES - 5, 6, &first));
}

TEST("many random steps agree with the plain array")
{
    static bool used[PAGES];
    uint32_t random = 1;
    size_t free_count = PAGES, mistakes = 0;

    memset(used, 0, sizeof(used));
    for (int step = 0; step < 200000; step++) {
        size_t count, first;

        random = random * 1664525 + 1013904223;
        count = 1 + (random >> 8) % 90;
        if (random >> 31) {
            if (!page_map_take(&map, count, &first))
                continue;
            for (size_t i = first; i < first + count; i++) {
                mistakes += used[i];
                used[i] = true;
            }
            free_count -= count;
        } else {
            bool all = true;

            first = (random >> 4) % (PAGES - count);
            for (size_t i = first; i < first + count; i++)
                all = all && used[i];
            mistakes += page_map_release(&map, first, count) != all;
            if (!all)
                continue;
            memset(used + first, 0, count);
            free_count += count;
        }
    }
    EXPECT_EQ(mistakes, 0);
    EXPECT_EQ(map.free_count, free_count);
}

TEST("maps whose size is no multiple of a word end where they should")
{
    for (size_t count = 1; count < 200; count++) {
        size_t first, taken = 0;

        fresh(count);
        while (page_map_take(&map, 1, &first)) {
            EXPECT_TRUE(first < count);
            taken++;
        }
        EXPECT_EQ(taken, count);
    }
}
