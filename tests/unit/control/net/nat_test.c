/* SPDX-License-Identifier: BSD-2-Clause */
/* Translation of packets, hostile ones among them, and shares of the table. */
/* LINK: guests/control/net/nat.c guests/control/net/nat_flow.c */
/* LINK: guests/control/net/nat_icmp.c guests/control/net/nat_tcp.c */
/* LINK: guests/control/net/checksum.c guests/control/net/ip4.c */
/* LINK: guests/control/net/siphash.c */

#include "net/nat.h"

#include <abi/errno.h>

#include "packets.h"
#include "test.h"

#define SECOND 1000000000ULL

#define UPLINK IP4(10, 0, 2, 15)
#define REMOTE IP4(192, 0, 2, 7)
#define ROUTER IP4(198, 51, 100, 1)
#define ALICE  IP4(10, 64, 0, 2)
#define BOB    IP4(10, 64, 0, 3)

#define FLOWS 1024U

static struct nat nat;
static struct nat_guest alice, bob;
static struct test_packet p;
static uint64_t now;

void setup(void)
{
    static const struct siphash_key key = {1, 2};

    now = 1000 * SECOND;
    REQUIRE(nat_init(&nat, FLOWS, &key));
    nat_set_address(&nat, UPLINK);
    REQUIRE(nat_guest_add(&nat, &alice, ALICE));
    REQUIRE(nat_guest_add(&nat, &bob, BOB));
}

/* All flows go with their guests, and every list and chain is empty then. */
void teardown(void)
{
    nat_guest_remove(&nat, &alice);
    nat_guest_remove(&nat, &bob);
    EXPECT_EQ(nat.flows.count, 0);
    EXPECT_EQ(nat_flows_deadline(&nat.flows), NAT_NEVER);
    for (uint32_t i = 0; i < FLOWS; i++) {
        EXPECT_EQ(nat.flows.inside[i], 0);
        EXPECT_EQ(nat.flows.outside[i], 0);
    }
    nat_free(&nat);
}

static enum nat_verdict outward(struct nat_guest *guest)
{
    struct ip4_view view;

    if (!ip4_parse(&view, p.ip, p.bytes, p.bytes))
        return NAT_DROPPED;
    return nat_outward(&nat, guest, &view, now);
}

static enum nat_verdict inward(struct nat_guest **guest)
{
    struct ip4_view view;

    *guest = NULL;
    if (!ip4_parse(&view, p.ip, p.bytes, p.bytes))
        return NAT_DROPPED;
    return nat_inward(&nat, &view, now, guest);
}

static uint64_t dropped(enum nat_drop reason)
{
    return nat.drop[reason];
}

static uint16_t src_port(void)
{
    return wire_get16(p.ip + IP4_HEADER_BYTES + PORT_SRC);
}

static uint16_t dst_port(void)
{
    return wire_get16(p.ip + IP4_HEADER_BYTES + PORT_DST);
}

/* A whole TCP handshake from a remote port to a forwarded one. */
static void connect_from_outside(uint16_t remote_port, uint16_t uplink_port,
                                 struct nat_guest *server, uint16_t server_port)
{
    struct nat_guest *to;

