/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frontend's rings and the control domain's backend rings, on the same
 * pages: what one sends, the other gets, and nobody sleeps while there is work.
 */
/* LINK: guests/runtime/netfront_ring.c guests/control/net/netback_ring.c */

#include "../../../guests/runtime/netfront_ring.h"

#include "net/netback_ring.h"
#include "test.h"

#define STEPS 20000

static union {
    struct netif_tx_ring tx;
    struct netif_rx_ring rx;
    uint8_t bytes[4096];
} tx_page, rx_page;

static struct front_tx front_tx;
static struct front_rx front_rx;
static struct tx_ring back_tx;
static struct rx_ring back_rx;

static uint8_t tx_memory[TX_PAGES_MAX][4096];
static uint8_t rx_memory[RX_BUFFERS_MAX][4096];

/* An event was sent to the side and has not been served. */
static bool back_event, front_event;

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525 + 1013904223;
    return (random_state >> 8) % limit;
}

void setup(void)
{
    front_tx_init(&front_tx, &tx_page.tx);
    front_rx_init(&front_rx, &rx_page.rx);
    for (uint32_t i = 0; i < 8; i++)
        front_tx_add_page(&front_tx, (struct lent_page){tx_memory[i], i});
    for (uint32_t i = 0; i < 16; i++)
        front_rx_add_page(&front_rx, (struct lent_page){rx_memory[i], i});
    front_rx_publish(&front_rx);
    tx_ring_attach(&back_tx, &tx_page.tx);
    rx_ring_attach(&back_rx, &rx_page.rx);
    back_event = front_event = false;
    random_state = 99;
}

/* --- From frontend to backend --------------------------------------------- */

static uint32_t sent, arrived;

static void front_sends(uint32_t count)
{
    while (count-- > 0) {
        uint8_t *buffer = front_tx_buffer(&front_tx);

        if (!buffer) {
            front_tx_reap(&front_tx);
            buffer = front_tx_buffer(&front_tx);
        }
        if (!buffer)
            break;
        memcpy(buffer, &sent, sizeof(sent));
        front_tx_push(&front_tx, (uint16_t)(60 + sent % 1000));
        sent++;
    }
    back_event = front_tx_publish(&front_tx) || back_event;
}

static void back_takes_all(void)
{
    struct tx_packet packet;

    back_event = false;
    do {
        while (tx_ring_take(&back_tx, &packet) == RING_TAKEN) {
            uint32_t number;

            EXPECT_EQ(packet.status, NETIF_RSP_OKAY);
            EXPECT_EQ(packet.bytes, 60 + arrived % 1000);
            memcpy(&number,
                   tx_memory[packet.part[0].ref] + packet.part[0].offset,
                   sizeof(number));
            EXPECT_EQ(number, arrived);
            arrived++;
            tx_ring_answer(&back_tx, &packet);
        }
    } while (tx_ring_wait(&back_tx));
    tx_ring_publish(&back_tx);
}

TEST("frames arrive in order, and a backend that waits is always told")
{
    sent = arrived = 0;
    tx_ring_wait(&back_tx);
    for (int step = 0; step < STEPS; step++) {
        front_sends(random_below(20));
        if (back_event && random_below(3) == 0)
            back_takes_all();
    }
    if (back_event)
        back_takes_all();
    EXPECT_EQ(arrived, sent);
    EXPECT_TRUE(sent > STEPS);
    EXPECT_FALSE(front_tx.broken);
    EXPECT_FALSE(back_tx.broken);
}

TEST("a frontend without buffers is told when there are some again")
{
    sent = arrived = 0;
    front_sends(100);
    EXPECT_EQ(sent, 16);
    EXPECT_FALSE(front_tx_ask_event(&front_tx));
    {
        struct tx_packet packet;

        REQUIRE(tx_ring_take(&back_tx, &packet) == RING_TAKEN);
        tx_ring_answer(&back_tx, &packet);
        EXPECT_TRUE(tx_ring_publish(&back_tx));
    }
    front_tx_reap(&front_tx);
    EXPECT_TRUE(front_tx_buffer(&front_tx) != NULL);
}

/* --- From backend to frontend --------------------------------------------- */

static void back_sends(uint32_t count)
{
    struct netif_rx_request request;

    while (count-- > 0 && rx_ring_take(&back_rx, &request) == RING_TAKEN) {
        struct netif_rx_response response = {
            .id = request.id,
            .status = (int16_t)(60 + sent % 1000),
        };

        memcpy(rx_memory[request.gref], &sent, sizeof(sent));
        rx_ring_answer(&back_rx, &response);
        sent++;
    }
    front_event = rx_ring_publish(&back_rx) || front_event;
}

static void front_takes_all(void)
{
    const uint8_t *data;
    size_t size;

    front_event = false;
    do {
        while (front_rx_next(&front_rx, &data, &size)) {
            uint32_t number;

            memcpy(&number, data, sizeof(number));
            EXPECT_EQ(number, arrived);
            EXPECT_EQ(size, 60 + arrived % 1000);
            arrived++;
            front_rx_repost(&front_rx);
        }
        front_rx_publish(&front_rx);
    } while (front_rx_ask_event(&front_rx));
}

TEST("frames reach the frontend in order, and it is told while it sleeps")
{
    sent = arrived = 0;
    front_rx_ask_event(&front_rx);
    for (int step = 0; step < STEPS; step++) {
        back_sends(random_below(20));
        if (front_event && random_below(3) == 0)
            front_takes_all();
    }
    if (front_event)
        front_takes_all();
    EXPECT_EQ(arrived, sent);
    EXPECT_TRUE(sent > STEPS);
    EXPECT_FALSE(front_rx.broken);
    EXPECT_FALSE(back_rx.broken);
}

TEST("a backend without buffers is told when some are posted")
{
    sent = arrived = 0;
    back_sends(100);
    EXPECT_EQ(sent, 16);
    EXPECT_FALSE(rx_ring_wait(&back_rx));
    {
        const uint8_t *data;
        size_t size;

        REQUIRE(front_rx_next(&front_rx, &data, &size));
        front_rx_repost(&front_rx);
        EXPECT_TRUE(front_rx_publish(&front_rx));
    }
}
