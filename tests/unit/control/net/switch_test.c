/* SPDX-License-Identifier: BSD-2-Clause */
/* Where frames go, and which never do. */
/* LINK: guests/control/net/switch.c guests/control/net/ip4.c */
/* LINK: guests/control/net/dhcp.c */
/* LINK: guests/control/net/checksum.c */

#include "net/switch.h"

#include "packets.h"
#include "test.h"

#define ROUTER IP4(10, 64, 0, 1)
#define ALICE  IP4(10, 64, 0, 2)
#define BOB    IP4(10, 64, 1, 3)
#define UPLINK IP4(10, 0, 2, 15)
#define REMOTE IP4(192, 0, 2, 7)

static const uint8_t router_mac[] = {2, 0, 0, 0, 0, 1};
static const uint8_t alice_mac[] = {2, 0, 0, 0, 0, 2};
static const uint8_t bob_mac[] = {2, 0, 0, 0, 0, 3};
static const uint8_t all_mac[] = {255, 255, 255, 255, 255, 255};

static struct net_switch sw;
static struct switch_port alice, bob, carol;
static struct switch_port *to;
static struct ip4_view view;
static uint8_t frame[2048];
static size_t bytes;

void setup(void)
{
    memset(&sw, 0, sizeof(sw));
    memcpy(sw.router_mac, router_mac, sizeof(router_mac));
    sw.router_address = ROUTER;
    sw.netmask = IP4(255, 255, 0, 0);
    sw.uplink_address = UPLINK;
    REQUIRE(switch_port_add(&sw, &alice, alice_mac, ALICE));
    REQUIRE(switch_port_add(&sw, &bob, bob_mac, BOB));
    to = NULL;
}

static void ip_frame(const uint8_t *dst_mac, const uint8_t *src_mac,
                     uint32_t src, uint32_t dst, size_t data)
{
    struct test_packet p;

    test_udp(&p, src, 1, dst, 2, data);
    eth_header(frame, dst_mac, src_mac, ETH_TYPE_IP4);
    memcpy(frame + ETH_HEADER_BYTES, p.ip, p.bytes);
    bytes = ETH_HEADER_BYTES + p.bytes;
}

static void arp_frame(uint16_t operation, const uint8_t *hw, uint32_t sender,
                      uint32_t target)
{
    uint8_t *arp = frame + ETH_HEADER_BYTES;

    memset(frame, 0, sizeof(frame));
    eth_header(frame, all_mac, alice_mac, ETH_TYPE_ARP);
    wire_put16(arp + ARP_HW_TYPE, 1);
    wire_put16(arp + ARP_PROTO_TYPE, ETH_TYPE_IP4);
    arp[ARP_HW_BYTES] = 6;
    arp[ARP_IP_BYTES] = 4;
    wire_put16(arp + ARP_OPERATION, operation);
    memcpy(arp + ARP_SENDER_HW, hw, 6);
    wire_put32(arp + ARP_SENDER_IP, sender);
    wire_put32(arp + ARP_TARGET_IP, target);
    bytes = ETH_HEADER_BYTES + ARP_BYTES;
}

static enum switch_verdict forward(void)
{
    return switch_forward(&sw, &alice, frame, bytes, bytes, &to, &view);
}

static void expect_answer(uint32_t target, const uint8_t *mac)
{
    uint8_t *arp = frame + ETH_HEADER_BYTES;

    EXPECT_MEM(frame + ETH_DST, alice_mac, 6);
    EXPECT_MEM(frame + ETH_SRC, mac, 6);
    EXPECT_EQ(wire_get16(arp + ARP_OPERATION), ARP_REPLY);
    EXPECT_MEM(arp + ARP_SENDER_HW, mac, 6);
    EXPECT_EQ(wire_get32(arp + ARP_SENDER_IP), target);
    EXPECT_MEM(arp + ARP_TARGET_HW, alice_mac, 6);
    EXPECT_EQ(wire_get32(arp + ARP_TARGET_IP), ALICE);
}