    test_tcp(&p, REMOTE, remote_port, UPLINK, uplink_port, TCP_SYN, 100, 0, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_PTR(to, server);
    test_tcp(&p, server->address, server_port, REMOTE, remote_port,
             TCP_SYN | TCP_ACK, 500, 101, 0);
    EXPECT_EQ(outward(server), NAT_TRANSLATED);
    test_tcp(&p, REMOTE, remote_port, UPLINK, uplink_port, TCP_ACK, 101, 501,
             0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
}

TEST("a UDP request goes out from the uplink's address, its answer comes back")
{
    struct nat_guest *to;
    uint16_t port;

    test_udp(&p, ALICE, 5353, REMOTE, 53, 33);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(wire_get32(p.ip + IP4_SRC), UPLINK);
    EXPECT_EQ(wire_get32(p.ip + IP4_DST), REMOTE);
    EXPECT_EQ(dst_port(), 53);
    EXPECT_EQ(p.ip[IP4_TTL], 63);
    EXPECT_TRUE(test_sums_right(&p));
    port = src_port();
    EXPECT_TRUE(port >= NAT_PORT_FIRST && port < 49152);

    test_udp(&p, REMOTE, 53, UPLINK, port, 90);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_PTR(to, &alice);
    EXPECT_EQ(wire_get32(p.ip + IP4_SRC), REMOTE);
    EXPECT_EQ(wire_get32(p.ip + IP4_DST), ALICE);
    EXPECT_EQ(src_port(), 53);
    EXPECT_EQ(dst_port(), 5353);
    EXPECT_TRUE(test_sums_right(&p));
}

TEST("an answer from another address or port is no answer")
{
    struct nat_guest *to;
    uint16_t port;

    test_udp(&p, ALICE, 5353, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    port = src_port();

    test_udp(&p, REMOTE + 1, 53, UPLINK, port, 1);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
    test_udp(&p, REMOTE, 54, UPLINK, port, 1);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
    test_udp(&p, REMOTE, 53, UPLINK + 1, port, 1);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
    test_tcp(&p, REMOTE, 53, UPLINK, port, TCP_ACK, 0, 0, 0);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
}

TEST("two guests with the same port do not meet")
{
    struct nat_guest *to;
    uint16_t ports[2];

    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    ports[0] = src_port();
    test_udp(&p, BOB, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&bob), NAT_TRANSLATED);
    ports[1] = src_port();
    EXPECT_TRUE(ports[0] != ports[1]);

    test_udp(&p, REMOTE, 53, UPLINK, ports[1], 1);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_PTR(to, &bob);
}

TEST("a UDP packet without a checksum keeps having none")
{
    test_udp(&p, ALICE, 7, REMOTE, 53, 10);
    wire_put16(p.ip + IP4_HEADER_BYTES + UDP_CHECKSUM, 0);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(wire_get16(p.ip + IP4_HEADER_BYTES + UDP_CHECKSUM), 0);
    EXPECT_EQ(test_sum(p.ip, IP4_HEADER_BYTES), 0);
}

TEST("a damaged checksum stays damaged")
{
    test_tcp(&p, ALICE, 7, REMOTE, 80, TCP_SYN, 1, 0, 10);
    p.ip[IP4_HEADER_BYTES + TCP_CHECKSUM] ^= 1;
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_FALSE(test_sums_right(&p));
}

TEST("a forwarded port reaches its guest, and the answer leaves from it")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    test_tcp(&p, REMOTE, 40000, UPLINK, 9000, TCP_SYN, 1, 0, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_PTR(to, &alice);
    EXPECT_EQ(wire_get32(p.ip + IP4_SRC), REMOTE);
    EXPECT_EQ(src_port(), 40000);
    EXPECT_EQ(dst_port(), 80);
    EXPECT_TRUE(test_sums_right(&p));

    test_tcp(&p, ALICE, 80, REMOTE, 40000, TCP_SYN | TCP_ACK, 9, 2, 0);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(wire_get32(p.ip + IP4_SRC), UPLINK);
    EXPECT_EQ(src_port(), 9000);
    EXPECT_TRUE(test_sums_right(&p));
}

TEST("forwards are added once, listed, and removed; open flows live on")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, BOB, 80), -ABI_EEXIST);
    EXPECT_EQ(nat_forward_add(&nat, PROTO_UDP, 9000, BOB, 80), 0);
    EXPECT_EQ(nat_forward_add(&nat, PROTO_ICMP, 9000, BOB, 80), -ABI_EINVAL);
    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 0, BOB, 80), -ABI_EINVAL);
    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 1, BOB, 0), -ABI_EINVAL);
    EXPECT_EQ(nat_forward_remove(&nat, PROTO_TCP, 9001), -ABI_ENOENT);

    connect_from_outside(1, 9000, &alice, 80);
    EXPECT_EQ(nat_forward_remove(&nat, PROTO_TCP, 9000), 0);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_ACK, 1, 1, 5);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    test_tcp(&p, REMOTE, 2, UPLINK, 9000, TCP_SYN, 1, 1, 5);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
}

