/* SPDX-License-Identifier: BSD-2-Clause */
/* Forwarding by known addresses, with the spoof filter and proxy ARP. */

#include "net/switch.h"

#include "net/dhcp.h"

const char *switch_drop_text(enum switch_drop reason)
{
    static const char *const text[] = {
#define SWITCH_DROP_TEXT_(name, words) [SWITCH_DROP_##name] = words,
        SWITCH_DROPS(SWITCH_DROP_TEXT_)
#undef SWITCH_DROP_TEXT_
    };

    return text[reason];
}

static enum switch_verdict drop(struct switch_port *from,
                                enum switch_drop reason)
{
    from->drop[reason]++;
    return SWITCH_DROPPED;
}

/* --- Ports ---------------------------------------------------------------- */

/*
 * Guests choose neither MACs nor addresses, so a plain hash cannot be filled
 * with collisions by them.
 */
static struct switch_port **mac_at(struct net_switch *sw, const uint8_t *mac)
{
    uint32_t hash = wire_get32(mac + 2) * 0x9e3779b1U ^ wire_get16(mac);
    struct switch_port **at = &sw->mac[(hash >> 16) % SWITCH_BUCKETS];

    while (*at != NULL && !eth_same((*at)->mac, mac))
        at = &(*at)->mac_next;
    return at;
}

static struct switch_port **address_at(struct net_switch *sw, uint32_t address)
{
    struct switch_port **at = &sw->address[address % SWITCH_BUCKETS];

    while (*at != NULL && (*at)->address != address)
        at = &(*at)->address_next;
    return at;
}

struct switch_port *switch_find_mac(struct net_switch *sw, const uint8_t *mac)
{
    return *mac_at(sw, mac);
}

struct switch_port *switch_find_address(struct net_switch *sw, uint32_t address)
{
    return *address_at(sw, address);
}

/* Neither the network's own address nor its broadcast nor the router's. */
static bool may_have(const struct net_switch *sw, uint32_t address)
{
    uint32_t host = address & ~sw->netmask;

    return switch_is_inside(sw, address) && host != 0 && host != ~sw->netmask &&
           address != sw->router_address;
}

bool switch_port_add(struct net_switch *sw, struct switch_port *port,
                     const uint8_t *mac, uint32_t address)
{
    struct switch_port **by_mac = mac_at(sw, mac);
    struct switch_port **by_address = address_at(sw, address);

    if (*by_mac != NULL || *by_address != NULL || eth_is_group(mac) ||
        eth_same(mac, sw->router_mac) || !may_have(sw, address))
        return false;

    *port = (struct switch_port){.address = address};
    memcpy(port->mac, mac, ETH_ADDR_BYTES);
    *by_mac = port;
    *by_address = port;
    return true;
}

void switch_port_remove(struct net_switch *sw, struct switch_port *port)
{
    struct switch_port **at = mac_at(sw, port->mac);

    if (*at != port)
        return;
    *at = port->mac_next;
    at = address_at(sw, port->address);
    *at = port->address_next;
}

/* --- ARP ------------------------------------------------------------------ */

static bool arp_is_sane(const uint8_t *arp)
{
    return wire_get16(arp + ARP_HW_TYPE) == 1 &&
           wire_get16(arp + ARP_PROTO_TYPE) == ETH_TYPE_IP4 &&
           arp[ARP_HW_BYTES] == ETH_ADDR_BYTES && arp[ARP_IP_BYTES] == 4;
}

/* The MAC behind an address of the inside network, or NULL. */
static const uint8_t *arp_lookup(struct net_switch *sw, uint32_t address)
{
    const struct switch_port *owner;

    if (address == sw->router_address)
        return sw->router_mac;
    owner = switch_find_address(sw, address);
    return owner != NULL ? owner->mac : NULL;
}

