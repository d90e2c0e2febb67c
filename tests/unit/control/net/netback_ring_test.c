/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The backend's ends of the rings, with a frontend that is well-behaved, and
 * with one that writes whatever harms.
 */
/* LINK: guests/control/net/netback_ring.c */

#include "net/netback_ring.h"

#include "net/wire.h"
#include "test.h"

static struct netif_tx_ring tx_page;
static struct netif_rx_ring rx_page;
static struct tx_ring tx;
static struct rx_ring rx;
static struct tx_packet packet;

void setup(void)
{
    memset(&tx_page, 0, sizeof(tx_page));
    memset(&rx_page, 0, sizeof(rx_page));
    tx_page.h.req_event = tx_page.h.rsp_event = 1;
    rx_page.h.req_event = rx_page.h.rsp_event = 1;
    tx_ring_attach(&tx, &tx_page);
    rx_ring_attach(&rx, &rx_page);
}

static void request(uint16_t id, uint16_t offset, uint16_t size, uint16_t flags)
{
    tx_page.slot[tx_page.h.req_prod++ % NETIF_TX_RING_SLOTS].req =
        (struct netif_tx_request){.gref = 100U + id,
                                  .offset = offset,
                                  .flags = flags,
                                  .id = id,
                                  .size = size};
}

static void extra(uint8_t type, uint8_t flags)
{
    tx_page.slot[tx_page.h.req_prod++ % NETIF_TX_RING_SLOTS].extra =
        (struct netif_extra_info){.type = type, .flags = flags};
}

static void expect_response(uint32_t index, int id, int status)
{
    const struct netif_tx_response *rsp =
        &tx_page.slot[index % NETIF_TX_RING_SLOTS].rsp;

    if (id >= 0)
        EXPECT_EQ(rsp->id, id);
    EXPECT_EQ(rsp->status, status);
}

TEST("a packet of one slot is taken and answered, all around the ring")
{
    for (uint32_t i = 0; i < 3 * NETIF_TX_RING_SLOTS; i++) {
        request((uint16_t)i, 7, 60, NETTXF_csum_blank);
        EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
        EXPECT_EQ(packet.status, NETIF_RSP_OKAY);
        EXPECT_EQ(packet.bytes, 60);
        EXPECT_EQ(packet.flags, NETTXF_csum_blank);
        EXPECT_EQ(packet.slot_count, 1);
        EXPECT_EQ(packet.part[0].ref, 100 + i);
        EXPECT_EQ(packet.part[0].offset, 7);
        EXPECT_EQ(packet.part[0].bytes, 60);
        EXPECT_EQ(tx_ring_take(&tx, &packet), RING_EMPTY);
        tx_ring_answer(&tx, &packet);
        tx_ring_publish(&tx);
        EXPECT_EQ(tx_page.h.rsp_prod, i + 1);
        expect_response(i, (int)i, NETIF_RSP_OKAY);
    }
}

TEST("the first slot's own bytes are what the fragments leave")
{
    request(1, 100, 1000, NETTXF_more_data);
    request(2, 0, 300, NETTXF_more_data);
    request(3, 4000, 96, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.status, NETIF_RSP_OKAY);
    EXPECT_EQ(packet.slot_count, 3);
    EXPECT_EQ(packet.part[0].bytes, 604);
    EXPECT_EQ(packet.part[1].bytes, 300);
    EXPECT_EQ(packet.part[2].offset, 4000);

    tx_ring_answer(&tx, &packet);
    EXPECT_TRUE(tx_ring_publish(&tx));
    for (uint32_t i = 0; i < 3; i++)
        expect_response(i, (int)i + 1, NETIF_RSP_OKAY);
}

TEST("extra information is answered behind the first slot, with an error")
{
    request(1, 0, 1000, NETTXF_more_data | NETTXF_extra_info);
    extra(NETIF_EXTRA_TYPE_GSO, NETIF_EXTRA_FLAG_MORE);
    extra(4, 0);
    request(2, 0, 300, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.status, NETIF_RSP_ERROR);
    tx_ring_answer(&tx, &packet);
    tx_ring_publish(&tx);
    EXPECT_EQ(tx_page.h.rsp_prod, 4);
    expect_response(0, 1, NETIF_RSP_ERROR);
    expect_response(1, -1, NETIF_RSP_NULL);
    expect_response(2, -1, NETIF_RSP_NULL);
    expect_response(3, 2, NETIF_RSP_ERROR);
}