TEST("no more forwards than the limit")
{
    for (uint32_t i = 0; i < NAT_FORWARDS_MAX; i++)
        EXPECT_EQ(
            nat_forward_add(&nat, PROTO_TCP, (uint16_t)(i + 1), ALICE, 80), 0);
    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 60000, ALICE, 80), -ABI_ENOSPC);
}

TEST("a forward to a guest that is not there is refused, and works when it is")
{
    static struct nat_guest carol;
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, BOB + 1, 80), 0);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_SYN, 1, 0, 0);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
    EXPECT_EQ(dropped(NAT_DROP_no_guest), 1);

    EXPECT_TRUE(nat_guest_add(&nat, &carol, BOB + 1));
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_SYN, 1, 0, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_PTR(to, &carol);
    nat_guest_remove(&nat, &carol);
}

TEST("an address belongs to one guest")
{
    static struct nat_guest thief;

    EXPECT_FALSE(nat_guest_add(&nat, &thief, ALICE));
}

TEST("only a SYN begins a TCP flow; the rest is dropped or left to be reset")
{
    static const uint8_t flags[] = {0,
                                    TCP_ACK,
                                    TCP_FIN,
                                    TCP_RST,
                                    TCP_SYN | TCP_ACK,
                                    TCP_SYN | TCP_FIN,
                                    TCP_SYN | TCP_RST};
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    for (size_t i = 0; i < sizeof(flags); i++) {
        test_tcp(&p, ALICE, 7, REMOTE, 80, flags[i], 1, 1, 0);
        EXPECT_EQ(outward(&alice), NAT_DROPPED);
        test_tcp(&p, REMOTE, 7, UPLINK, 9000, flags[i], 1, 1, 0);
        EXPECT_EQ(inward(&to), NAT_NOT_OURS);
    }
    EXPECT_EQ(nat.flows.count, 0);
    EXPECT_EQ(dropped(NAT_DROP_no_flow), 2 * sizeof(flags));
}

TEST("a guest cannot use another's address")
{
    test_udp(&p, BOB, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_martian), 1);
}

TEST("packets that are cut at any length do no harm")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    for (size_t bytes = 0; bytes < 40; bytes++) {
        struct ip4_view view;
        uint8_t *copy = malloc(bytes + 1);

        test_tcp(&p, REMOTE, 7, UPLINK, 9000, TCP_SYN, 1, 1, 0);
        memcpy(copy, p.ip, bytes);
        if (bytes >= IP4_HEADER_BYTES) { /* An honest, but short packet. */
            wire_put16(p.ip + IP4_TOTAL, (uint16_t)bytes);
            test_ip_sum(&p);
            memcpy(copy, p.ip, bytes);
        }
        if (ip4_parse(&view, copy, bytes, bytes))
            EXPECT_EQ(nat_inward(&nat, &view, now, &to), NAT_DROPPED);
        free(copy);
    }
    EXPECT_EQ(nat.flows.count, 0);
}

TEST("fragments, options and other protocols are dropped and counted")
{
    test_udp(&p, ALICE, 7, REMOTE, 53, 64);
    wire_put16(p.ip + IP4_FRAGMENT, IP4_FRAGMENT_MORE);
    test_ip_sum(&p);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    wire_put16(p.ip + IP4_FRAGMENT, 8); /* overlaps what came before */
    test_ip_sum(&p);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_fragment), 2);

    test_udp(&p, ALICE, 7, REMOTE, 53, 64);
    p.ip[0] = 0x46;
    test_ip_sum(&p);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_options), 1);

    test_ip(&p, 47, ALICE, REMOTE, 64);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_protocol), 1);
    EXPECT_EQ(nat.flows.count, 0);
}

