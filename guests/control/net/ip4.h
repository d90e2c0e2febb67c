/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A checked view of an IPv4 packet: every length in it has been compared with
 * the bytes that are really there.
 */

#ifndef CONTROL_NET_IP4_H
#define CONTROL_NET_IP4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ip4_view {
    uint8_t *ip;          /* the header */
    uint8_t *payload;     /* what follows header and options */
    size_t header_bytes;  /* with options: 20 .. 60, all present */
    size_t payload_bytes; /* as the header says */
    size_t payload_here;  /* of those, present in memory */
    uint32_t src, dst;    /* host order */
    uint8_t proto;        /* PROTO_* */
    bool fragment;        /* a part of a packet, first or later */
    bool options;         /* has IP options */
};

/*
 * Look at a packet of @bytes of which the first @here are in memory.  False:
 * truncated, not version 4, a length that cannot be, or a wrong checksum.
 * Bytes behind the length that the header names (padding) are ignored.
 */
bool ip4_parse(struct ip4_view *view, uint8_t *ip, size_t here, size_t bytes);

/* The ports, TCP header or ICMP header that @view needs are present. */
bool ip4_has_transport(const struct ip4_view *view);

/* Rewrite an address at IP4_SRC or IP4_DST and the header's checksum. */
void ip4_set_address(struct ip4_view *view, size_t offset, uint32_t address);

/* One hop less; false if the packet has none left. */
bool ip4_decrement_ttl(struct ip4_view *view);

/* Addresses that no packet may come from or go to through a router. */
bool ip4_is_martian(uint32_t address);

#endif /* CONTROL_NET_IP4_H */
