/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's side of a virtqueue, with devices good and bad. */
/* LINK: guests/control/drivers/virtqueue.c */

#include "drivers/virtqueue.h"

#include "test.h"

#define SIZE 8

static _Alignas(4096) uint8_t desc[4096], avail[4096], used[4096];
static struct virtqueue q;
static struct virtq_used *u = (struct virtq_used *)(void *)used;
static struct virtq_avail *a = (struct virtq_avail *)(void *)avail;
static struct virtq_desc *d = (struct virtq_desc *)(void *)desc;
static int tag[300];

static void init(uint16_t size, bool event_index)
{
    memset(desc, 0, sizeof(desc));
    memset(avail, 0, sizeof(avail));
    memset(used, 0, sizeof(used));
    virtqueue_init(&q, size, event_index, desc, avail, used);
}

void setup(void)
{
    init(SIZE, false);
}

/* The device is done with the descriptor. */
static void finish(uint32_t id, uint32_t bytes)
{
    u->ring[u->index % q.size] =
        (struct virtq_used_entry){.id = id, .bytes = bytes};
    u->index++;
}

static uint16_t *avail_event(void)
{
    return (uint16_t *)(void *)&u->ring[q.size];
}

TEST("buffers go round many times, out of order too")
{
    uint32_t bytes;

    for (int i = 0; i < 100000; i++) {
        uint16_t first = a->ring[0], second;

        EXPECT_TRUE(virtqueue_add(&q, 0x1000, 100, true, &tag[1]));
        EXPECT_TRUE(virtqueue_add(&q, 0x2000, 50, false, &tag[2]));
        EXPECT_TRUE(virtqueue_publish(&q));
        first = a->ring[(uint16_t)(a->index - 2) % SIZE];
        second = a->ring[(uint16_t)(a->index - 1) % SIZE];
        EXPECT_EQ(d[first].flags, VIRTQ_DESC_WRITE);
        EXPECT_EQ(d[second].flags, 0);
        EXPECT_EQ(d[second].maddr, 0x2000);
        EXPECT_PTR(virtqueue_take(&q, &bytes), NULL);
        finish(second, 12345); /* meaningless for what is only read */
        finish(first, 60);
        EXPECT_PTR(virtqueue_take(&q, &bytes), &tag[2]);
        EXPECT_EQ(bytes, 0);
        EXPECT_PTR(virtqueue_take(&q, &bytes), &tag[1]);
        EXPECT_EQ(bytes, 60);
        EXPECT_PTR(virtqueue_take(&q, &bytes), NULL);
    }
    EXPECT_FALSE(q.broken);
    EXPECT_EQ(q.free_count, SIZE);
}

TEST("a full queue takes no more")
{
    for (int i = 0; i < SIZE; i++)
        EXPECT_TRUE(virtqueue_add(&q, 0, 1, true, &tag[i]));
    EXPECT_FALSE(virtqueue_add(&q, 0, 1, true, &tag[9]));
}

TEST("the largest queue stays within its pages")
{
    uint32_t bytes;

    init(VIRTQ_SIZE_MAX, true);
    for (unsigned int i = 0; i < VIRTQ_SIZE_MAX; i++)
        EXPECT_TRUE(virtqueue_add(&q, i, 1, true, &tag[i]));
    virtqueue_publish(&q);
    for (unsigned int i = 0; i < VIRTQ_SIZE_MAX; i++)
        finish(a->ring[i], 1);
    for (unsigned int i = 0; i < VIRTQ_SIZE_MAX; i++)
        EXPECT_PTR(virtqueue_take(&q, &bytes), &tag[i]);
    virtqueue_want_interrupt(&q, 1);
}

static void expect_broken(void)
{
    uint32_t bytes;

    EXPECT_PTR(virtqueue_take(&q, &bytes), NULL);
    EXPECT_TRUE(q.broken);
    EXPECT_FALSE(virtqueue_add(&q, 0, 1, true, &tag[0]));
    EXPECT_FALSE(virtqueue_publish(&q));
    EXPECT_FALSE(virtqueue_want_interrupt(&q, 1));
}

