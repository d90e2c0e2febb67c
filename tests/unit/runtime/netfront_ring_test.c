/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frontend's rings, with a backend that behaves, and with one that writes
 * whatever it likes into the shared pages.
 */
/* LINK: guests/runtime/netfront_ring.c */

#include "../../../guests/runtime/netfront_ring.h"

#include "test.h"

static union {
    struct netif_tx_ring tx;
    struct netif_rx_ring rx;
    uint8_t bytes[4096];
} tx_page, rx_page;
static struct front_tx tx;
static struct front_rx rx;
static uint8_t tx_buffers[TX_PAGES_MAX][4096];
static uint8_t rx_buffers[RX_BUFFERS_MAX][4096];

#define TX_REF 1000U
#define RX_REF 2000U

static void add_tx(void)
{
    uint32_t n = tx.page_count;

    front_tx_add_page(&tx, (struct lent_page){tx_buffers[n], TX_REF + n});
}

static void add_rx(void)
{
    uint32_t n = rx.page_count;

    front_rx_add_page(&rx, (struct lent_page){rx_buffers[n], RX_REF + n});
}

void setup(void)
{
    front_tx_init(&tx, &tx_page.tx);
    front_rx_init(&rx, &rx_page.rx);
    for (int i = 0; i < 4; i++)
        add_tx();
    for (int i = 0; i < 8; i++)
        add_rx();
    front_rx_publish(&rx);
}

static void answer_tx(uint16_t id, int16_t status)
{
    tx_page.tx.slot[tx_page.tx.h.rsp_prod++ % NETIF_TX_RING_SLOTS].rsp =
        (struct netif_tx_response){.id = id, .status = status};
}

/* The backend answers the next posted buffer. */
static void answer_rx(uint16_t offset, uint16_t flags, int16_t status)
{
    uint32_t slot = rx_page.rx.h.rsp_prod++ % NETIF_RX_RING_SLOTS;

    rx_page.rx.slot[slot].rsp = (struct netif_rx_response){
        .id = (uint16_t)slot,
        .offset = offset,
        .flags = flags,
        .status = status,
    };
}

static uint16_t send_one(uint16_t size)
{
    uint32_t slot = tx.req_prod % NETIF_TX_RING_SLOTS;

    REQUIRE(front_tx_buffer(&tx) != NULL);
    front_tx_push(&tx, size);
    return tx_page.tx.slot[slot].req.id;
}

TEST("a frame is described by its buffer's grant and half of a page")
{
    uint8_t *buffer = front_tx_buffer(&tx);
    struct netif_tx_request req;

    send_one(60);
    req = tx_page.tx.slot[0].req;
    EXPECT_EQ(req.size, 60);
    EXPECT_EQ(req.flags, 0);
    EXPECT_TRUE(tx_buffers[req.gref - TX_REF] + req.offset == buffer);
    EXPECT_EQ(tx_page.tx.h.req_prod, 0);
    EXPECT_TRUE(front_tx_publish(&tx));
    EXPECT_EQ(tx_page.tx.h.req_prod, 1);
    EXPECT_FALSE(front_tx_publish(&tx));
}

TEST("no two frames under way share a buffer, and there are no more than fit")
{
    bool seen[TX_BUFFERS_MAX] = {false};

    while (tx.page_count < TX_PAGES_MAX)
        add_tx();
    for (uint32_t i = 0; i < TX_BUFFERS_MAX; i++) {
        uint16_t id = send_one(60);

        EXPECT_FALSE(seen[id]);
        seen[id] = true;
    }
    EXPECT_TRUE(front_tx_buffer(&tx) == NULL);
}

TEST("answers in any order free their buffers")
{
    uint16_t a = send_one(60), b = send_one(60), c = send_one(60);

    front_tx_publish(&tx);
    answer_tx(b, NETIF_RSP_OKAY);
    answer_tx(c, NETIF_RSP_ERROR);
    answer_tx(a, NETIF_RSP_DROPPED);
    front_tx_reap(&tx);
    EXPECT_EQ(tx.free_count, 8);
    EXPECT_EQ(tx.errors, 2);
    EXPECT_FALSE(tx.broken);
}

