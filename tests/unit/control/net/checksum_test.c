/* SPDX-License-Identifier: BSD-2-Clause */
/* The checksum against the plain sum of RFC 1071, and header checks. */
/* LINK: guests/control/net/checksum.c guests/control/net/ip4.c */

#include "packets.h"
#include "test.h"

static struct test_packet p;

TEST("every length and alignment gives the plain sum")
{
    static uint8_t data[80];

    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (size_t at = 0; at < 8; at++)
        for (size_t bytes = 0; bytes + at <= sizeof(data); bytes++)
            EXPECT_EQ(checksum(data + at, bytes), test_sum(data + at, bytes));
}

TEST("sums that carry all the way are folded")
{
    static uint8_t ones[64];

    memset(ones, 0xff, sizeof(ones));
    for (size_t bytes = 0; bytes <= sizeof(ones); bytes++)
        EXPECT_EQ(checksum(ones, bytes), test_sum(ones, bytes));
}

TEST("an update equals a new sum, for all corners")
{
    static const uint16_t values[] = {0,      1,      0x7fff, 0x8000,
                                      0x1234, 0xfffe, 0xffff};
    uint8_t data[6] = {0x12, 0x34, 0, 0, 0xab, 0xcd};

    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < 7; j++) {
            uint16_t field, after;

            wire_put16(data + 2, values[i]);
            field = checksum(data, sizeof(data));
            wire_put16(data + 2, values[j]);
            after = checksum(data, sizeof(data));
            EXPECT_EQ(checksum_update16(field, values[i], values[j]), after);
        }
    }
}

TEST("a blank checksum is completed, for odd and even lengths")
{
    struct ip4_view view;

    for (size_t data = 0; data < 70; data++) {
        uint16_t want;

        test_tcp(&p, IP4(10, 64, 0, 2), 1, IP4(1, 2, 3, 4), 2, TCP_ACK, 3, 4,
                 data);
        want = wire_get16(p.ip + IP4_HEADER_BYTES + TCP_CHECKSUM);
        wire_put16(p.ip + IP4_HEADER_BYTES + TCP_CHECKSUM, 0x5a5a);
        REQUIRE(ip4_parse(&view, p.ip, p.bytes, p.bytes));
        EXPECT_TRUE(checksum_complete(&view));
        EXPECT_EQ(wire_get16(p.ip + IP4_HEADER_BYTES + TCP_CHECKSUM), want);
    }
}

TEST("a UDP checksum of zero is sent as all ones")
{
    struct ip4_view view;
    uint8_t *udp = p.ip + IP4_HEADER_BYTES;

    test_udp(&p, IP4(10, 64, 0, 2), 1, IP4(1, 2, 3, 4), 2, 2);
    /* Choose the data so that the sum is all ones, the checksum 0. */
    wire_put16(udp + UDP_HEADER_BYTES, 0);
    wire_put16(udp + UDP_CHECKSUM, 0);
    wire_put16(udp + UDP_HEADER_BYTES, test_transport_sum(&p));
    REQUIRE(ip4_parse(&view, p.ip, p.bytes, p.bytes));
    EXPECT_TRUE(checksum_complete(&view));
    EXPECT_EQ(wire_get16(udp + UDP_CHECKSUM), 0xffff);
}

TEST("fragments, cut packets and other protocols have nothing to complete")
{
    struct ip4_view view;

    test_tcp(&p, 1 << 24, 1, 2 << 24, 2, TCP_ACK, 3, 4, 100);
    REQUIRE(ip4_parse(&view, p.ip, 60, p.bytes));
    EXPECT_FALSE(checksum_complete(&view));

    wire_put16(p.ip + IP4_FRAGMENT, IP4_FRAGMENT_MORE);
    test_ip_sum(&p);
    REQUIRE(ip4_parse(&view, p.ip, p.bytes, p.bytes));
    EXPECT_FALSE(checksum_complete(&view));

    test_ip(&p, 47, 1 << 24, 2 << 24, 100);
    REQUIRE(ip4_parse(&view, p.ip, p.bytes, p.bytes));
    EXPECT_FALSE(checksum_complete(&view));
}

