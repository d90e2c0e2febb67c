/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets through real rounds, on each way, and what may happen to them. */
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

#include <rt/time.h>
#include <rt/timer.h>

#include "control/net/datapath.h"
#include "doubles/check.h"
#include "net/netback_rx.h"
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

static void expect_packet(const uint8_t *frame, const struct test_packet *p)
{
    REQUIRE(frame != NULL);
    EXPECT_MEM(frame + ETH_HEADER_BYTES, p->ip, p->bytes);
}

TEST("a guest's packet goes out translated, in one copy, and is answered")
{
    struct test_packet p;

    test_udp(&p, address_of(0), 7, REMOTE, 53, 1000);
    to_router(0, &p, 0, 4096);
    run();
    EXPECT_EQ(card_out_count, 1);
    EXPECT_EQ(wire_get32(card_out[0]->frame + ETH_HEADER_BYTES + IP4_SRC),
              UPLINK);
    EXPECT_MEM(card_out[0]->frame + ETH_HEADER_BYTES + 28, p.ip + 28, 1000);
    EXPECT_EQ(copies, 1);
    EXPECT_EQ(copy_calls, 1);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 1);
    EXPECT_EQ(tx_status(0, 0), NETIF_RSP_OKAY);
    EXPECT_EQ(guest[0].events, 1);
}

TEST("many packets of several guests cost one hypercall")
{
    struct test_packet p;

    for (int g = 0; g < 3; g++) {
        for (uint16_t i = 0; i < 16; i++) {
            test_udp(&p, address_of(g), i, REMOTE, 53, 100);
            to_router(g, &p, 0, 4096);
        }
    }
    run();
    EXPECT_EQ(card_out_count, 48);
    EXPECT_EQ(copy_calls, 1);
    for (int g = 0; g < 3; g++)
        EXPECT_EQ(guest[g].events, 1);
}

TEST("a packet from outside reaches its guest in one copy")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    const uint8_t *frame;
    uint8_t mac[6];

    EXPECT_EQ(
        nat_forward_add(&router_get()->nat, PROTO_TCP, 9000, address_of(1), 80),
        0);
    post(1, 2);
    test_tcp(&p, REMOTE, 5, UPLINK, 9000, TCP_SYN, 1, 0, 0);
    from_card(&p);
    run();
    frame = got(1, &rsp);
    REQUIRE(frame != NULL);
    mac_of(1, mac);
    EXPECT_MEM(frame + ETH_DST, mac, 6);
    EXPECT_EQ(wire_get32(frame + ETH_HEADER_BYTES + IP4_DST), address_of(1));
    EXPECT_EQ(rsp.status, ETH_HEADER_BYTES + 40);
    EXPECT_EQ(rsp.flags, 0); /* nothing was validated */
    EXPECT_EQ(copies, 1);
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(nat_forward_remove(&router_get()->nat, PROTO_TCP, 9000), 0);
}

TEST("guest to guest: the second packet goes straight from page to page")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 10);
    test_udp(&p, address_of(0), 1, address_of(1), 2, 1400);
    to_guest(0, 1, &p, 0, 4096);
    run();
    expect_packet(got(1, &rsp), &p);
    EXPECT_EQ(guest[1].vif.stats.direct, 0);

    copies = 0;
    test_udp(&p, address_of(0), 3, address_of(1), 4, 1300);
    to_guest(0, 1, &p, NETTXF_csum_blank, 4096);
    run();
    expect_packet(got(1, &rsp), &p);
    EXPECT_EQ(rsp.flags, NETRXF_csum_blank | NETRXF_data_validated);
    EXPECT_EQ(guest[1].vif.stats.direct, 1);
    EXPECT_EQ(copies, 3); /* headers in, headers out, the rest across */
    EXPECT_EQ(tx_status(0, 1), NETIF_RSP_OKAY);
}

TEST("packets in pieces of any size arrive whole, on both ways")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    uint32_t sent = 0;

    for (size_t piece = 90; piece < 1600; piece += 37) {
        for (int i = 0; i < 2; i++) {
            post(2, 1);
            test_udp(&p, address_of(0), 1, address_of(2), 2, 1472);
            p.ip[100] = (uint8_t)piece;
            to_guest(0, 2, &p, NETTXF_data_validated, piece);
            run();
            expect_packet(got(2, &rsp), &p);
            EXPECT_EQ(rsp.status, ETH_FRAME_MAX);
            EXPECT_EQ(rsp.flags, NETRXF_data_validated);
            sent++;
        }
    }
    EXPECT_TRUE(guest[2].vif.stats.direct >= sent - 1);
    for (size_t piece = 90; piece < 1600; piece += 37) {
        test_udp(&p, address_of(0), 1, REMOTE, 2, 1472);
        to_router(0, &p, 0, piece);
        run();
        EXPECT_MEM(card_out[0]->frame + 14 + 28, p.ip + 28, 1472);
        card_done();
    }
}

