/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP packets larger than a frame through real rounds: whole to those who take
 * such, cut for all others, and what senders and receivers may do about them.
 */
/* LINK: tests/unit/control/net/datapath.c */
/* LINK: guests/control/net/round.c guests/control/net/router.c */
/* LINK: guests/control/net/netback_tx.c guests/control/net/netback_rx.c */
/* LINK: guests/control/net/netback_cut.c */
/* LINK: guests/control/net/netback_ring.c guests/control/net/copy_batch.c */
/* LINK: guests/control/net/packet.c guests/control/net/switch.c */
/* LINK: guests/control/net/dhcp.c */
/* LINK: guests/control/net/nat.c guests/control/net/nat_flow.c */
/* LINK: guests/control/net/nat_icmp.c guests/control/net/nat_tcp.c */
/* LINK: guests/control/net/ip4.c guests/control/net/checksum.c */
/* LINK: guests/control/net/siphash.c */

#include "control/net/datapath.h"
#include "doubles/check.h"
#include "net/netback_tx.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/router.h"
#include "test.h"

CHECK_MAIN

void setup(void)
{
    datapath_make();
}

void teardown(void)
{
    datapath_end();
}

#define LARGE_HEADERS (ETH_HEADER_BYTES + 40)
#define SEGMENT       1448U
#define SEQUENCE      0xfffff000U /* it wraps */

static uint8_t large[65536], collected[65536];

/* A packet with @data bytes of TCP data; the bytes of the frame. */
static uint32_t make_large(int g, uint32_t dst, const uint8_t *dst_mac,
                           uint32_t data)
{
    uint8_t *ip = large + ETH_HEADER_BYTES, *tcp = ip + 20, mac[6];
    struct test_packet p;

    mac_of(g, mac);
    eth_header(large, dst_mac, mac, ETH_TYPE_IP4);
    test_tcp(&p, address_of(g), 80, dst, 5, TCP_ACK | TCP_PSH | TCP_FIN,
             SEQUENCE, 1, 0);
    wire_put16(p.ip + IP4_TOTAL, (uint16_t)(40 + data));
    wire_put16(p.ip + IP4_ID, 0xffff);
    test_ip_sum(&p);
    memcpy(ip, p.ip, 40);
    wire_put16(tcp + TCP_CHECKSUM, 0xbeef);
    for (uint32_t i = 0; i < data; i++)
        large[LARGE_HEADERS + i] = (uint8_t)(i * 31 + i / 4096);
    return LARGE_HEADERS + data;
}

static union netif_tx_slot *next_tx_slot(int g)
{
    return &guest[g].tx.slot[guest[g].tx.h.req_prod++ % NETIF_TX_RING_SLOTS];
}

/* The guest sends it in pieces of @piece bytes, the first with the headers. */
static void send_large(int g, uint32_t bytes, uint32_t piece)
{
    struct guest *from = &guest[g];

    for (uint32_t at = 0; at < bytes; at += piece) {
        uint32_t part = bytes - at < piece ? bytes - at : piece;
        uint16_t page = from->next_page++, flags = NETTXF_csum_blank;
        union netif_tx_slot *slot = next_tx_slot(g);

        if (from->next_page == GUEST_PAGES)
            from->next_page = RX_PAGES;
        memcpy(from->page[page] + 4096 - part, large + at, part);
        if (at + part < bytes)
            flags |= NETTXF_more_data;
        if (at == 0)
            flags |= NETTXF_extra_info;
        slot->req = (struct netif_tx_request){
            .gref = page,
            .offset = (uint16_t)(4096 - part),
            .flags = flags,
            .size = (uint16_t)(at == 0 ? bytes : part),
        };
        if (at == 0)
            next_tx_slot(g)->extra = (struct netif_extra_info){
                .type = NETIF_EXTRA_TYPE_GSO,
                .u.gso = {.size = SEGMENT, .type = NETIF_GSO_TYPE_TCPV4}};
    }
    round_activate(&from->vif);
}

static void large_to_guest(int g, int to, uint32_t data, uint32_t piece)
{
    uint8_t mac[6];

    mac_of(to, mac);
    send_large(g, make_large(g, address_of(to), mac, data), piece);
    run();
}

/* What guest @g got uncut is what was sent; the count of its slots. */
static uint32_t expect_uncut(int g, uint32_t bytes)
{
    struct netif_rx_response rsp;
    uint32_t at = 0, slots = 0;

    do {
        const uint8_t *buffer = got(g, &rsp);

        REQUIRE(buffer != NULL);
        REQUIRE(rsp.status > 0);
        memcpy(collected + at, buffer, (size_t)rsp.status);
        at += (uint32_t)rsp.status;
        EXPECT_EQ(rsp.flags & ~NETRXF_more_data,
                  slots ? 0
                        : NETRXF_csum_blank | NETRXF_data_validated |
                              NETRXF_extra_info);
        if (slots++ == 0) {
            const struct netif_extra_info *extra =
                &guest[g]
                     .rx.slot[guest[g].rx_seen++ % NETIF_RX_RING_SLOTS]
                     .extra;

            EXPECT_EQ(extra->type, NETIF_EXTRA_TYPE_GSO);
            EXPECT_EQ(extra->flags, 0);
            EXPECT_EQ(extra->u.gso.size, SEGMENT);
            EXPECT_EQ(extra->u.gso.type, NETIF_GSO_TYPE_TCPV4);
        }
    } while (rsp.flags & NETRXF_more_data);
    EXPECT_EQ(at, bytes);
    EXPECT_MEM(collected, large, bytes);
    return slots;
}