/* A packet of 8000 bytes in two slots, to be cut as @type and @size say. */
static void large(uint8_t type, uint16_t size, uint16_t flags)
{
    request(1, 96, 8000, NETTXF_more_data | NETTXF_extra_info | flags);
    extra(NETIF_EXTRA_TYPE_GSO, 0);
    tx_page.slot[(tx_page.h.req_prod - 1) % NETIF_TX_RING_SLOTS].extra.u.gso =
        (__typeof__(((struct netif_extra_info *)0)->u.gso)){.size = size,
                                                            .type = type};
    request(2, 0, 4000, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
}

TEST("a packet that is to be cut may be larger than a frame, and says how")
{
    static const uint16_t sizes[] = {TX_GSO_MIN, 1448, TX_GSO_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        large(NETIF_GSO_TYPE_TCPV4, sizes[i], NETTXF_csum_blank);
        EXPECT_EQ(packet.status, NETIF_RSP_OKAY);
        EXPECT_EQ(packet.gso_bytes, sizes[i]);
        EXPECT_EQ(packet.bytes, 8000);
        EXPECT_EQ(packet.part[0].bytes, 4000);
        tx_ring_answer(&tx, &packet);
    }
    request(1, 0, 60, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.gso_bytes, 0);
}

TEST("what cannot be cut so is answered with an error")
{
    static const struct {
        uint8_t type;
        uint16_t size, flags;
    } wrong[] = {
        {NETIF_GSO_TYPE_TCPV4, 0, NETTXF_csum_blank},
        {NETIF_GSO_TYPE_TCPV4, 1, NETTXF_csum_blank},
        {NETIF_GSO_TYPE_TCPV4, TX_GSO_MIN - 1, NETTXF_csum_blank},
        {NETIF_GSO_TYPE_TCPV4, TX_GSO_MAX + 1, NETTXF_csum_blank},
        {NETIF_GSO_TYPE_TCPV4, UINT16_MAX, NETTXF_csum_blank},
        {0, 1448, NETTXF_csum_blank},
        {2, 1448, NETTXF_csum_blank}, /* TCP over IPv6 */
        {NETIF_GSO_TYPE_TCPV4, 1448, 0},
        {NETIF_GSO_TYPE_TCPV4, 1448, NETTXF_data_validated},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        large(wrong[i].type, wrong[i].size, wrong[i].flags);
        EXPECT_EQ(packet.status, NETIF_RSP_ERROR);
        tx_ring_answer(&tx, &packet);
    }
    EXPECT_FALSE(tx.broken);
}

TEST("how to cut, said twice, is right only if it is right twice")
{
    static const struct {
        uint16_t first, second; /* sizes; 0: of another kind */
    } wrong[] = {{1448, 0}, {0, 1448}, {1448, TX_GSO_MAX + 1}};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        const uint16_t sizes[] = {wrong[i].first, wrong[i].second};

        request(1, 0, 4000, NETTXF_extra_info | NETTXF_csum_blank);
        for (int n = 0; n < 2; n++) {
            extra(NETIF_EXTRA_TYPE_GSO, n ? 0 : NETIF_EXTRA_FLAG_MORE);
            tx_page.slot[(tx_page.h.req_prod - 1) % NETIF_TX_RING_SLOTS]
                .extra.u.gso =
                (__typeof__(((struct netif_extra_info *)0)->u.gso)){
                    .size = sizes[n],
                    .type = sizes[n] ? NETIF_GSO_TYPE_TCPV4 : 2};
        }
        EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
        EXPECT_EQ(packet.status, NETIF_RSP_ERROR);
        EXPECT_EQ(packet.extra_count, 2);
        tx_ring_answer(&tx, &packet);
    }
    EXPECT_FALSE(tx.broken);
    EXPECT_EQ(tx.rsp_prod, tx_page.h.req_prod);
}

TEST("buffers are counted, and a count that cannot be is none")
{
    rx_page.h.req_prod = 3;
    EXPECT_TRUE(rx_ring_has(&rx, 3));
    EXPECT_FALSE(rx_ring_has(&rx, 4));
    rx_page.h.req_prod = NETIF_RX_RING_SLOTS + 1;
    EXPECT_FALSE(rx_ring_has(&rx, 3));
}

