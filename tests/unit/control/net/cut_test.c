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

#define LARGE_HEADERS (ETH_HEADER_BYTES + 40)
#define SEGMENT       1448U
#define SEQUENCE      0xfffff000U /* it wraps */

static uint16_t segment; /* data of each part, as the sender says */

void setup(void)
{
    segment = SEGMENT;
    datapath_make();
}

void teardown(void)
{
    datapath_end();
}

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
                .u.gso = {.size = segment, .type = NETIF_GSO_TYPE_TCPV4}};
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
            EXPECT_EQ(extra->u.gso.size, segment);
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

    REQUIRE(bytes <= segment && from + bytes <= data);
    EXPECT_EQ(from % segment, 0);
    EXPECT_EQ(test_sum(ip, 20), 0);
    EXPECT_EQ(wire_get16(ip + IP4_ID), (uint16_t)(0xffff + from / segment));
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

TEST("a turn is of as many frames as are made, however small they are")
{
    segment = TX_GSO_MIN;
    for (int i = 0; i < 10; i++)
        send_large(
            0,
            make_large(0, ROUTER, router_get()->sw.router_mac, 8 * TX_GSO_MIN),
            4096);
    work_queued = false;
    work_fn(NULL);
    EXPECT_EQ(guest[0].vif.stats.tx_packets, 2);
    EXPECT_EQ(stack_count, TX_GUEST_TURN);
    run();
    EXPECT_EQ(stack_count, 80);
}

TEST("the largest packet in the smallest parts is cut into 128")
{
    uint32_t data = UINT16_MAX - LARGE_HEADERS;
    struct test_packet p;

    segment = TX_GSO_MIN;
    test_tcp(&p, address_of(0), 80, REMOTE, 5, TCP_SYN, SEQUENCE, 0, 0);
    to_router(0, &p, 0, 4096);
    run();
    card_done();
    send_large(0, make_large(0, REMOTE, router_get()->sw.router_mac, data),
               3856); /* 17 slots, and the one of what is to be done */
    run();
    REQUIRE(card_out_count == 128);
    memset(collected, 0, sizeof(collected));
    for (uint32_t i = 0; i < card_out_count; i++)
        expect_part(card_out[i]->frame, data, true);
    EXPECT_MEM(collected, large + LARGE_HEADERS, data);
    EXPECT_EQ(tx_status(0, guest[0].tx.h.rsp_prod - 1), NETIF_RSP_OKAY);
}

TEST("headers may lie in several slots")
{
    struct netif_rx_response rsp;
    uint32_t data = 600;
    const uint8_t *frame;

    segment = TX_GSO_MIN;
    for (int takes = 0; takes < 2; takes++) {
        guest[1].vif.front_gso = takes;
        post(1, 2);
        large_to_guest(0, 1, data, 37); /* 18 slots */
        if (takes) {
            EXPECT_EQ(expect_uncut(1, LARGE_HEADERS + data), 1);
            continue;
        }
        memset(collected, 0, sizeof(collected));
        while ((frame = got(1, &rsp)) != NULL)
            expect_part(frame, data, false);
        EXPECT_MEM(collected, large + LARGE_HEADERS, data);
    }
}

#define OPTIONS 24U /* of IP and of TCP, each */

/* Options behind both headers of the packet in large[]; its bytes then. */
static uint32_t add_options(uint32_t bytes)
{
    uint8_t *ip = large + ETH_HEADER_BYTES, *tcp = ip + 20;

    memmove(tcp + 20 + 2 * OPTIONS, tcp + 20, bytes - LARGE_HEADERS);
    memmove(tcp + OPTIONS, tcp, 20);
    tcp += OPTIONS;
    for (uint32_t i = 0; i < OPTIONS; i++) {
        ip[20 + i] = (uint8_t)(0x40 + i);
        tcp[20 + i] = (uint8_t)(0x80 + i);
    }
    bytes += 2 * OPTIONS;
    ip[IP4_VERSION_IHL] = 0x45 + OPTIONS / 4;
    tcp[TCP_DATA_OFFSET] = 0x50 + OPTIONS / 4 * 16;
    wire_put16(ip + IP4_TOTAL, (uint16_t)(bytes - ETH_HEADER_BYTES));
    wire_put16(ip + IP4_CHECKSUM, 0);
    wire_put16(ip + IP4_CHECKSUM, test_sum(ip, 20 + OPTIONS));
    return bytes;
}

