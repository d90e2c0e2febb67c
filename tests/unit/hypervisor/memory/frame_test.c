/* SPDX-License-Identifier: BSD-2-Clause */
/* The frame allocator against a model that only counts. */

/* LINK: hypervisor/memory/frame.c hypervisor/memory/buddy.c */
/* LINK: tests/unit/doubles/machine.c */

#include "memory/frame.h"

#include "doubles/machine.h"
#include "lib/errno.h"
#include "test.h"

#define FRAMES 5000U

static struct frame_totals whole;

void setup(void)
{
    static bool made;

    if (!made) {
        machine_make(FRAMES);
        frames_add(mfn(MACHINE_FIRST), 2000);
        frames_add(mfn(MACHINE_FIRST + 2000), 1000);
        frames_add(mfn(MACHINE_FIRST + 3500), FRAMES - 3500);
        whole = frame_totals();
        made = true;
    }
    machine_frames_free_calls = 0;
    frames_wanted = 0;
}

static bool totals_are_whole(void)
{
    struct frame_totals now;

    now = frame_totals();
    return now.total == whole.total && now.free == whole.free &&
           now.unreserved == whole.unreserved;
}

void teardown(void)
{
    EXPECT_EQ(machine_locks_held(), 0);
    EXPECT_TRUE(totals_are_whole());
}

static uint64_t blocks_total(void)
{
    uint64_t blocks = 0;

    for (unsigned int order = 0; order < BUDDY_ORDERS; order++)
        blocks += buddy_blocks(order);
    return blocks;
}

TEST("what is given is counted once, and holes are no RAM")
{
    EXPECT_EQ(whole.total, FRAMES - 500);
    EXPECT_EQ(whole.free, FRAMES - 500);
    EXPECT_EQ(whole.unreserved, whole.total - whole.total / 128);
    EXPECT_FALSE(mfn_is_ram(mfn(0)));
    EXPECT_FALSE(mfn_is_ram(mfn(MACHINE_FIRST - 1)));
    EXPECT_TRUE(mfn_is_ram(mfn(MACHINE_FIRST)));
    EXPECT_TRUE(mfn_is_ram(mfn(MACHINE_FIRST + 2999)));
    EXPECT_FALSE(mfn_is_ram(mfn(MACHINE_FIRST + 3000)));
    EXPECT_FALSE(mfn_is_ram(mfn(MACHINE_FIRST + 3499)));
    EXPECT_TRUE(mfn_is_ram(mfn(MACHINE_FIRST + FRAMES - 1)));
    EXPECT_FALSE(mfn_is_ram(mfn(MACHINE_FIRST + FRAMES)));
    EXPECT_FALSE(mfn_is_ram(MFN_NONE));
}

TEST("RAM cannot be added twice or beyond the direct map")
{
    EXPECT_PANIC(frames_add(mfn(MACHINE_FIRST + 10), 1));
    EXPECT_PANIC(frames_add(mfn(MACHINE_FIRST + 3400), 200));
    EXPECT_PANIC(frames_add(mfn(1UL << 28), 1));
    EXPECT_PANIC(frames_add(mfn(MACHINE_FIRST + 3100), ~0UL));
}

TEST("a frame is zeroed, owned and counted once")
{
    struct frame *f = frame_alloc(7, FRAME_GUEST);
    const unsigned char *page;
    unsigned int dirty = 0;

    REQUIRE(f != NULL);
    page = mfn_to_virt(frame_to_mfn(f));
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        dirty += page[i] != 0;
    EXPECT_EQ(dirty, 0);
    EXPECT_EQ(f->owner, 7);
    EXPECT_EQ(f->refs, 1);
    EXPECT_EQ(frame_type(f), FRAME_NONE);
    EXPECT_EQ(machine_frames_owned(7), 1);
    frame_put(f);
    EXPECT_EQ(machine_frames_owned(7), 0);
}