/* A part's headers are right, and its data goes where its number says. */
static void expect_part(const uint8_t *frame, uint32_t data, bool is_whole)
{
    const uint8_t *ip = frame + ETH_HEADER_BYTES, *tcp = ip + 20;
    uint32_t from = wire_get32(tcp + TCP_SEQUENCE) - SEQUENCE;
    uint32_t bytes = wire_get16(ip + IP4_TOTAL) - 40U;
    struct test_packet p = {.bytes = bytes + 40};

    REQUIRE(bytes <= SEGMENT && from + bytes <= data);
    EXPECT_EQ(from % SEGMENT, 0);
    EXPECT_EQ(test_sum(ip, 20), 0);
    EXPECT_EQ(wire_get16(ip + IP4_ID), (uint16_t)(0xffff + from / SEGMENT));
    EXPECT_EQ(tcp[TCP_FLAGS],
              from + bytes == data ? TCP_ACK | TCP_PSH | TCP_FIN : TCP_ACK);
    memcpy(p.ip, ip, p.bytes);
    if (!is_whole) /* as whoever completes it goes on from what is there */
        wire_put16(p.ip + 20 + TCP_CHECKSUM, test_sum(p.ip + 20, p.bytes - 20));
    EXPECT_TRUE(test_sums_right(&p));
    memcpy(collected + from, frame + LARGE_HEADERS, bytes);
}

TEST("a packet to be cut passes whole to a guest that takes such")
{
    guest[1].vif.front_gso = true;
    for (uint32_t piece = 3700; piece <= 4096; piece += 44) {
        for (uint32_t data = 1; data < 65000; data += 5000) {
            uint32_t slots = (LARGE_HEADERS + data + 4095) / 4096;

            post(1, slots + 1);
            large_to_guest(0, 1, data, piece);
            EXPECT_EQ(expect_uncut(1, LARGE_HEADERS + data), slots);
            EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
            EXPECT_TRUE(tx_status(0, guest[0].tx.h.rsp_prod - 1) >= 0);
        }
    }
    EXPECT_EQ(guest[1].vif.stats.rx_packets, guest[0].vif.stats.tx_packets);
    EXPECT_EQ(guest[1].vif.stats.rx_bytes, guest[0].vif.stats.tx_bytes);
    EXPECT_EQ(guest[1].vif.stats.rx_errors, 0);
}

TEST("it is cut for a guest that takes none, and where buffers do not suffice")
{
    struct netif_rx_response rsp;

    for (int takes = 0; takes < 2; takes++) {
        const uint8_t *frame;
        uint32_t count = 0;

        guest[1].vif.front_gso = takes;
        post(1, takes ? 7 : 60); /* uncut it takes 9 */
        memset(collected, 0, sizeof(collected));
        large_to_guest(0, 1, 30000, 4000);
        while (count < 21) {
            if (takes && count == 7) {
                post(1, 14);
                round_activate(&guest[1].vif);
                run();
            }
            frame = got(1, &rsp);
            REQUIRE(frame != NULL);
            EXPECT_EQ(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated);
            expect_part(frame, 30000, false);
            count++;
        }
        EXPECT_TRUE(got(1, &rsp) == NULL);
        EXPECT_MEM(collected, large + LARGE_HEADERS, 30000);
        rx_ring_attach(&guest[1].vif.rx, &guest[1].rx);
        guest[1].rx.h.req_prod = guest[1].rx.h.rsp_prod = 0;
        guest[1].rx_seen = 0;
        rx_ring_attach(&guest[1].vif.rx, &guest[1].rx);
    }
}

TEST("it is cut for the uplink and for the stack, with checksums")
{
    struct test_packet p;

    test_tcp(&p, address_of(0), 80, REMOTE, 5, TCP_SYN, SEQUENCE, 0, 0);
    to_router(0, &p, 0, 4096);
    run();
    card_done();
    for (uint32_t data = 1; data < 65000; data += 3000) {
        send_large(0, make_large(0, REMOTE, router_get()->sw.router_mac, data),
                   4096);
        run();
        REQUIRE(card_out_count == (data + SEGMENT - 1) / SEGMENT);
        for (uint32_t i = 0; i < card_out_count; i++)
            expect_part(card_out[i]->frame, data, true);
        EXPECT_MEM(collected, large + LARGE_HEADERS, data);
        card_done();
    }
    send_large(0, make_large(0, ROUTER, router_get()->sw.router_mac, 10000),
               4096);
    run();
    EXPECT_EQ(stack_count, 7);
}