TEST("a blank checksum is completed for the uplink and for simple guests")
{
    struct netif_rx_response rsp;
    struct test_packet p, want;
    const uint8_t *frame;

    guest[1].vif.front_no_checksum = true;
    post(1, 4);
    for (int i = 0; i < 2; i++) { /* from the buffer, and from the pages */
        test_udp(&p, address_of(0), 1, address_of(1), 2, 1000);
        want = p;
        wire_put16(p.ip + IP4_HEADER_BYTES + UDP_CHECKSUM, 0x1234);
        to_guest(0, 1, &p, NETTXF_csum_blank | NETTXF_data_validated, 4096);
        run();
        frame = got(1, &rsp);
        expect_packet(frame, &want);
        EXPECT_EQ(rsp.flags & NETRXF_csum_blank, 0);
    }

    test_tcp(&p, address_of(0), 1, REMOTE, 2, TCP_SYN, 1, 2, 1);
    wire_put16(p.ip + IP4_HEADER_BYTES + TCP_CHECKSUM, 0x1234);
    to_router(0, &p, NETTXF_csum_blank | NETTXF_data_validated, 4096);
    run();
    REQUIRE(card_out_count == 1);
    memcpy(p.ip, card_out[0]->frame + ETH_HEADER_BYTES, p.bytes);
    EXPECT_TRUE(test_sums_right(&p));
}

TEST("a blank checksum of what has none is dropped")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 4);
    test_echo(&p, address_of(0), address_of(1), ICMP_ECHO, 1);
    to_guest(0, 1, &p, NETTXF_csum_blank, 4096);
    test_echo(&p, address_of(0), REMOTE, ICMP_ECHO, 1);
    to_router(0, &p, NETTXF_csum_blank, 4096);
    run();
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(card_out_count, 0);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 2);
}

TEST("frames wait for buffers, in order, and not beyond their limit")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    uint32_t count = 0;

    for (uint16_t i = 0; i < 200; i++) {
        test_udp(&p, address_of(0), i, address_of(1), 2, 500);
        to_guest(0, 1, &p, 0, 4096);
        run();
    }
    EXPECT_EQ(guest[1].vif.rx_queued, VIF_RX_QUEUE_MAX);
    EXPECT_EQ(guest[1].vif.stats.rx_dropped, 200 - VIF_RX_QUEUE_MAX);
    EXPECT_EQ(guest[1].rx.h.req_event, 1);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 200); /* the sender is not held up */

    for (int i = 0; i < 7; i++) {
        const uint8_t *frame;

        post(1, 10);
        round_activate(&guest[1].vif);
        run();
        while ((frame = got(1, &rsp)) != NULL)
            EXPECT_EQ(wire_get16(frame + 34), count++);
    }
    EXPECT_EQ(count, VIF_RX_QUEUE_MAX);
}

TEST("a frame that comes after buffers were posted stays behind those waiting")
{
    struct netif_rx_response rsp;
    struct test_packet p;
    const uint8_t *frame;

    for (uint16_t i = 0; i < 3; i++) {
        if (i == 2)
            post(1, 10); /* Its event has not been seen yet. */
        test_udp(&p, address_of(0), i, address_of(1), 2, 500);
        to_guest(0, 1, &p, 0, 4096);
        run();
    }
    round_activate(&guest[1].vif);
    run();
    for (uint16_t i = 0; i < 3; i++) {
        frame = got(1, &rsp);
        REQUIRE(frame != NULL);
        EXPECT_EQ(wire_get16(frame + 34), i);
    }
}