TEST("addresses that cannot be routed are dropped")
{
    static const uint32_t bad[] = {0, IP4(127, 0, 0, 1), IP4(224, 0, 0, 1),
                                   IP4(240, 0, 0, 1), UINT32_MAX};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_udp(&p, ALICE, 7, bad[i], 53, 1);
        EXPECT_EQ(outward(&alice), NAT_DROPPED);
    }
    EXPECT_EQ(dropped(NAT_DROP_martian), 5);
}

TEST("the last hop is not crossed")
{
    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    p.ip[IP4_TTL] = 1;
    test_ip_sum(&p);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_expired), 1);
    EXPECT_EQ(nat.flows.count, 0);
}

TEST("an echo is answered through its identifier")
{
    struct nat_guest *to;
    uint16_t id;

    test_echo(&p, ALICE, REMOTE, ICMP_ECHO, 77);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_TRUE(test_sums_right(&p));
    id = wire_get16(p.ip + IP4_HEADER_BYTES + ICMP_ID);

    test_echo(&p, REMOTE, UPLINK, ICMP_ECHO_REPLY, id);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_PTR(to, &alice);
    EXPECT_EQ(wire_get16(p.ip + IP4_HEADER_BYTES + ICMP_ID), 77);
    EXPECT_TRUE(test_sums_right(&p));

    test_echo(&p, REMOTE, UPLINK, ICMP_ECHO, id);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
    test_echo(&p, ALICE, REMOTE, 13, 77); /* timestamp */
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
}

TEST("errors about a flow reach the guest with its own packet quoted")
{
    static const uint8_t types[] = {ICMP_UNREACHABLE, ICMP_TIME_EXCEEDED,
                                    ICMP_PARAMETER};
    static struct test_packet sent, quoted;
    struct nat_guest *to;

    for (size_t quote = 28; quote <= 60; quote += 16) {
        for (size_t i = 0; i < sizeof(types); i++) {
            test_udp(&p, ALICE, 7, REMOTE, 53, 40);
            quoted = p;
            EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
            sent = p;

            test_icmp_error(&p, ROUTER, UPLINK, types[i], &sent, quote);
            EXPECT_EQ(inward(&to), NAT_TRANSLATED);
            EXPECT_PTR(to, &alice);
            EXPECT_EQ(wire_get32(p.ip + IP4_DST), ALICE);
            EXPECT_EQ(wire_get32(p.ip + IP4_SRC), ROUTER);
            EXPECT_TRUE(test_sums_right(&p));

            /* The quotation is what the guest sent, but for a hop. */
            quoted.ip[IP4_TTL]--;
            test_ip_sum(&quoted);
            EXPECT_MEM(p.ip + IP4_HEADER_BYTES + ICMP_HEADER_BYTES, quoted.ip,
                       quote);
        }
    }
}

TEST("a guest's error about what came to it quotes the uplink's port")
{
    static struct test_packet came, original;
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_UDP, 9000, ALICE, 80), 0);
    test_udp(&p, REMOTE, 5, UPLINK, 9000, 40);
    original = p;
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    came = p;

    test_icmp_error(&p, ALICE, REMOTE, ICMP_UNREACHABLE, &came, 40);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(wire_get32(p.ip + IP4_SRC), UPLINK);
    EXPECT_TRUE(test_sums_right(&p));
    original.ip[IP4_TTL]--;
    test_ip_sum(&original);
    EXPECT_MEM(p.ip + IP4_HEADER_BYTES + ICMP_HEADER_BYTES, original.ip, 40);

    /* Bob has no business with Alice's flow. */
    test_icmp_error(&p, BOB, REMOTE, ICMP_UNREACHABLE, &came, 40);
    EXPECT_EQ(outward(&bob), NAT_DROPPED);
}