TEST("options are in every part, congestion that was answered in the first")
{
    const uint8_t flags = TCP_CWR | TCP_ACK | 0x40; /* ECE */
    struct netif_rx_response rsp;
    uint32_t data = 3 * SEGMENT - 7, at = 0, sent;
    uint8_t mac[6];

    segment = SEGMENT - 2 * OPTIONS;
    mac_of(1, mac);
    sent = make_large(0, address_of(1), mac, data);
    large[34 + TCP_FLAGS] = flags;
    sent = add_options(sent);
    post(1, 10);
    send_large(0, sent, 4096);
    run();
    for (uint32_t n = 0; n < 4; n++) {
        const uint8_t *frame = got(1, &rsp), *ip, *tcp;
        struct test_packet p;

        REQUIRE(frame != NULL);
        ip = frame + ETH_HEADER_BYTES;
        tcp = ip + 20 + OPTIONS;
        EXPECT_EQ(ip[IP4_VERSION_IHL], 0x4b);
        EXPECT_MEM(ip + 20, large + 34, OPTIONS);
        EXPECT_MEM(tcp + 20, large + 54 + OPTIONS, OPTIONS);
        EXPECT_EQ(tcp[TCP_FLAGS], n ? flags & ~TCP_CWR : flags);
        EXPECT_EQ(wire_get32(tcp + TCP_SEQUENCE), SEQUENCE + at);
        p.bytes = wire_get16(ip + IP4_TOTAL);
        EXPECT_EQ(rsp.status, ETH_HEADER_BYTES + p.bytes);
        memcpy(p.ip, ip, p.bytes);
        wire_put16(p.ip + 20 + OPTIONS + TCP_CHECKSUM,
                   test_sum(p.ip + 20 + OPTIONS, p.bytes - 20 - OPTIONS));
        EXPECT_TRUE(test_sums_right(&p));
        EXPECT_MEM(tcp + 20 + OPTIONS, large + LARGE_HEADERS + 2 * OPTIONS + at,
                   p.bytes - 40 - 2 * OPTIONS);
        at += (uint32_t)p.bytes - 40 - 2 * OPTIONS;
    }
    EXPECT_EQ(at, data);
    EXPECT_TRUE(got(1, &rsp) == NULL);
}

/* A packet of @data bytes of TCP with options that are all data. */
static void send_short(uint32_t data, uint8_t data_offset)
{
    uint32_t bytes = make_large(0, REMOTE, router_get()->sw.router_mac, data);

    large[34 + TCP_DATA_OFFSET] = data_offset;
    send_large(0, bytes, 4096);
    run();
}

TEST("a TCP header longer than its packet, or all of it, is nothing to cut")
{
    uint64_t before = router_get()->uncuttable;
    uint64_t no_flow = router_get()->nat.drop[NAT_DROP_no_flow];

    segment = TX_GSO_MIN;
    send_short(0, 0x50);
    send_short(8, 0x70);
    send_short(8, 0x80);
    send_short(39, 0xf0);
    send_short(40, 0xf0);
    EXPECT_EQ(router_get()->uncuttable, before + 5);
    EXPECT_EQ(router_get()->nat.drop[NAT_DROP_no_flow], no_flow);
    send_short(41, 0xf0); /* One byte is data: it is cut, and has no flow. */
    EXPECT_EQ(router_get()->nat.drop[NAT_DROP_no_flow], no_flow + 1);
    EXPECT_EQ(router_get()->uncuttable, before + 5);
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
}

/* Guest 0 writes over the headers of what it has sent. */
static void write_over(void)
{
    for (uint32_t i = RX_PAGES; i < GUEST_PAGES; i++)
        memset(guest[0].page[i] + 4096 - 3000, 0xff, LARGE_HEADERS);
}