TEST("sizes that cannot be are answered with an error, and the next is served")
{
    static const uint16_t sizes[] = {0, 1, 13, 1515, 4096};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        request(9, 0, sizes[i], 0);
        EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
        EXPECT_EQ(packet.status, NETIF_RSP_ERROR);
    }
    request(9, 0, 14, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.status, NETIF_RSP_OKAY);
    request(9, 0, 1514, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.status, NETIF_RSP_OKAY);
}

TEST("fragments larger than the whole are an error")
{
    request(1, 0, 100, NETTXF_more_data);
    request(2, 0, 100, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.status, NETIF_RSP_ERROR);
    request(1, 0, 100, NETTXF_more_data);
    request(2, 0, 4000, NETTXF_more_data);
    request(3, 0, 4000, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    EXPECT_EQ(packet.status, NETIF_RSP_ERROR);
    EXPECT_FALSE(tx.broken);
}

/* After a break nothing is taken, answered or published any more. */
static void expect_broken(void)
{
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_BROKEN);
    EXPECT_TRUE(tx.broken);
    tx_page.h.req_prod = tx.req_cons;
    request(1, 0, 60, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_BROKEN);
    packet.slot_count = 1;
    tx_ring_answer(&tx, &packet);
    EXPECT_FALSE(tx_ring_publish(&tx));
    EXPECT_FALSE(tx_ring_wait(&tx));
    EXPECT_EQ(tx_page.h.rsp_prod, 0);
}