TEST("a packet cut at any length is refused or seen as it is")
{
    struct ip4_view view;

    test_tcp(&p, 1 << 24, 1, 2 << 24, 2, TCP_ACK, 3, 4, 30);
    for (size_t bytes = 0; bytes < p.bytes; bytes++) {
        uint8_t *copy = malloc(bytes + 1);

        memcpy(copy + 1, p.ip, bytes);
        EXPECT_FALSE(ip4_parse(&view, copy + 1, bytes, bytes));
        if (ip4_parse(&view, copy + 1, bytes, p.bytes)) {
            EXPECT_EQ(view.payload_here, bytes - IP4_HEADER_BYTES);
            EXPECT_EQ(ip4_has_transport(&view),
                      bytes >= IP4_HEADER_BYTES + TCP_HEADER_BYTES);
        } else {
            EXPECT_TRUE(bytes < IP4_HEADER_BYTES);
        }
        free(copy);
    }
}

TEST("lengths that cannot be are refused")
{
    static const struct {
        uint8_t first;
        uint16_t total;
    } bad[] = {{0x44, 40}, {0x40, 40}, {0x4f, 40}, {0x55, 40}, {0x65, 40},
               {0x45, 19}, {0x45, 0},  {0x45, 41}, {0x46, 23}};
    struct ip4_view view;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_ip(&p, PROTO_UDP, 1 << 24, 2 << 24, 20);
        p.ip[0] = bad[i].first;
        wire_put16(p.ip + IP4_TOTAL, bad[i].total);
        test_ip_sum(&p);
        EXPECT_FALSE(ip4_parse(&view, p.ip, 40, 40));
    }
}

TEST("a wrong header checksum is refused, in every bit")
{
    struct ip4_view view;

    test_ip(&p, PROTO_UDP, 1 << 24, 2 << 24, 20);
    for (size_t bit = 0; bit < IP4_HEADER_BYTES * 8; bit++) {
        p.ip[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT_FALSE(ip4_parse(&view, p.ip, 40, 40));
        p.ip[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    EXPECT_TRUE(ip4_parse(&view, p.ip, 40, 40));
}

TEST("padding behind the packet does not belong to it")
{
    struct ip4_view view;

    test_ip(&p, PROTO_UDP, 1 << 24, 2 << 24, 8);
    REQUIRE(ip4_parse(&view, p.ip, 46, 46));
    EXPECT_EQ(view.payload_bytes, 8);
    EXPECT_EQ(view.payload_here, 8);
}

TEST("transport headers that lie about their length are seen")
{
    struct ip4_view view;

    test_tcp(&p, 1 << 24, 1, 2 << 24, 2, TCP_ACK, 3, 4, 0);
    p.ip[IP4_HEADER_BYTES + TCP_DATA_OFFSET] = 0x40;
    REQUIRE(ip4_parse(&view, p.ip, p.bytes, p.bytes));
    EXPECT_FALSE(ip4_has_transport(&view));
    p.ip[IP4_HEADER_BYTES + TCP_DATA_OFFSET] = 0x60;
    EXPECT_FALSE(ip4_has_transport(&view));

    test_udp(&p, 1 << 24, 1, 2 << 24, 2, 4);
    wire_put16(p.ip + IP4_HEADER_BYTES + UDP_LENGTH, 7);
    REQUIRE(ip4_parse(&view, p.ip, p.bytes, p.bytes));
    EXPECT_FALSE(ip4_has_transport(&view));
    wire_put16(p.ip + IP4_HEADER_BYTES + UDP_LENGTH, 13);
    EXPECT_FALSE(ip4_has_transport(&view));
}

TEST("a hop less keeps the checksum right; the last hop is kept")
{
    struct ip4_view view;

    for (int ttl = 0; ttl < 256; ttl++) {
        test_ip(&p, PROTO_UDP, 1 << 24, 2 << 24, 20);
        p.ip[IP4_TTL] = (uint8_t)ttl;
        test_ip_sum(&p);
        REQUIRE(ip4_parse(&view, p.ip, 40, 40));
        EXPECT_EQ(ip4_decrement_ttl(&view), ttl > 1);
        EXPECT_EQ(test_sum(p.ip, IP4_HEADER_BYTES), 0);
    }
}