TEST("headers that are changed after they were copied are those that were")
{
    struct netif_rx_response rsp;
    const uint8_t *frame;

    for (int takes = 0; takes < 2; takes++) {
        guest[1].vif.front_gso = takes;
        post(1, 8);
        copy_calls = 0;
        on_second_call = write_over;
        large_to_guest(0, 1, 6000 - LARGE_HEADERS, 3000);
        EXPECT_TRUE(on_second_call == NULL);
        /* The second slot's first bytes are data, and are what is there. */
        memset(large + 3000, 0xff, LARGE_HEADERS);
        if (takes) {
            EXPECT_EQ(expect_uncut(1, 6000), 2);
            continue;
        }
        memset(collected, 0, sizeof(collected));
        for (uint32_t n = 0; (frame = got(1, &rsp)) != NULL; n++) {
            const uint8_t *tcp = frame + 34;

            EXPECT_EQ(wire_get32(frame + 14 + IP4_SRC), address_of(0));
            EXPECT_EQ(wire_get32(frame + 14 + IP4_DST), address_of(1));
            EXPECT_EQ(wire_get32(tcp + TCP_SEQUENCE), SEQUENCE + n * SEGMENT);
            memcpy(collected + n * SEGMENT, frame + LARGE_HEADERS,
                   (size_t)rsp.status - LARGE_HEADERS);
        }
        EXPECT_MEM(collected, large + LARGE_HEADERS, 6000 - LARGE_HEADERS);
    }
}

TEST("parts for which there is no packet buffer are lost, and counted")
{
    static struct packet *taken[PACKETS_MAX];
    uint64_t before = router_get()->no_buffer;
    uint32_t count = 0;

    for (uint32_t left = 1; left < 9; left++) {
        stack_count = 0;
        while (packet_free_count() > left)
            taken[count++] = packet_alloc();
        send_large(0, make_large(0, ROUTER, router_get()->sw.router_mac, 10000),
                   4096);
        run();
        /* One buffer has the headers meanwhile. */
        EXPECT_EQ(stack_count, left - 1 < 7 ? left - 1 : 7);
        EXPECT_EQ(guest[0].tx.h.rsp_prod, guest[0].tx.h.req_prod);
        EXPECT_EQ(packet_free_count(), left);
        while (count > 0)
            packet_free(taken[--count]);
    }
    EXPECT_EQ(router_get()->no_buffer, before + 7 + 6 + 5 + 4 + 3 + 2 + 1);
}

TEST("a buffer that cannot be written is an error, and its packet stays one")
{
    struct netif_rx_response rsp;

    guest[1].vif.front_gso = true;
    for (uint32_t bad = 0; bad < 3; bad++) {
        uint32_t at = guest[1].rx.h.req_prod, slot = bad ? bad + 1 : 0;

        post(1, 5); /* the second is for what is to be done */
        guest[1].rx.slot[(at + slot) % NETIF_RX_RING_SLOTS].req.gref = 100000;
        large_to_guest(0, 1, 10000, 4096);
        for (uint32_t n = 0; n < 3; n++) {
            uint16_t extra = n ? 0 : NETRXF_extra_info;
            uint16_t more = n == 2 ? 0 : NETRXF_more_data;
            uint16_t sums = NETRXF_csum_blank | NETRXF_data_validated;

            REQUIRE(got(1, &rsp) != NULL);
            EXPECT_EQ(rsp.status < 0, n == bad);
            EXPECT_EQ(rsp.flags, extra | more | (n || n == bad ? 0 : sums));
            guest[1].rx_seen += n == 0;
        }
        EXPECT_EQ(guest[1].rx.h.rsp_prod, at + 4);
        guest[1].rx.h.req_prod--; /* The fifth is posted anew. */
    }
    EXPECT_EQ(guest[1].vif.stats.rx_errors, 3);
    EXPECT_EQ(tx_status(0, guest[0].tx.h.rsp_prod - 1), NETIF_RSP_OKAY);
}

TEST("a batch is full with the packet that makes it more frames than it has")
{
    segment = TX_GSO_MIN;
    for (int g = 0; g < 4; g++)
        send_large(g,
                   make_large(g, ROUTER, router_get()->sw.router_mac,
                              UINT16_MAX - LARGE_HEADERS),
                   4096);
    for (uint32_t round = 1; round <= 4; round++) {
        work_fn(NULL);
        EXPECT_EQ(stack_count, round * 128);
    }
    run();
    EXPECT_EQ(stack_count, 4 * 128);
}
