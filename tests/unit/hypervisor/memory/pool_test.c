/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of small objects over the real frame allocator. */

/* LINK: hypervisor/memory/pool.c hypervisor/memory/frame.c */
/* LINK: hypervisor/memory/buddy.c tests/unit/doubles/machine.c */

#include "doubles/machine.h"
#include "memory/frame.h"
#include "test.h"

#define FRAMES 3000U

static uint64_t free_before;

static uint64_t free_now(void)
{
    struct frame_totals totals;

    totals = frame_totals();
    return totals.free;
}

void setup(void)
{
    static bool made;

    if (!made) {
        machine_make(FRAMES);
        frames_add(mfn(MACHINE_FIRST), FRAMES);
        made = true;
    }
    free_before = free_now();
}

void teardown(void)
{
    EXPECT_EQ(machine_locks_held(), 0);
    EXPECT_EQ(free_now(), free_before);
}

static bool is_clear(const unsigned char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i])
            return false;
    return true;
}

TEST("what is no size gives no object")
{
    EXPECT_PTR(pool_alloc(0), NULL);
    EXPECT_PTR(pool_alloc((PAGE_SIZE << POOL_ORDER_MAX) + 1), NULL);
    EXPECT_PTR(pool_alloc(~0UL), NULL);
    pool_free(NULL, 100);
}

TEST("an object's frame goes back with the last object in it")
{
    void *a = pool_alloc(2000), *b = pool_alloc(2000), *c = pool_alloc(2000);

    REQUIRE(a && b && c);
    EXPECT_EQ(free_now(), free_before - 2);
    pool_free(c, 2000);
    EXPECT_EQ(free_now(), free_before - 1);
    pool_free(a, 2000);
    EXPECT_EQ(free_now(), free_before - 1);
    pool_free(b, 2000);
}

TEST("a large object is contiguous, clear and given back")
{
    unsigned char *p = pool_alloc(5 * PAGE_SIZE);

    REQUIRE(p != NULL);
    EXPECT_EQ(free_now(), free_before - 8);
    EXPECT_TRUE(is_clear(p, 5 * PAGE_SIZE));
    memset(p, 1, 8 * PAGE_SIZE);
    pool_free(p, 5 * PAGE_SIZE);
}

TEST("freeing twice, or what is no object, is a broken invariant")
{
    char *a = pool_alloc(64), *b = pool_alloc(64);

    REQUIRE(a && b);
    pool_free(a, 64);
    EXPECT_PANIC(pool_free(a, 64));
    EXPECT_PANIC(pool_free(b + 8, 64));
    pool_free(b, 64);
}

TEST("random objects never overlap, are clear, and all memory returns")
{
    static struct {
        unsigned char *p;
        size_t size;
        unsigned char mark;
    } object[500];
    uint64_t seed = 7, bad = 0;

    for (int step = 0; step < 60000; step++) {
        unsigned int i;

        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        i = (unsigned int)(seed >> 33) % 500;
        if (object[i].p) {
            for (size_t n = 0; n < object[i].size; n++)
                bad += object[i].p[n] != object[i].mark;
            pool_free(object[i].p, object[i].size);
            object[i].p = NULL;
            continue;
        }
        object[i].size = (seed >> 44) % (step % 50 ? 300 : 9000) + 1;
        object[i].mark = (unsigned char)(seed >> 20);
        object[i].p = pool_alloc(object[i].size);
        REQUIRE(object[i].p != NULL);
        bad += !is_clear(object[i].p, object[i].size);
        memset(object[i].p, object[i].mark, object[i].size);
    }
    EXPECT_EQ(bad, 0);
    for (int i = 0; i < 500; i++)
        pool_free(object[i].p, object[i].size);
}