TEST("ids that the device does not have break the queue")
{
    static const uint32_t bad[] = {SIZE, 1, UINT32_MAX, 0x10000};

    for (size_t i = 0; i < 4; i++) {
        setup();
        virtqueue_add(&q, 0, 1, true, &tag[0]); /* has id 0 */
        virtqueue_publish(&q);
        finish(bad[i], 1);
        expect_broken();
    }
}

TEST("an id given back twice breaks the queue")
{
    uint32_t bytes;

    virtqueue_add(&q, 0, 1, true, &tag[0]);
    virtqueue_add(&q, 0, 1, true, &tag[1]);
    virtqueue_publish(&q);
    finish(0, 1);
    finish(0, 1);
    EXPECT_PTR(virtqueue_take(&q, &bytes), &tag[0]);
    expect_broken();
}

TEST("more bytes than there was room break the queue")
{
    virtqueue_add(&q, 0, 100, true, &tag[0]);
    virtqueue_publish(&q);
    finish(0, 101);
    expect_broken();
}

TEST("more buffers than the device had break the queue")
{
    virtqueue_add(&q, 0, 100, true, &tag[0]);
    virtqueue_publish(&q);
    u->index = 2;
    expect_broken();
}

TEST("flags: the device says whether it wants notifications")
{
    virtqueue_add(&q, 0, 1, true, &tag[0]);
    EXPECT_TRUE(virtqueue_publish(&q));
    EXPECT_FALSE(virtqueue_publish(&q));
    u->flags = VIRTQ_USED_NO_NOTIFY;
    virtqueue_add(&q, 0, 1, true, &tag[0]);
    EXPECT_FALSE(virtqueue_publish(&q));
}

TEST("event index: one notification for what the device has asked for")
{
    init(SIZE, true);
    *avail_event() = 0;
    virtqueue_add(&q, 0, 1, true, &tag[0]);
    EXPECT_TRUE(virtqueue_publish(&q)); /* 0 -> 1 passes 0 */
    virtqueue_add(&q, 0, 1, true, &tag[1]);
    EXPECT_FALSE(virtqueue_publish(&q));
    *avail_event() = 3;
    virtqueue_add(&q, 0, 1, true, &tag[2]);
    EXPECT_FALSE(virtqueue_publish(&q)); /* 2 -> 3 does not pass 3 */
    virtqueue_add(&q, 0, 1, true, &tag[3]);
    virtqueue_add(&q, 0, 1, true, &tag[4]);
    EXPECT_TRUE(virtqueue_publish(&q));
}

TEST("an interrupt is asked for, unless it would be too late")
{
    uint32_t bytes;

    for (int event_index = 0; event_index < 2; event_index++) {
        init(SIZE, event_index != 0);
        for (int i = 0; i < 4; i++)
            virtqueue_add(&q, 0, 1, true, &tag[i]);
        virtqueue_publish(&q);

        virtqueue_no_interrupt(&q);
        if (event_index == 0)
            EXPECT_EQ(a->flags, VIRTQ_AVAIL_NO_INTERRUPT);
        else
            EXPECT_EQ(a->ring[SIZE], 0xffff);
        EXPECT_FALSE(virtqueue_want_interrupt(&q, 1));
        EXPECT_EQ(a->flags, 0);
        EXPECT_EQ(a->ring[SIZE], 0);
        finish(0, 1);
        EXPECT_TRUE(virtqueue_want_interrupt(&q, 1));
        EXPECT_FALSE(virtqueue_want_interrupt(&q, 2));
        EXPECT_EQ(a->ring[SIZE], event_index);
        EXPECT_TRUE(virtqueue_take(&q, &bytes) == &tag[0]);
    }
}