TEST("blocks are aligned to their size, and come together again")
{
    uint64_t before = blocks_total();
    struct frame *block[12];

    for (unsigned int order = 0; order < 11; order++) {
        block[order] = frame_alloc_order(1, order, FRAME_GUEST);
        REQUIRE(block[order] != NULL);
        EXPECT_EQ(frame_to_mfn(block[order]).raw % (1UL << order), 0);
    }
    EXPECT_EQ(machine_frames_owned(1), (1UL << 11) - 1);
    for (unsigned int order = 0; order < 11; order++)
        for (unsigned int i = 0; i < 1U << order; i++)
            frame_put(&block[order][i]);
    EXPECT_EQ(blocks_total(), before);
    EXPECT_PTR(frame_alloc_order(1, BUDDY_ORDERS, FRAME_GUEST), NULL);
    EXPECT_PTR(frame_alloc_order(1, 16, FRAME_METADATA), NULL);
}

TEST("guests exhaust what is theirs, records can still grow, then it all "
     "returns")
{
    static struct frame *taken[FRAMES];
    uint64_t before = blocks_total();
    unsigned int count = 0, metadata = 0;
    struct frame *f;

    while ((f = frame_alloc(2, FRAME_GUEST)))
        taken[count++] = f;
    EXPECT_EQ(count, whole.unreserved);
    while ((f = frame_alloc(DOMID_XEN, FRAME_METADATA)))
        taken[count + metadata++] = f;
    EXPECT_EQ(count + metadata, whole.total);
    for (unsigned int i = 0; i < count + metadata; i++)
        frame_put(taken[(i * 7919U) % (count + metadata)]);
    EXPECT_EQ(blocks_total(), before);
}

TEST("a promise cannot be broken by others, whatever they take")
{
    unsigned int count = 0;
    static struct frame *taken[FRAMES];
    struct frame *f, *promised[100];

    EXPECT_EQ(frame_reserve(100), 0);
    EXPECT_EQ(frame_reserve(whole.unreserved - 99), -ENOMEM);
    EXPECT_EQ(frame_reserve(~0UL), -ENOMEM);
    while ((f = frame_alloc(2, FRAME_METADATA)))
        taken[count++] = f;
    EXPECT_EQ(count, whole.total - 100);
    for (int i = 0; i < 100; i++) {
        promised[i] = frame_alloc(3, FRAME_PROMISED);
        EXPECT_EQ(promised[i]->owner, 3);
    }
    EXPECT_PANIC((void)!frame_alloc(3, FRAME_PROMISED));
    for (int i = 0; i < 50; i++)
        frame_free_to_reserve(promised[i]);
    EXPECT_PTR(frame_alloc(2, FRAME_METADATA), NULL);
    EXPECT_PANIC(frame_unreserve(51));
    frame_unreserve(50);
    for (int i = 50; i < 100; i++)
        frame_put(promised[i]);
    while (count)
        frame_put(taken[--count]);
}

static unsigned int take_metadata(struct frame **list, unsigned int most)
{
    unsigned int count = 0;

    while (count < most &&
           (list[count] = frame_alloc(DOMID_XEN, FRAME_METADATA)))
        count++;
    return count;
}

TEST("guests get half of what is kept back, the privileged all of it")
{
    static struct frame *list[100];
    unsigned int kept = (unsigned int)(whole.total / 128), count;

    REQUIRE(kept >= 8 && kept < 100);
    EXPECT_EQ(frame_reserve(whole.unreserved), 0);
    EXPECT_PTR(frame_alloc(1, FRAME_GUEST), NULL);
    machine_unprivileged = true;
    count = take_metadata(list, 100);
    EXPECT_EQ(count, kept - kept / 2);
    machine_unprivileged = false;
    count += take_metadata(list + count, 100 - count);
    EXPECT_EQ(count, kept);
    while (count)
        frame_put(list[--count]);
    frame_unreserve(whole.unreserved);
    EXPECT_TRUE(totals_are_whole());
}

TEST("who waits for memory is told when unpromised frames are free")
{
    struct frame *f;

    EXPECT_EQ(frame_reserve(1), 0);
    f = frame_alloc(1, FRAME_PROMISED);
    frames_wanted = 1;
    frame_free_to_reserve(f);
    EXPECT_EQ(machine_frames_free_calls, 0);
    frame_unreserve(1);
    EXPECT_EQ(machine_frames_free_calls, 1);
    f = frame_alloc(1, FRAME_GUEST);
    REQUIRE(f != NULL);
    frame_put(f);
    EXPECT_EQ(machine_frames_free_calls, 2);
    frames_wanted = 0;
    f = frame_alloc(1, FRAME_GUEST);
    REQUIRE(f != NULL);
    frame_put(f);
    EXPECT_EQ(machine_frames_free_calls, 2);
}