TEST("what says that it is to be cut, but is nothing to cut, is dropped")
{
    static const struct {
        uint16_t at;
        uint8_t value;
    } wrong[] = {
        {14 + IP4_PROTO, PROTO_UDP},
        {14 + IP4_PROTO, PROTO_ICMP},
        {14 + IP4_FRAGMENT, 0x20},
        {14 + IP4_TOTAL, 0x10}, /* bytes behind the data */
        {34 + TCP_DATA_OFFSET, 0x40},
        {34 + TCP_FLAGS, TCP_SYN},
        {34 + TCP_FLAGS, TCP_RST | TCP_ACK},
        {34 + TCP_FLAGS, TCP_URG | TCP_ACK},
    };
    struct netif_rx_response rsp;
    uint64_t before = router_get()->uncuttable;
    uint32_t sent = 0, bytes;
    uint8_t mac[6];

    guest[1].vif.front_gso = true;
    post(1, 100);
    mac_of(1, mac);
    for (int to_card = 0; to_card < 2; to_card++) {
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            bytes = to_card ? make_large(0, REMOTE, router_get()->sw.router_mac,
                                         8000)
                            : make_large(0, address_of(1), mac, 8000);
            large[wrong[i].at] = wrong[i].value;
            wire_put16(large + 14 + IP4_CHECKSUM, 0);
            wire_put16(large + 14 + IP4_CHECKSUM, test_sum(large + 14, 20));
            send_large(0, bytes, 4096);
            run();
            sent++;
        }
    }
    EXPECT_EQ(router_get()->uncuttable, before + sent);
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);

    /* Headers that leave no room for the data of a part. */
    bytes = make_large(0, REMOTE, router_get()->sw.router_mac, 8000);
    large[34 + TCP_DATA_OFFSET] = 0xf0;
    send_large(0, bytes, 4096);
    run();
    EXPECT_EQ(tx_status(0, guest[0].tx.h.rsp_prod - 1), NETIF_RSP_ERROR);
    /* A request for an address, and what is no request of anybody's. */
    bytes = make_large(0, REMOTE, router_get()->sw.router_mac, 8000);
    wire_put16(large + ETH_TYPE, ETH_TYPE_ARP);
    send_large(0, bytes, 4096);
    run();
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
}

TEST("data that cannot be read or written is an error of that packet alone")
{
    struct netif_rx_response rsp;
    uint8_t mac[6];
    int errors = 0;

    mac_of(1, mac);
    for (int takes = 0; takes < 2; takes++) {
        guest[1].vif.front_gso = takes;
        post(1, 40);
        send_large(0, make_large(0, address_of(1), mac, 8000), 3000);
        guest[0]
            .tx.slot[(guest[0].tx.h.req_prod - 1) % NETIF_TX_RING_SLOTS]
            .req.gref = 100000;
        run();
        while (got(1, &rsp)) {
            errors += rsp.status < 0;
            if (rsp.flags & NETRXF_extra_info)
                guest[1].rx_seen++;
        }
        EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
    }
    /* Cut, its sender is told; whole, its receiver. */
    EXPECT_EQ(tx_status(0, 1), NETIF_RSP_NULL);
    EXPECT_EQ(tx_status(0, 0), NETIF_RSP_ERROR);
    EXPECT_EQ(errors, 1);
    EXPECT_FALSE(guest[1].vif.stopped);
}

static uint32_t left_posted;

/* Guest 1 takes back all of its buffers but some. */
static void take_back(void)
{
    guest[1].rx.h.req_prod = guest[1].rx.h.rsp_prod + left_posted;
}

TEST("a receiver that takes back what it has posted harms nobody else")
{
    struct test_packet p;
    uint8_t mac[6];

    guest[1].vif.front_gso = true;
    mac_of(1, mac);
    for (left_posted = 0; left_posted < 18; left_posted++) {
        /* So many copies that there is a call between counting and taking. */
        for (int i = 0; i < 13; i++) {
            post(2, 1);
            test_udp(&p, address_of(0), 1, address_of(2), 2, 1472);
            to_guest(0, 2, &p, 0, 90);
            if (i == 0)
                run();
        }
        post(1, 18);
        copy_calls = 0;
        on_second_call = take_back;
        send_large(0, make_large(0, address_of(1), mac, 60000), 4096);
        run();
        EXPECT_TRUE(on_second_call == NULL);
        EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
        EXPECT_EQ(guest[1].vif.rx_queued, 0);
    }
    EXPECT_FALSE(guest[0].vif.stopped);
}

TEST("large packets are a turn of their own")
{
    struct test_packet p;
    uint8_t mac[6];

    guest[1].vif.front_gso = true;
    post(1, 250);
    mac_of(1, mac);
    for (int i = 0; i < 10; i++)
        send_large(0, make_large(0, address_of(1), mac, 30000), 4096);
    test_udp(&p, address_of(2), 1, REMOTE, 53, 100);
    to_router(2, &p, 0, 4096);
    work_queued = false;
    work_fn(NULL);
    EXPECT_EQ(guest[0].vif.stats.tx_packets, 1);
    EXPECT_EQ(guest[2].tx.h.rsp_prod, 1);
    run();
    EXPECT_EQ(guest[0].vif.stats.tx_packets, 10);
}