TEST("a guest that never posts loses what waits after ten seconds")
{
    struct test_packet p;

    test_udp(&p, address_of(0), 1, address_of(1), 2, 500);
    to_guest(0, 1, &p, 0, 4096);
    run();
    EXPECT_EQ(guest[1].vif.rx_queued, 1);
    EXPECT_TRUE(rt_timer_armed(&guest[1].vif.rx_timer));
    guest[1].vif.rx_timer.slot = 0;
    clock_ns += 5000000000;
    guest[1].vif.rx_timer.fn(guest[1].vif.rx_timer.arg);
    EXPECT_EQ(guest[1].vif.rx_queued, 1);
    EXPECT_TRUE(rt_timer_armed(&guest[1].vif.rx_timer));
    clock_ns += 5000000000;
    guest[1].vif.rx_timer.slot = 0;
    guest[1].vif.rx_timer.fn(guest[1].vif.rx_timer.arg);
    EXPECT_EQ(guest[1].vif.rx_queued, 0);
    EXPECT_FALSE(rt_timer_armed(&guest[1].vif.rx_timer));
}

TEST("pages that cannot be read give an error, and only for their packet")
{
    struct test_packet p;

    for (uint16_t i = 0; i < 3; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    guest[0].tx.slot[1].req.gref = 100000;
    run();
    EXPECT_EQ(card_out_count, 2);
    EXPECT_EQ(tx_status(0, 0), NETIF_RSP_OKAY);
    EXPECT_EQ(tx_status(0, 1), NETIF_RSP_ERROR);
    EXPECT_EQ(tx_status(0, 2), NETIF_RSP_OKAY);
}

TEST("buffers that cannot be written give an error, and are passed over")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 2);
    guest[1].rx.slot[0].req.gref = 100000;
    for (int i = 0; i < 2; i++) {
        test_udp(&p, address_of(0), 1, address_of(1), 2, 500);
        to_guest(0, 1, &p, 0, 4096);
    }
    run();
    EXPECT_TRUE(got(1, &rsp) != NULL);
    EXPECT_EQ(rsp.status, NETIF_RSP_ERROR);
    expect_packet(got(1, &rsp), &p);
    EXPECT_EQ(guest[1].vif.stats.rx_errors, 1);
}

TEST("ARP is answered to the guest that asked")
{
    struct netif_rx_response rsp;
    const uint8_t *frame;
    uint8_t arp[42], mac[6];

    memset(arp, 0, sizeof(arp));
    mac_of(0, mac);
    eth_header(arp, (const uint8_t[]){255, 255, 255, 255, 255, 255}, mac,
               ETH_TYPE_ARP);
    wire_put16(arp + 14, 1);
    wire_put16(arp + 16, ETH_TYPE_IP4);
    arp[18] = 6;
    arp[19] = 4;
    wire_put16(arp + 20, ARP_REQUEST);
    memcpy(arp + 22, mac, 6);
    wire_put32(arp + 28, address_of(0));
    wire_put32(arp + 38, ROUTER);
    memcpy(guest[0].page[300], arp, sizeof(arp));
    guest[0].tx.slot[0].req =
        (struct netif_tx_request){.gref = 300, .size = sizeof(arp)};
    guest[0].tx.h.req_prod = 1;
    post(0, 1);
    round_activate(&guest[0].vif);
    run();
    frame = got(0, &rsp);
    REQUIRE(frame != NULL);
    EXPECT_EQ(rsp.status, 42);
    EXPECT_MEM(frame + 22, router_get()->sw.router_mac, 6);
}

TEST("the router's own packets reach the stack")
{
    struct test_packet p;

    test_echo(&p, address_of(0), ROUTER, ICMP_ECHO, 1);
    to_router(0, &p, 0, 4096);
    test_udp(&p, REMOTE, 67, UPLINK, 68, 100);
    from_card(&p);
    run();
    EXPECT_EQ(stack_count, 1);
    EXPECT_EQ(uplink_stack_count, 1);
}

TEST("inside addresses do not come in from outside")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(1, 2);
    test_udp(&p, address_of(0), 67, UPLINK, 68, 100);
    from_card(&p);
    test_udp(&p, REMOTE, 67, address_of(1), 68, 100);
    from_card(&p);
    run();
    EXPECT_EQ(uplink_stack_count, 0);
    EXPECT_TRUE(got(1, &rsp) == NULL);
    EXPECT_EQ(router_get()->uplink_foreign, 2);
}

TEST("a guest whose packets wait for the uplink waits; others go on")
{
    struct test_packet p;

    card_holds = 1;
    for (uint16_t i = 0; i < 200; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    run();
    EXPECT_EQ(guest[0].vif.uplink_queued, VIF_UPLINK_QUEUE_MAX);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, VIF_UPLINK_QUEUE_MAX);

    test_udp(&p, address_of(1), 1, REMOTE, 53, 100);
    to_router(1, &p, 0, 4096);
    run();
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 1);

    card_holds = 0;
    guest[0].vif.uplink_queued = 0;
    card_done();
    round_wake();
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 200);
}

