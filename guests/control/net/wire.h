/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What lies on the wire: field offsets of the headers that the switch and the
 * router look at, and reading and writing numbers in network order.
 *
 * Headers are reached by offset and not through structures: a packet starts at
 * any address, and no field is ever read as something wider than was checked.
 * Addresses and ports are host-order numbers everywhere outside a packet.
 */

#ifndef CONTROL_NET_WIRE_H
#define CONTROL_NET_WIRE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define ETH_ADDR_BYTES   6
#define ETH_HEADER_BYTES 14
#define ETH_MTU          1500
#define ETH_FRAME_MAX    (ETH_HEADER_BYTES + ETH_MTU)

#define ETH_DST  0
#define ETH_SRC  6
#define ETH_TYPE 12

#define ETH_TYPE_IP4 0x0800U
#define ETH_TYPE_ARP 0x0806U

/* ARP for Ethernet and IPv4, RFC 826. */
#define ARP_BYTES      28
#define ARP_HW_TYPE    0
#define ARP_PROTO_TYPE 2
#define ARP_HW_BYTES   4
#define ARP_IP_BYTES   5
#define ARP_OPERATION  6
#define ARP_SENDER_HW  8
#define ARP_SENDER_IP  14
#define ARP_TARGET_HW  18
#define ARP_TARGET_IP  24

#define ARP_REQUEST 1U
#define ARP_REPLY   2U

#define IP4_HEADER_BYTES 20 /* without options */
#define IP4_VERSION_IHL  0
#define IP4_TOTAL        2
#define IP4_ID           4
#define IP4_FRAGMENT     6
#define IP4_TTL          8
#define IP4_PROTO        9
#define IP4_CHECKSUM     10
#define IP4_SRC          12
#define IP4_DST          16

#define IP4_FRAGMENT_MORE   0x2000U
#define IP4_FRAGMENT_OFFSET 0x1fffU

#define PROTO_ICMP 1U
#define PROTO_TCP  6U
#define PROTO_UDP  17U

/* TCP and UDP both begin with the two ports. */
#define PORT_SRC 0
#define PORT_DST 2

#define TCP_HEADER_BYTES 20 /* without options */
#define TCP_SEQUENCE     4
#define TCP_ACKNOWLEDGE  8
#define TCP_DATA_OFFSET  12
#define TCP_FLAGS        13
#define TCP_CHECKSUM     16

#define TCP_FIN 0x01U
#define TCP_SYN 0x02U
#define TCP_RST 0x04U
#define TCP_PSH 0x08U
#define TCP_ACK 0x10U
#define TCP_URG 0x20U
#define TCP_CWR 0x80U

#define UDP_HEADER_BYTES 8
#define UDP_LENGTH       4
#define UDP_CHECKSUM     6

#define ICMP_HEADER_BYTES 8
#define ICMP_TYPE         0
#define ICMP_CHECKSUM     2
#define ICMP_ID           4

#define ICMP_ECHO_REPLY    0U
#define ICMP_UNREACHABLE   3U
#define ICMP_ECHO          8U
#define ICMP_TIME_EXCEEDED 11U
#define ICMP_PARAMETER     12U

#define IP4(a, b, c, d)                                                        \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 |          \
     (uint32_t)(d))

static inline uint16_t wire_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t wire_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static inline void wire_put16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void wire_put32(uint8_t *p, uint32_t value)
{
    wire_put16(p, (uint16_t)(value >> 16));
    wire_put16(p + 2, (uint16_t)value);
}

static inline bool eth_same(const uint8_t *a, const uint8_t *b)
{
    return memcmp(a, b, ETH_ADDR_BYTES) == 0;
}

/* Group addresses, broadcast among them. */
static inline bool eth_is_group(const uint8_t *address)
{
    return (address[0] & 1) != 0;
}

static inline bool eth_is_broadcast(const uint8_t *address)
{
    static const uint8_t all[ETH_ADDR_BYTES] = {255, 255, 255, 255, 255, 255};

    return eth_same(address, all);
}

static inline void eth_header(uint8_t *frame, const uint8_t *dst,
                              const uint8_t *src, uint16_t type)
{
    memcpy(frame + ETH_DST, dst, ETH_ADDR_BYTES);
    memcpy(frame + ETH_SRC, src, ETH_ADDR_BYTES);
    wire_put16(frame + ETH_TYPE, type);
}

#endif /* CONTROL_NET_WIRE_H */