static enum switch_verdict arp_answer(struct net_switch *sw,
                                      struct switch_port *from, uint8_t *frame,
                                      size_t here)
{
    uint8_t *arp = frame + ETH_HEADER_BYTES;
    uint32_t sender, target;
    const uint8_t *mac;

    if (here < ETH_HEADER_BYTES + ARP_BYTES || !arp_is_sane(arp))
        return drop(from, SWITCH_DROP_malformed);
    if (!eth_same(arp + ARP_SENDER_HW, from->mac))
        return drop(from, SWITCH_DROP_spoofed_mac);

    sender = wire_get32(arp + ARP_SENDER_IP);
    target = wire_get32(arp + ARP_TARGET_IP);
    /* A sender of 0 probes whether its target is in use (RFC 5227). */
    if (sender != from->address && sender != 0)
        return drop(from, SWITCH_DROP_spoofed_address);
    if (wire_get16(arp + ARP_OPERATION) != ARP_REQUEST ||
        target == from->address)
        return drop(from, SWITCH_DROP_arp);

    mac = arp_lookup(sw, target);
    if (mac == NULL)
        return drop(from, SWITCH_DROP_unknown);

    wire_put16(arp + ARP_OPERATION, ARP_REPLY);
    memcpy(arp + ARP_TARGET_HW, from->mac, ETH_ADDR_BYTES);
    wire_put32(arp + ARP_TARGET_IP, sender);
    memcpy(arp + ARP_SENDER_HW, mac, ETH_ADDR_BYTES);
    wire_put32(arp + ARP_SENDER_IP, target);
    eth_header(frame, from->mac, mac, ETH_TYPE_ARP);
    return SWITCH_ANSWERED;
}

/* --- IPv4 ----------------------------------------------------------------- */

/* A packet that was sent to the router's MAC. */
static enum switch_verdict route(struct net_switch *sw,
                                 struct switch_port *from, uint8_t *frame,
                                 struct switch_port **to, struct ip4_view *view)
{
    if (view->dst == sw->router_address ||
        (view->dst == sw->uplink_address && view->dst != 0))
        return SWITCH_TO_STACK;
    if (!switch_is_inside(sw, view->dst))
        return SWITCH_TO_ROUTER;

    *to = switch_find_address(sw, view->dst);
    if (*to == NULL || *to == from)
        return drop(from, SWITCH_DROP_unknown);
    if (!ip4_decrement_ttl(view))
        return drop(from, SWITCH_DROP_expired);
    eth_header(frame, (*to)->mac, sw->router_mac, ETH_TYPE_IP4);
    return SWITCH_TO_PORT;
}

static enum switch_verdict forward_ip4(struct net_switch *sw,
                                       struct switch_port *from, uint8_t *frame,
                                       size_t here, size_t bytes,
                                       struct switch_port **to,
                                       struct ip4_view *view)
{
    if (!ip4_parse(view, frame + ETH_HEADER_BYTES, here - ETH_HEADER_BYTES,
                   bytes - ETH_HEADER_BYTES))
        return drop(from, SWITCH_DROP_malformed);
    if ((view->src == from->address || view->src == 0) &&
        dhcp_is_request(view, sw->router_address))
        return SWITCH_TO_DHCP;
    if (eth_is_group(frame + ETH_DST))
        return drop(from, SWITCH_DROP_broadcast);
    if (view->src != from->address)
        return drop(from, SWITCH_DROP_spoofed_address);

    if (eth_same(frame + ETH_DST, sw->router_mac))
        return route(sw, from, frame, to, view);

    *to = switch_find_mac(sw, frame + ETH_DST);
    if (*to == NULL || *to == from)
        return drop(from, SWITCH_DROP_unknown);
    return SWITCH_TO_PORT;
}

enum switch_verdict switch_forward(struct net_switch *sw,
                                   struct switch_port *from, uint8_t *frame,
                                   size_t here, size_t bytes,
                                   struct switch_port **to,
                                   struct ip4_view *view)
{
    if (here < ETH_HEADER_BYTES)
        return drop(from, SWITCH_DROP_malformed);
    if (!eth_same(frame + ETH_SRC, from->mac))
        return drop(from, SWITCH_DROP_spoofed_mac);

    switch (wire_get16(frame + ETH_TYPE)) {
    case ETH_TYPE_ARP:
        return arp_answer(sw, from, frame, here);
    case ETH_TYPE_IP4:
        return forward_ip4(sw, from, frame, here, bytes, to, view);
    default:
        return drop(from, SWITCH_DROP_protocol);
    }
}