TEST("references: the last one frees, a free frame has none to take or drop")
{
    struct frame *f = frame_alloc(1, FRAME_GUEST);

    REQUIRE(f != NULL);
    EXPECT_TRUE(frame_try_get(f));
    EXPECT_PANIC(frame_free_to_reserve(f));
    frame_put(f);
    EXPECT_EQ(f->refs, 1);
    f->refs = FRAME_REFS_MAX - 1;
    EXPECT_TRUE(frame_try_get(f));
    EXPECT_FALSE(frame_try_get(f));
    EXPECT_EQ(f->refs, FRAME_REFS_MAX);
    f->refs = 1;
    frame_put(f);
    EXPECT_PANIC(frame_put(f));
    f->refs = 0;
    EXPECT_PANIC((void)!frame_try_get(f));
    f->refs = 0;
}

TEST("a type excludes others until its last typed reference goes")
{
    struct frame *f = frame_alloc(1, FRAME_GUEST);

    REQUIRE(f != NULL);
    EXPECT_TRUE(frame_get_type(f, FRAME_WRITABLE));
    EXPECT_TRUE(frame_get_type(f, FRAME_WRITABLE));
    EXPECT_FALSE(frame_get_type(f, FRAME_L1));
    EXPECT_EQ(frame_type_count(f), 2);
    frame_put_type(f);
    EXPECT_FALSE(frame_get_type(f, FRAME_L1));
    EXPECT_EQ(frame_type(f), FRAME_WRITABLE);
    frame_put_type(f);
    EXPECT_TRUE(frame_get_type(f, FRAME_L1));
    EXPECT_EQ(frame_type(f), FRAME_L1);
    frame_put_type(f);
    EXPECT_PANIC(frame_put_type(f));

    f->type_info = (uint32_t)FRAME_L4 << FRAME_TYPE_SHIFT | FRAME_TYPE_COUNT;
    EXPECT_FALSE(frame_get_type(f, FRAME_L4));
    f->type_info = 0;
    frame_put(f);
}

TEST("a frame that is freed while it has a type is a broken invariant")
{
    struct frame *f = frame_alloc(1, FRAME_GUEST);

    REQUIRE(f != NULL);
    EXPECT_TRUE(frame_get_type(f, FRAME_WRITABLE));
    EXPECT_PANIC(frame_put(f));
    f->refs = 1;
    f->type_info = 0;
    frame_put(f);
}

/* Random takes and gives; a frame is never given to two at once. */
TEST("a hundred thousand random steps lose nothing and share nothing")
{
    static struct {
        struct frame *f;
        unsigned int order;
    } block[400];
    static uint8_t used[MACHINE_FIRST + FRAMES];
    uint64_t before = blocks_total(), seed = 42, overlaps = 0;

    for (int step = 0; step < 100000; step++) {
        unsigned int i, order;

        seed = seed * 6364136223846793005UL + 1442695040888963407UL;
        i = (unsigned int)(seed >> 33) % 400;
        order = (unsigned int)(seed >> 55) % 5;
        if (block[i].f) {
            for (unsigned int n = 0; n < 1U << block[i].order; n++) {
                used[frame_to_mfn(&block[i].f[n]).raw] = 0;
                frame_put(&block[i].f[n]);
            }
            block[i].f = NULL;
            continue;
        }
        block[i].f = frame_alloc_order(1, order, FRAME_GUEST);
        block[i].order = order;
        for (unsigned int n = 0; block[i].f && n < 1U << order; n++)
            overlaps += used[frame_to_mfn(&block[i].f[n]).raw]++;
    }
    EXPECT_EQ(overlaps, 0);
    for (unsigned int i = 0; i < 400; i++)
        for (unsigned int n = 0; block[i].f && n < 1U << block[i].order; n++)
            frame_put(&block[i].f[n]);
    EXPECT_EQ(blocks_total(), before);
}