TEST("a frame to a neighbour's MAC goes to it, unchanged")
{
    static uint8_t before[2048];

    ip_frame(bob_mac, alice_mac, ALICE, BOB, 100);
    memcpy(before, frame, bytes);
    EXPECT_EQ(forward(), SWITCH_TO_PORT);
    EXPECT_PTR(to, &bob);
    EXPECT_MEM(frame, before, bytes);
}

TEST("a packet for a neighbour through the router loses a hop")
{
    ip_frame(router_mac, alice_mac, ALICE, BOB, 100);
    EXPECT_EQ(forward(), SWITCH_TO_PORT);
    EXPECT_PTR(to, &bob);
    EXPECT_MEM(frame + ETH_DST, bob_mac, 6);
    EXPECT_MEM(frame + ETH_SRC, router_mac, 6);
    EXPECT_EQ(frame[ETH_HEADER_BYTES + IP4_TTL], 63);
    EXPECT_EQ(test_sum(frame + ETH_HEADER_BYTES, 20), 0);
}

TEST("the router gets what is for outside, the stack what is for itself")
{
    ip_frame(router_mac, alice_mac, ALICE, REMOTE, 10);
    EXPECT_EQ(forward(), SWITCH_TO_ROUTER);
    EXPECT_EQ(view.dst, REMOTE);
    ip_frame(router_mac, alice_mac, ALICE, ROUTER, 10);
    EXPECT_EQ(forward(), SWITCH_TO_STACK);
    ip_frame(router_mac, alice_mac, ALICE, UPLINK, 10);
    EXPECT_EQ(forward(), SWITCH_TO_STACK);
}

TEST("a foreign MAC or address is never forwarded")
{
    ip_frame(router_mac, bob_mac, ALICE, REMOTE, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_spoofed_mac], 1);
    ip_frame(router_mac, alice_mac, BOB, REMOTE, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    ip_frame(bob_mac, alice_mac, ROUTER, BOB, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_spoofed_address], 2);
}

TEST("groups, strangers, oneself and other protocols are dropped")
{
    ip_frame(all_mac, alice_mac, ALICE, UINT32_MAX, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_broadcast], 1);
    ip_frame(alice_mac, alice_mac, ALICE, BOB, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    ip_frame((const uint8_t[]){2, 9, 9, 9, 9, 9}, alice_mac, ALICE, BOB, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    ip_frame(router_mac, alice_mac, ALICE, BOB + 1, 10);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_unknown], 3);
    wire_put16(frame + ETH_TYPE, 0x86dd);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_protocol], 1);
}

TEST("frames cut at any length are dropped, or decided by what is there")
{
    ip_frame(router_mac, alice_mac, ALICE, REMOTE, 100);
    for (size_t here = 0; here < bytes; here++) {
        uint8_t *copy = malloc(here + 1);

        memcpy(copy, frame, here);
        EXPECT_EQ(switch_forward(&sw, &alice, copy, here, here, &to, &view),
                  SWITCH_DROPPED);
        EXPECT_EQ(switch_forward(&sw, &alice, copy, here, bytes, &to, &view),
                  here < 34 ? SWITCH_DROPPED : SWITCH_TO_ROUTER);
        free(copy);
    }
}

TEST("ARP for the router and for a neighbour is answered with their MACs")
{
    arp_frame(ARP_REQUEST, alice_mac, ALICE, ROUTER);
    EXPECT_EQ(forward(), SWITCH_ANSWERED);
    expect_answer(ROUTER, router_mac);
    arp_frame(ARP_REQUEST, alice_mac, ALICE, BOB);
    EXPECT_EQ(forward(), SWITCH_ANSWERED);
    expect_answer(BOB, bob_mac);
}