TEST("errors with cut, damaged or invented quotations are dropped")
{
    static struct test_packet sent;
    struct nat_guest *to;

    test_udp(&p, ALICE, 7, REMOTE, 53, 40);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    sent = p;

    for (size_t quote = 0; quote < 28; quote++) {
        test_icmp_error(&p, ROUTER, UPLINK, ICMP_UNREACHABLE, &sent, quote);
        EXPECT_EQ(inward(&to), NAT_DROPPED);
    }

    test_icmp_error(&p, ROUTER, UPLINK, ICMP_UNREACHABLE, &sent, 28);
    p.ip[IP4_HEADER_BYTES + ICMP_HEADER_BYTES + 3] ^= 1;
    EXPECT_EQ(inward(&to), NAT_DROPPED); /* checksum */

    for (int first = 0; first < 256; first++) {
        if (first == 0x45)
            continue;
        sent.ip[0] = (uint8_t)first;
        test_icmp_error(&p, ROUTER, UPLINK, ICMP_UNREACHABLE, &sent, 28);
        EXPECT_EQ(inward(&to), NAT_DROPPED);
    }
    sent.ip[0] = 0x45;

    wire_put32(sent.ip + IP4_SRC, ALICE); /* never was on the uplink */
    test_icmp_error(&p, ROUTER, UPLINK, ICMP_UNREACHABLE, &sent, 28);
    EXPECT_EQ(inward(&to), NAT_DROPPED);

    wire_put32(sent.ip + IP4_SRC, UPLINK);
    wire_put16(sent.ip + IP4_HEADER_BYTES + PORT_SRC, 1);
    test_icmp_error(&p, ROUTER, UPLINK, ICMP_UNREACHABLE, &sent, 28);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);
}

TEST("a connection is open after the exact acknowledgement only")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_SYN, 100, 0, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_ACK, 101, 501, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPENING);

    test_tcp(&p, ALICE, 80, REMOTE, 1, TCP_SYN | TCP_ACK, 500, 101, 0);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_ACK, 101, 502, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPENING);

    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_ACK, 101, 501, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPEN);
}

TEST("two FINs close, and the ports can be used again at once")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    connect_from_outside(1, 9000, &alice, 80);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPEN);

    test_tcp(&p, ALICE, 80, REMOTE, 1, TCP_FIN | TCP_ACK, 501, 101, 0);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPEN);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_FIN | TCP_ACK, 101, 502, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_CLOSING);

    connect_from_outside(1, 9000, &alice, 80);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPEN);
    EXPECT_EQ(nat.flows.count, 1);
}

TEST("a forged RST costs a connection its long life until it speaks again")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    connect_from_outside(1, 9000, &alice, 80);

    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_RST, 7, 0, 0);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_CLOSING);
    test_tcp(&p, REMOTE, 1, UPLINK, 9000, TCP_ACK, 101, 501, 5);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_CLOSING);
    test_tcp(&p, ALICE, 80, REMOTE, 1, TCP_ACK, 501, 106, 0);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(nat.flows.flow[0].life, NAT_TCP_OPEN);
}

TEST("silent flows are forgotten in time, and nothing ticks without any")
{
    uint64_t due;

    EXPECT_EQ(nat_expire(&nat, now), NAT_NEVER);
    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    due = nat_expire(&nat, now);
    EXPECT_EQ(due, now + 30 * SECOND);

    now += 20 * SECOND;
    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    EXPECT_EQ(nat_expire(&nat, due), now + 30 * SECOND);
    EXPECT_EQ(nat.flows.count, 1);

    EXPECT_EQ(nat_expire(&nat, now + 30 * SECOND), NAT_NEVER);
    EXPECT_EQ(nat.flows.count, 0);
}

TEST("an answered flow lives longer, and each life has its own clock")
{
    struct nat_guest *to;
    uint16_t port;

    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    port = src_port();
    test_udp(&p, REMOTE, 53, UPLINK, port, 1);
    EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    test_udp(&p, ALICE, 8, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);

    EXPECT_EQ(nat_expire(&nat, now + 30 * SECOND), now + 300 * SECOND);
    EXPECT_EQ(nat.flows.count, 1);
}