TEST("an answer to nothing, or a second one, breaks the ring")
{
    uint16_t id = send_one(60);

    send_one(60);
    front_tx_publish(&tx);
    answer_tx(id, NETIF_RSP_OKAY);
    answer_tx(id, NETIF_RSP_OKAY);
    front_tx_reap(&tx);
    EXPECT_TRUE(tx.broken);
    EXPECT_TRUE(front_tx_buffer(&tx) == NULL);

    setup();
    send_one(60);
    front_tx_publish(&tx);
    answer_tx(0xffff, NETIF_RSP_OKAY);
    front_tx_reap(&tx);
    EXPECT_TRUE(tx.broken);
}

TEST("more answers than frames were shown break the ring")
{
    uint16_t id = send_one(60);

    /* Queued, but not published: the backend cannot know of it. */
    answer_tx(id, NETIF_RSP_OKAY);
    front_tx_reap(&tx);
    EXPECT_TRUE(tx.broken);

    setup();
    tx_page.tx.h.rsp_prod = 0x80000000U;
    front_tx_reap(&tx);
    EXPECT_TRUE(tx.broken);
}

TEST("a frame is found in the buffer that its slot was posted with")
{
    const uint8_t *data;
    size_t size;

    for (uint32_t i = 0; i < 1000; i++) {
        uint32_t slot = i % NETIF_RX_RING_SLOTS;
        struct netif_rx_request req = rx_page.rx.slot[slot].req;

        answer_rx(10, NETRXF_data_validated, 100);
        REQUIRE(front_rx_next(&rx, &data, &size));
        EXPECT_TRUE(data == rx_buffers[req.gref - RX_REF] + 10);
        EXPECT_EQ(size, 100);
        front_rx_repost(&rx);
        front_rx_publish(&rx);
        EXPECT_EQ(front_rx_posted(&rx), 8);
    }
    EXPECT_FALSE(front_rx_next(&rx, &data, &size));
    EXPECT_FALSE(rx.broken);
}

TEST("a frame that would lie outside its page is dropped")
{
    static const struct {
        uint16_t offset;
        int16_t status;
    } cases[] = {
        {1, 4096}, {4096, 1}, {4097, 1}, {0xffff, 1},
        {0, 4097}, {0, 0},    {0, -1},   {0, INT16_MIN},
    };
    const uint8_t *data;
    size_t size;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        answer_rx(cases[i].offset, 0, cases[i].status);
        EXPECT_FALSE(front_rx_next(&rx, &data, &size));
        EXPECT_EQ(rx.errors, i + 1);
        front_rx_publish(&rx);
    }
    answer_rx(0, 0, 4096);
    EXPECT_TRUE(front_rx_next(&rx, &data, &size));
    EXPECT_EQ(size, 4096);
}

TEST("a packet in several parts is dropped as a whole, the next one is taken")
{
    const uint8_t *data;
    size_t size;

    answer_rx(0, NETRXF_more_data, 4096);
    answer_rx(0, NETRXF_more_data, 4096);
    answer_rx(0, 0, 50);
    answer_rx(0, 0, 60);
    REQUIRE(front_rx_next(&rx, &data, &size));
    EXPECT_EQ(size, 60);
    EXPECT_EQ(rx.errors, 3);
}

TEST("more frames than buffers were posted break the ring")
{
    const uint8_t *data;
    size_t size;

    rx_page.rx.h.rsp_prod = 9;
    EXPECT_FALSE(front_rx_next(&rx, &data, &size));
    EXPECT_TRUE(rx.broken);
    EXPECT_FALSE(front_rx_ask_event(&rx));

    setup();
    rx_page.rx.h.rsp_prod = 0xffffffffU;
    EXPECT_FALSE(front_rx_next(&rx, &data, &size));
    EXPECT_TRUE(rx.broken);
}

TEST("asking for an event tells of what came meanwhile")
{
    EXPECT_FALSE(front_rx_ask_event(&rx));
    EXPECT_EQ(rx_page.rx.h.rsp_event, 1);
    answer_rx(0, 0, 60);
    EXPECT_TRUE(front_rx_ask_event(&rx));
}
