/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translating ICMP errors.
 *
 * The quotation has a header of its own, and at least 8 bytes behind it
 * (RFC 792): enough for the ports, or an echo's identifier, and for UDP's
 * checksum.  A TCP checksum in a longer quotation is left as it is; receivers
 * cannot check it, as the quotation is cut short anyway.
 */

#include "net/nat_icmp.h"

#include "net/checksum.h"
#include "net/wire.h"

#define QUOTED_BYTES 8

/* The packet that an error quotes. */
struct quotation {
    uint8_t *ip, *transport;
    uint32_t src, dst;
    uint16_t src_port, dst_port;
    uint8_t proto;
};

bool nat_icmp_is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_TIME_EXCEEDED ||
           type == ICMP_PARAMETER;
}

static void read_ports(struct quotation *quoted)
{
    quoted->src_port = wire_get16(quoted->transport + PORT_SRC);
    quoted->dst_port = wire_get16(quoted->transport + PORT_DST);
    if (quoted->proto != PROTO_ICMP)
        return;

    /* The identifier is the port of the side that is behind the NAT. */
    quoted->src_port = wire_get16(quoted->transport + ICMP_ID);
    quoted->dst_port = 0;
}

/*
 * The outer packet must be whole and right: its checksum is made anew later,
 * which would hide any damage.  The quoted length and checksum are no bounds:
 * the quotation is usually shorter than the packet was, and routers change
 * headers before they quote them.
 */
static bool parse(struct quotation *quoted, const struct ip4_view *view)
{
    uint8_t *ip = view->payload + ICMP_HEADER_BYTES;
    size_t present, header_bytes;

    if (view->payload_here != view->payload_bytes ||
        view->payload_bytes <
            ICMP_HEADER_BYTES + IP4_HEADER_BYTES + QUOTED_BYTES ||
        checksum(view->payload, view->payload_bytes) != 0)
        return false;

    present = view->payload_bytes - ICMP_HEADER_BYTES;
    header_bytes = (size_t)(ip[IP4_VERSION_IHL] & 15) * 4;
    if (ip[IP4_VERSION_IHL] >> 4 != 4 || header_bytes < IP4_HEADER_BYTES ||
        header_bytes + QUOTED_BYTES > present ||
        (wire_get16(ip + IP4_FRAGMENT) & IP4_FRAGMENT_OFFSET) != 0)
        return false;

    *quoted = (struct quotation){
        .ip = ip,
        .transport = ip + header_bytes,
        .src = wire_get32(ip + IP4_SRC),
        .dst = wire_get32(ip + IP4_DST),
        .proto = ip[IP4_PROTO],
    };
    if (quoted->proto != PROTO_TCP && quoted->proto != PROTO_UDP &&
        (quoted->proto != PROTO_ICMP ||
         quoted->transport[ICMP_TYPE] != ICMP_ECHO))
        return false;

    read_ports(quoted);
    return true;
}

/* Give the quoted packet another source, or another destination. */
static void requote(const struct quotation *quoted, bool source,
                    uint32_t address, uint16_t port)
{
    uint8_t *address_at = quoted->ip + (source ? IP4_SRC : IP4_DST);
    uint8_t *port_at = quoted->transport + (source ? PORT_SRC : PORT_DST);
    uint8_t *sum_at = quoted->ip + IP4_CHECKSUM;
    uint32_t old_address = wire_get32(address_at);
    uint16_t old_port, sum;

    if (quoted->proto == PROTO_ICMP)
        port_at = quoted->transport + ICMP_ID;
    old_port = wire_get16(port_at);

    wire_put32(address_at, address);
    wire_put16(port_at, port);
    wire_put16(sum_at,
               checksum_update32(wire_get16(sum_at), old_address, address));

    if (quoted->proto == PROTO_TCP)
        return; /* Its checksum may lie behind the quotation's end. */

    sum_at = quoted->transport +
             (quoted->proto == PROTO_UDP ? UDP_CHECKSUM : ICMP_CHECKSUM);
    sum = wire_get16(sum_at);
    if (quoted->proto == PROTO_UDP && sum == 0)
        return;
    if (quoted->proto == PROTO_UDP)
        sum = checksum_update32(sum, old_address, address);
    wire_put16(sum_at, checksum_update16(sum, old_port, port));
}

static void renew_checksum(struct ip4_view *view)
{
    wire_put16(view->payload + ICMP_CHECKSUM, 0);
    wire_put16(view->payload + ICMP_CHECKSUM,
               checksum(view->payload, view->payload_bytes));
}

bool nat_icmp_outward(struct nat *nat, struct nat_guest *guest,
                      struct ip4_view *view, enum nat_drop *reason)
{
    struct quotation quoted;
    struct nat_flow *flow;
    struct nat_key inside;

    *reason = NAT_DROP_malformed;
    if (!parse(&quoted, view))
        return false;

    /* The guest complains of what came to it: it is the destination. */
    *reason = NAT_DROP_no_flow;
    if (quoted.dst != guest->address || quoted.proto == PROTO_ICMP)
        return false;
    inside = (struct nat_key){
        .local_address = quoted.dst,
        .remote_address = quoted.src,
        .local_port = quoted.dst_port,
        .remote_port = quoted.src_port,
        .proto = quoted.proto,
    };
    flow = nat_flow_inside(&nat->flows, &inside);
    if (flow == NULL)
        return false;

    requote(&quoted, false, nat->uplink_address, flow->uplink_port);
    renew_checksum(view);
    ip4_set_address(view, IP4_SRC, nat->uplink_address);
    return true;
}

enum nat_verdict nat_icmp_inward(struct nat *nat, struct ip4_view *view,
                                 struct nat_guest **guest,
                                 enum nat_drop *reason)
{
    struct quotation quoted;
    struct nat_flow *flow;
    struct nat_key outside;

    *reason = NAT_DROP_malformed;
    if (!parse(&quoted, view))
        return NAT_DROPPED;
    if (quoted.src != nat->uplink_address)
        return NAT_DROPPED;

    outside = (struct nat_key){
        .remote_address = quoted.dst,
        .local_port = quoted.src_port,
        .remote_port = quoted.dst_port,
        .proto = quoted.proto,
    };
    flow = nat_flow_outside(&nat->flows, &outside);
    if (flow == NULL)
        return NAT_NOT_OURS;

    /* The flow's life is left alone: anybody can forge an error. */
    requote(&quoted, true, flow->guest_address, flow->guest_port);
    renew_checksum(view);
    ip4_set_address(view, IP4_DST, flow->guest_address);
    ip4_decrement_ttl(view);
    *guest = flow->guest;
    return NAT_TRANSLATED;
}