TEST("a guest that opens without end displaces its own and nobody else's")
{
    struct nat_guest *to;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, BOB, 80), 0);
    connect_from_outside(1, 9000, &bob, 80);
    test_udp(&p, BOB, 9, REMOTE, 53, 1);
    EXPECT_EQ(outward(&bob), NAT_TRANSLATED);

    for (uint32_t i = 0; i < 10 * FLOWS; i++) {
        test_udp(&p, ALICE, (uint16_t)i, REMOTE + i / 65536, 53, 1);
        EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    }
    EXPECT_EQ(bob.flow_count, 2);
    EXPECT_EQ(bob.displaced, 0);
    EXPECT_TRUE(alice.flow_count <= FLOWS - FLOWS / 8);
    EXPECT_TRUE(alice.displaced > 0);

    /* Bob's share is there for him. */
    for (uint16_t i = 0; i < FLOWS / 8 - 10; i++) {
        test_tcp(&p, REMOTE + 5, (uint16_t)(i + 1), UPLINK, 9000, TCP_SYN, 1, 0,
                 0);
        EXPECT_EQ(inward(&to), NAT_TRANSLATED);
    }
    EXPECT_EQ(bob.displaced, 0);
    EXPECT_EQ(bob.refused, 0);
}

TEST("open connections are never displaced: the guest's next one is refused")
{
    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    for (uint16_t i = 1; i <= FLOWS - FLOWS / 8; i++)
        connect_from_outside(i, 9000, &alice, 80);

    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_no_room), 1);
    EXPECT_EQ(alice.refused, 1);
    test_udp(&p, BOB, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&bob), NAT_TRANSLATED);
}

TEST("a new address on the uplink forgets all flows")
{
    struct nat_guest *to;
    uint16_t port;

    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
    port = src_port();
    nat_set_address(&nat, UPLINK);
    EXPECT_EQ(nat.flows.count, 1);
    nat_set_address(&nat, UPLINK + 1);
    EXPECT_EQ(nat.flows.count, 0);
    test_udp(&p, REMOTE, 53, UPLINK, port, 1);
    EXPECT_EQ(inward(&to), NAT_NOT_OURS);

    nat_set_address(&nat, 0);
    test_udp(&p, ALICE, 7, REMOTE, 53, 1);
    EXPECT_EQ(outward(&alice), NAT_DROPPED);
    EXPECT_EQ(dropped(NAT_DROP_no_address), 1);
}

TEST("a flow's port is never one that is forwarded")
{
    for (uint16_t i = 0; i < NAT_FORWARDS_MAX; i++)
        EXPECT_EQ(nat_forward_add(&nat, PROTO_UDP,
                                  (uint16_t)(NAT_PORT_FIRST + i * 2), BOB, 80),
                  0);
    for (uint16_t i = 0; i < FLOWS / 2; i++) {
        test_udp(&p, ALICE, (uint16_t)(i + 1), REMOTE, 53, 1);
        EXPECT_EQ(outward(&alice), NAT_TRANSLATED);
        EXPECT_TRUE(src_port() >= NAT_PORT_FIRST + NAT_FORWARDS_MAX * 2 ||
                    src_port() % 2 == 1);
    }
}

TEST("random packets in both directions do no harm")
{
    struct nat_guest *to;
    uint32_t seed = 1;

    EXPECT_EQ(nat_forward_add(&nat, PROTO_TCP, 9000, ALICE, 80), 0);
    for (int i = 0; i < 200000; i++) {
        bool out;

        seed = seed * 1664525 + 1013904223;
        out = (seed >> 31) != 0;
        if (out)
            test_tcp(&p, ALICE, 80, REMOTE, (uint16_t)(seed >> 28),
                     (uint8_t)(seed >> 20), seed, seed, seed >> 26 & 15);
        else
            test_tcp(&p, REMOTE, (uint16_t)(seed >> 28 & 7), UPLINK, 9000,
                     (uint8_t)(seed >> 20), seed, seed, seed >> 26 & 15);
        if ((seed & 0xf00) == 0)
            p.ip[seed >> 12 & 63] ^= (uint8_t)(seed >> 18);
        if ((seed & 0x1000) == 0)
            test_ip_sum(&p);
        now += seed >> 8 & 0xfffff;
        if (out)
            outward(&alice);
        else
            inward(&to);
    }
    nat_expire(&nat, now);
}