TEST("ARP that lies, asks for oneself or nobody, or is no request: no answer")
{
    arp_frame(ARP_REQUEST, bob_mac, ALICE, ROUTER);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    arp_frame(ARP_REQUEST, alice_mac, BOB, ROUTER);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_spoofed_mac], 1);
    EXPECT_EQ(alice.drop[SWITCH_DROP_spoofed_address], 1);
    arp_frame(ARP_REQUEST, alice_mac, ALICE, ALICE);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    arp_frame(ARP_REPLY, alice_mac, ALICE, BOB);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    arp_frame(ARP_REQUEST, alice_mac, ALICE, BOB + 1);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    arp_frame(ARP_REQUEST, alice_mac, ALICE, BOB);
    frame[ETH_HEADER_BYTES + ARP_HW_BYTES] = 7;
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    arp_frame(ARP_REQUEST, alice_mac, ALICE, BOB);
    bytes--;
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    EXPECT_EQ(alice.drop[SWITCH_DROP_malformed], 2);
}

TEST("a probe for an address in use is answered")
{
    arp_frame(ARP_REQUEST, alice_mac, 0, BOB);
    EXPECT_EQ(forward(), SWITCH_ANSWERED);
}

TEST("a port gets only a MAC and an address that are free and inside")
{
    static const uint8_t mac[] = {2, 0, 0, 0, 0, 4};
    static const uint8_t group[] = {3, 0, 0, 0, 0, 4};

    EXPECT_FALSE(switch_port_add(&sw, &carol, bob_mac, ALICE + 1));
    EXPECT_FALSE(switch_port_add(&sw, &carol, mac, BOB));
    EXPECT_FALSE(switch_port_add(&sw, &carol, router_mac, ALICE + 1));
    EXPECT_FALSE(switch_port_add(&sw, &carol, group, ALICE + 1));
    EXPECT_FALSE(switch_port_add(&sw, &carol, mac, ROUTER));
    EXPECT_FALSE(switch_port_add(&sw, &carol, mac, IP4(10, 64, 0, 0)));
    EXPECT_FALSE(switch_port_add(&sw, &carol, mac, IP4(10, 64, 255, 255)));
    EXPECT_FALSE(switch_port_add(&sw, &carol, mac, IP4(10, 65, 0, 9)));
    EXPECT_TRUE(switch_port_add(&sw, &carol, mac, ALICE + 1));
    switch_port_remove(&sw, &carol);
    EXPECT_PTR(switch_find_mac(&sw, mac), NULL);
    EXPECT_PTR(switch_find_address(&sw, ALICE + 1), NULL);
}

TEST("thousands of ports are found again, and removed one by one")
{
    enum { PORTS = 20000 };
    static struct switch_port ports[PORTS];

    for (uint32_t i = 0; i < PORTS; i++) {
        uint8_t mac[] = {
            0, 0x16, 0x3e, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i};

        REQUIRE(switch_port_add(&sw, &ports[i], mac, IP4(10, 64, 10, 0) + i));
    }
    for (uint32_t i = 0; i < PORTS; i++) {
        EXPECT_PTR(switch_find_mac(&sw, ports[i].mac), &ports[i]);
        EXPECT_PTR(switch_find_address(&sw, ports[i].address), &ports[i]);
        switch_port_remove(&sw, &ports[i]);
        EXPECT_PTR(switch_find_address(&sw, ports[i].address), NULL);
    }
    EXPECT_PTR(switch_find_mac(&sw, bob_mac), &bob);
}

TEST("requests for DHCP reach the server, from one's own address or none")
{
    struct test_packet p;

    test_udp(&p, 0, 68, UINT32_MAX, 67, 300);
    eth_header(frame, all_mac, alice_mac, ETH_TYPE_IP4);
    memcpy(frame + ETH_HEADER_BYTES, p.ip, p.bytes);
    bytes = ETH_HEADER_BYTES + p.bytes;
    EXPECT_EQ(forward(), SWITCH_TO_DHCP);

    test_udp(&p, BOB, 68, UINT32_MAX, 67, 300);
    memcpy(frame + ETH_HEADER_BYTES, p.ip, p.bytes);
    EXPECT_EQ(forward(), SWITCH_DROPPED);
    test_udp(&p, ALICE, 68, ROUTER, 67, 300);
    memcpy(frame + ETH_HEADER_BYTES, p.ip, p.bytes);
    EXPECT_EQ(forward(), SWITCH_TO_DHCP);
}
