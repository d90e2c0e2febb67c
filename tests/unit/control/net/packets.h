/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets for tests: built from their parts, with right checksums. */

#ifndef TESTS_UNIT_CONTROL_NET_PACKETS_H
#define TESTS_UNIT_CONTROL_NET_PACKETS_H

#include "net/checksum.h"
#include "net/ip4.h"
#include "net/wire.h"

#define TEST_PACKET_ROOM 2048

struct test_packet {
    uint8_t ip[TEST_PACKET_ROOM];
    size_t bytes;
};

/* The plain, slow sum of RFC 1071, to compare with. */
static inline uint16_t test_sum(const uint8_t *data, size_t bytes)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < bytes; i++)
        sum += i % 2 == 0 ? (uint32_t)data[i] << 8 : data[i];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static inline void test_ip_sum(struct test_packet *p)
{
    wire_put16(p->ip + IP4_CHECKSUM, 0);
    wire_put16(p->ip + IP4_CHECKSUM,
               test_sum(p->ip, (size_t)(p->ip[0] & 15) * 4));
}

static inline void test_ip(struct test_packet *p, uint8_t proto, uint32_t src,
                           uint32_t dst, size_t payload_bytes)
{
    memset(p, 0, sizeof(*p));
    p->bytes = IP4_HEADER_BYTES + payload_bytes;
    p->ip[0] = 0x45;
    wire_put16(p->ip + IP4_TOTAL, (uint16_t)p->bytes);
    p->ip[IP4_TTL] = 64;
    p->ip[IP4_PROTO] = proto;
    wire_put32(p->ip + IP4_SRC, src);
    wire_put32(p->ip + IP4_DST, dst);
    for (size_t i = 0; i < payload_bytes; i++)
        p->ip[IP4_HEADER_BYTES + i] = (uint8_t)(i * 7);
    test_ip_sum(p);
}

/* What TCP's or UDP's checksum must be, by the slow way. */
static inline uint16_t test_transport_sum(const struct test_packet *p)
{
    static uint8_t buffer[TEST_PACKET_ROOM + 12];
    size_t header = (size_t)(p->ip[0] & 15) * 4;
    size_t bytes = wire_get16(p->ip + IP4_TOTAL) - header;

    memcpy(buffer, p->ip + IP4_SRC, 8);
    buffer[8] = 0;
    buffer[9] = p->ip[IP4_PROTO];
    wire_put16(buffer + 10, (uint16_t)bytes);
    memcpy(buffer + 12, p->ip + header, bytes);
    return test_sum(buffer, bytes + 12);
}

static inline void test_tcp(struct test_packet *p, uint32_t src,
                            uint16_t src_port, uint32_t dst, uint16_t dst_port,
                            uint8_t flags, uint32_t sequence,
                            uint32_t acknowledge, size_t data)
{
    uint8_t *tcp = p->ip + IP4_HEADER_BYTES;

    test_ip(p, PROTO_TCP, src, dst, TCP_HEADER_BYTES + data);
    wire_put16(tcp + PORT_SRC, src_port);
    wire_put16(tcp + PORT_DST, dst_port);
    wire_put32(tcp + TCP_SEQUENCE, sequence);
    wire_put32(tcp + TCP_ACKNOWLEDGE, acknowledge);
    tcp[TCP_DATA_OFFSET] = 0x50;
    tcp[TCP_FLAGS] = flags;
    wire_put16(tcp + TCP_CHECKSUM, 0);
    wire_put16(tcp + TCP_CHECKSUM, test_transport_sum(p));
}

static inline void test_udp(struct test_packet *p, uint32_t src,
                            uint16_t src_port, uint32_t dst, uint16_t dst_port,
                            size_t data)
{
    uint8_t *udp = p->ip + IP4_HEADER_BYTES;

    test_ip(p, PROTO_UDP, src, dst, UDP_HEADER_BYTES + data);
    wire_put16(udp + PORT_SRC, src_port);
    wire_put16(udp + PORT_DST, dst_port);
    wire_put16(udp + UDP_LENGTH, (uint16_t)(UDP_HEADER_BYTES + data));
    wire_put16(udp + UDP_CHECKSUM, 0);
    wire_put16(udp + UDP_CHECKSUM, test_transport_sum(p));
}

static inline void test_icmp_sum(struct test_packet *p)
{
    uint8_t *icmp = p->ip + IP4_HEADER_BYTES;

    wire_put16(icmp + ICMP_CHECKSUM, 0);
    wire_put16(icmp + ICMP_CHECKSUM,
               test_sum(icmp, p->bytes - IP4_HEADER_BYTES));
}

static inline void test_echo(struct test_packet *p, uint32_t src, uint32_t dst,
                             uint8_t type, uint16_t id)
{
    uint8_t *icmp = p->ip + IP4_HEADER_BYTES;

    test_ip(p, PROTO_ICMP, src, dst, ICMP_HEADER_BYTES + 16);
    icmp[ICMP_TYPE] = type;
    icmp[1] = 0;
    wire_put16(icmp + ICMP_ID, id);
    test_icmp_sum(p);
}

/* An error from @src to @dst about @about, of which @quoted bytes come back. */
static inline void test_icmp_error(struct test_packet *p, uint32_t src,
                                   uint32_t dst, uint8_t type,
                                   const struct test_packet *about,
                                   size_t quoted)
{
    uint8_t *icmp = p->ip + IP4_HEADER_BYTES;

    test_ip(p, PROTO_ICMP, src, dst, ICMP_HEADER_BYTES + quoted);
    memset(icmp, 0, ICMP_HEADER_BYTES);
    icmp[ICMP_TYPE] = type;
    icmp[1] = 3;
    memcpy(icmp + ICMP_HEADER_BYTES, about->ip, quoted);
    test_icmp_sum(p);
}

/* Header and transport checksums of a packet are right. */
static inline bool test_sums_right(const struct test_packet *p)
{
    size_t header = (size_t)(p->ip[0] & 15) * 4;

    if (test_sum(p->ip, header) != 0)
        return false;
    if (p->ip[IP4_PROTO] == PROTO_ICMP)
        return test_sum(p->ip + header, p->bytes - header) == 0;
    return test_transport_sum(p) == 0;
}

#endif /* TESTS_UNIT_CONTROL_NET_PACKETS_H */
