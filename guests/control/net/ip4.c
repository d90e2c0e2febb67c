/* SPDX-License-Identifier: BSD-2-Clause */
/* Checking an IPv4 header, and the two changes a router makes to it. */

#include "net/ip4.h"

#include "net/checksum.h"
#include "net/wire.h"

bool ip4_parse(struct ip4_view *view, uint8_t *ip, size_t here, size_t bytes)
{
    size_t header_bytes, total;
    uint16_t fragment;

    if (here > bytes)
        here = bytes;
    if (here < IP4_HEADER_BYTES || ip[IP4_VERSION_IHL] >> 4 != 4)
        return false;

    header_bytes = (size_t)(ip[IP4_VERSION_IHL] & 15) * 4;
    total = wire_get16(ip + IP4_TOTAL);
    if (header_bytes < IP4_HEADER_BYTES || header_bytes > here ||
        total < header_bytes || total > bytes)
        return false;
    if (checksum(ip, header_bytes) != 0)
        return false;

    fragment = wire_get16(ip + IP4_FRAGMENT);
    if (here > total)
        here = total;

    *view = (struct ip4_view){
        .ip = ip,
        .payload = ip + header_bytes,
        .header_bytes = header_bytes,
        .payload_bytes = total - header_bytes,
        .payload_here = here - header_bytes,
        .src = wire_get32(ip + IP4_SRC),
        .dst = wire_get32(ip + IP4_DST),
        .proto = ip[IP4_PROTO],
        .fragment = (fragment & (IP4_FRAGMENT_MORE | IP4_FRAGMENT_OFFSET)) != 0,
        .options = header_bytes > IP4_HEADER_BYTES,
    };
    return true;
}

bool ip4_has_transport(const struct ip4_view *view)
{
    size_t present = view->payload_here, data;

    if (view->fragment)
        return false;

    switch (view->proto) {
    case PROTO_TCP:
        if (present < TCP_HEADER_BYTES)
            return false;
        data = (size_t)(view->payload[TCP_DATA_OFFSET] >> 4) * 4;
        return data >= TCP_HEADER_BYTES && data <= view->payload_bytes;
    case PROTO_UDP:
        if (present < UDP_HEADER_BYTES)
            return false;
        /* A longer packet than UDP says is padded; a shorter one is cut. */
        data = wire_get16(view->payload + UDP_LENGTH);
        return data >= UDP_HEADER_BYTES && data <= view->payload_bytes;
    case PROTO_ICMP:
        return present >= ICMP_HEADER_BYTES;
    default:
        return false;
    }
}

void ip4_set_address(struct ip4_view *view, size_t offset, uint32_t address)
{
    uint32_t before = wire_get32(view->ip + offset);
    uint16_t field = wire_get16(view->ip + IP4_CHECKSUM);

    wire_put32(view->ip + offset, address);
    wire_put16(view->ip + IP4_CHECKSUM,
               checksum_update32(field, before, address));
    if (offset == IP4_SRC)
        view->src = address;
    else
        view->dst = address;
}

bool ip4_decrement_ttl(struct ip4_view *view)
{
    uint16_t before = wire_get16(view->ip + IP4_TTL);
    uint16_t field = wire_get16(view->ip + IP4_CHECKSUM);

    if (view->ip[IP4_TTL] <= 1)
        return false;

    view->ip[IP4_TTL]--;
    wire_put16(
        view->ip + IP4_CHECKSUM,
        checksum_update16(field, before, wire_get16(view->ip + IP4_TTL)));
    return true;
}

bool ip4_is_martian(uint32_t address)
{
    uint32_t net = address >> 24;

    /* This network, loopback; multicast, reserved and broadcast. */
    return net == 0 || net == 127 || net >= 224;
}