TEST("an index ahead of the ring breaks it; a full ring does not")
{
    for (uint32_t i = 0; i < NETIF_TX_RING_SLOTS; i++)
        request(1, 0, 60, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    setup();
    tx_page.h.req_prod = NETIF_TX_RING_SLOTS + 1;
    expect_broken();
    setup();
    tx_page.h.req_prod = UINT32_MAX; /* behind */
    expect_broken();
}

TEST("a fragment beyond its page breaks the ring")
{
    request(1, 4090, 60, 0);
    expect_broken();
    setup();
    request(1, 4037, 60, 0);
    expect_broken();
    setup();
    request(1, 4036, 60, 0);
    EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
    setup();
    request(1, 0, 1000, NETTXF_more_data);
    request(1, 65535, 60, 0);
    expect_broken();
    setup();
    request(1, 4000, 1000, NETTXF_more_data);
    request(1, 0, 60, 0);
    expect_broken();
}

TEST("promised slots that are missing break the ring")
{
    request(1, 0, 100, NETTXF_more_data);
    expect_broken();
    setup();
    request(1, 0, 100, NETTXF_extra_info);
    expect_broken();
    setup();
    request(1, 0, 100, NETTXF_extra_info | NETTXF_more_data);
    extra(NETIF_EXTRA_TYPE_GSO, 0);
    expect_broken();
}

TEST("extra information of no type, or without end, breaks the ring")
{
    static const uint8_t types[] = {0, NETIF_EXTRA_TYPE_MAX, 255};

    for (size_t i = 0; i < sizeof(types); i++) {
        setup();
        request(1, 0, 100, NETTXF_extra_info);
        extra(types[i], 0);
        expect_broken();
    }
    setup();
    request(1, 0, 100, NETTXF_extra_info);
    for (int i = 0; i < 20; i++)
        extra(2, NETIF_EXTRA_FLAG_MORE);
    expect_broken();
}

TEST("18 slots are carried, 20 answered with an error, 21 break the ring")
{
    for (unsigned int slots = 1; slots <= 21; slots++) {
        setup();
        request(1, 0, 1400, slots > 1 ? NETTXF_more_data : 0);
        for (unsigned int i = 2; i <= slots; i++)
            request((uint16_t)i, 0, 50, i < slots ? NETTXF_more_data : 0);
        if (slots == 21) {
            expect_broken();
            continue;
        }
        EXPECT_EQ(tx_ring_take(&tx, &packet), RING_TAKEN);
        EXPECT_EQ(packet.status,
                  slots <= 18 ? NETIF_RSP_OKAY : NETIF_RSP_ERROR);
        EXPECT_EQ(packet.slot_count, slots);
        tx_ring_answer(&tx, &packet);
        tx_ring_publish(&tx);
        EXPECT_EQ(tx_page.h.rsp_prod, slots);
        expect_response(slots - 1, (int)slots, packet.status);
    }
}

TEST("the guest is notified if it asked for it, and not twice")
{
    request(1, 0, 60, 0);
    tx_ring_take(&tx, &packet);
    tx_ring_answer(&tx, &packet);
    EXPECT_TRUE(tx_ring_publish(&tx));
    EXPECT_FALSE(tx_ring_publish(&tx));

    tx_page.h.rsp_event = 3;
    request(1, 0, 60, 0);
    tx_ring_take(&tx, &packet);
    tx_ring_answer(&tx, &packet);
    EXPECT_FALSE(tx_ring_publish(&tx));
    request(1, 0, 60, 0);
    tx_ring_take(&tx, &packet);
    tx_ring_answer(&tx, &packet);
    EXPECT_TRUE(tx_ring_publish(&tx));
}

TEST("waiting asks for the next request, unless one is there")
{
    EXPECT_FALSE(tx_ring_wait(&tx));
    EXPECT_EQ(tx_page.h.req_event, 1);
    request(1, 0, 60, 0);
    EXPECT_TRUE(tx_ring_wait(&tx));
    tx_ring_take(&tx, &packet);
    EXPECT_FALSE(tx_ring_wait(&tx));
    EXPECT_EQ(tx_page.h.req_event, 2);
}

static void post(uint16_t id)
{
    rx_page.slot[rx_page.h.req_prod++ % NETIF_RX_RING_SLOTS].req =
        (struct netif_rx_request){.id = id, .gref = 500U + id};
}

TEST("posted buffers are taken in order and answered in their own slots")
{
    struct netif_rx_request req;

    for (uint32_t i = 0; i < 3 * NETIF_RX_RING_SLOTS; i++) {
        struct netif_rx_response rsp = {.id = (uint16_t)i, .status = 77};

        post((uint16_t)i);
        EXPECT_EQ(rx_ring_take(&rx, &req), RING_TAKEN);
        EXPECT_EQ(req.id, (uint16_t)i);
        EXPECT_EQ(req.gref, 500 + i);
        EXPECT_EQ(rx_ring_take(&rx, &req), RING_EMPTY);
        rx_ring_answer(&rx, &rsp);
        rx_ring_publish(&rx);
        EXPECT_EQ(rx_page.h.rsp_prod, i + 1);
        EXPECT_EQ(rx_page.slot[i % NETIF_RX_RING_SLOTS].rsp.status, 77);
        EXPECT_EQ(rx_page.slot[i % NETIF_RX_RING_SLOTS].rsp.id, (uint16_t)i);
    }
}

TEST("a receive index ahead of the ring breaks it")
{
    struct netif_rx_request req;
    struct netif_rx_response rsp = {.status = 1};

    rx_page.h.req_prod = NETIF_RX_RING_SLOTS + 1;
    EXPECT_EQ(rx_ring_take(&rx, &req), RING_BROKEN);
    rx_page.h.req_prod = 1;
    EXPECT_EQ(rx_ring_take(&rx, &req), RING_BROKEN);
    rx_ring_answer(&rx, &rsp);
    EXPECT_FALSE(rx_ring_publish(&rx));
    EXPECT_FALSE(rx_ring_wait(&rx));
}

TEST("random rings never lead outside, and answers equal requests")
{
    uint32_t seed = 7;

    for (int round = 0; round < 20000; round++) {
        uint32_t count = 0;

        setup();
        for (size_t i = 0; i < sizeof(tx_page.slot) / 4; i++) {
            uint32_t *word = (uint32_t *)(void *)tx_page.slot + i;

            seed = seed * 1664525 + 1013904223;
            *word = seed >> 7 & 0x0fff0fffU;
            if (round % 2 == 0) /* mostly small, so that some are carried */
                *word &= 0x010f010fU;
        }
        tx_page.h.req_prod = seed >> 24;
        while (tx_ring_take(&tx, &packet) == RING_TAKEN) {
            uint32_t sum = 0;

            count += packet.slot_count + packet.extra_count;
            for (int i = 0; i < packet.slot_count && i < (int)TX_SLOTS_MAX; i++)
                sum += packet.part[i].bytes;
            if (packet.status == NETIF_RSP_OKAY)
                EXPECT_EQ(sum, packet.bytes);
            tx_ring_answer(&tx, &packet);
        }
        tx_ring_publish(&tx);
        if (!tx.broken) {
            EXPECT_EQ(count, tx_page.h.req_prod);
            EXPECT_EQ(tx_page.h.rsp_prod, tx_page.h.req_prod);
        }
    }
}