TEST("guests that stall at the uplink leave packets for what comes in")
{
    static struct packet *taken[PACKETS_MAX];
    struct test_packet p;
    uint32_t count = 0;

    while (packet_free_count() > 640)
        taken[count++] = packet_alloc();
    card_holds = 1;
    for (uint16_t i = 0; i < 100; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    run();
    EXPECT_TRUE(guest[0].vif.uplink_queued <= 640 / 32 + TX_GUEST_TURN);
    EXPECT_TRUE(guest[0].vif.uplink_queued > 0);

    card_holds = 0;
    guest[0].vif.uplink_queued = 0;
    card_done();
    while (count > 0)
        packet_free(taken[--count]);
    round_wake();
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 100);
}

TEST("without packet buffers guests wait, and go on when there are some")
{
    static struct packet *all[PACKETS_MAX];
    struct test_packet p;
    uint32_t count = 0;

    while (count < PACKETS_MAX && (all[count] = packet_alloc()) != NULL)
        count++;
    EXPECT_EQ(count, PACKETS_MAX);
    test_udp(&p, address_of(0), 1, REMOTE, 53, 100);
    to_router(0, &p, 0, 4096);
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 0);
    packet_free(all[--count]);
    EXPECT_TRUE(work_queued);
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 1);
    while (count > 0)
        packet_free(all[--count]);
}

TEST("a guest that breaks its ring is stopped, and nobody else")
{
    struct netif_rx_response rsp;
    struct test_packet p;

    post(0, 4);
    guest[0].tx.h.req_prod = 1000;
    round_activate(&guest[0].vif);
    test_udp(&p, address_of(1), 1, REMOTE, 53, 100);
    to_router(1, &p, 0, 4096);
    run();
    EXPECT_TRUE(guest[0].vif.stopped);
    EXPECT_EQ(card_out_count, 1);

    test_udp(&p, address_of(1), 1, address_of(0), 53, 100);
    to_guest(1, 0, &p, 0, 4096);
    run();
    EXPECT_TRUE(got(0, &rsp) == NULL);
    EXPECT_EQ(guest[0].vif.rx_queued, 0);
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 2);
}

TEST("the guest that sends most delays the others by one turn")
{
    struct test_packet p;

    for (uint16_t i = 0; i < 256; i++) {
        test_udp(&p, address_of(0), i, REMOTE, 53, 100);
        to_router(0, &p, 0, 4096);
    }
    test_udp(&p, address_of(1), 1, REMOTE, 53, 100);
    to_router(1, &p, 0, 4096);
    work_queued = false;
    work_fn(NULL);
    EXPECT_EQ(guest[0].tx.h.rsp_prod, TX_GUEST_TURN);
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 1);
    EXPECT_TRUE(work_queued);
    run();
    EXPECT_EQ(guest[0].tx.h.rsp_prod, 256);
}

TEST("guests that fill every batch keep nobody out of it")
{
    struct test_packet p;

    for (int g = 0; g < 4; g++) {
        for (uint16_t i = 0; i < 200; i++) {
            test_udp(&p, address_of(g), i, REMOTE, 53, 100);
            to_router(g, &p, 0, 4096);
        }
    }
    test_udp(&p, address_of(4), 1, REMOTE, 53, 100);
    to_router(4, &p, 0, 4096);
    work_fn(NULL);
    EXPECT_EQ(card_out_count, TX_BATCH_MAX);
    EXPECT_EQ(guest[4].tx.h.rsp_prod, 0);
    work_fn(NULL);
    EXPECT_EQ(guest[4].tx.h.rsp_prod, 1);
    run();
    EXPECT_EQ(card_out_count, 801);
}

TEST("a guest can go away in the middle of everything")
{
    struct test_packet p;

    for (uint16_t i = 0; i < 100; i++) {
        test_udp(&p, address_of(1), i, address_of(0), 53, 100);
        to_guest(1, 0, &p, 0, 4096);
    }
    work_queued = false;
    work_fn(NULL);
    guest[0].vif.connected = false;
    round_forget(&guest[0].vif);
    rx_drop_queue(&guest[0].vif);
    run();
    EXPECT_EQ(guest[1].tx.h.rsp_prod, 100);
    EXPECT_EQ(packet_used_count(), 0);
}
