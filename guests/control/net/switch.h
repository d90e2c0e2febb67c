/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The switch between the guests' interfaces and the router's inside port.
 *
 * In routed mode every port has one MAC and one address, both given by the
 * administrator, so the switch has nothing to learn and nothing to flood: a
 * frame goes to the port that owns its destination, and ARP requests are
 * answered here for everybody (proxy ARP, with the owner's own MAC).  No
 * broadcast reaches any guest.
 *
 * What a port sends must bear its own MAC, and its own address in IPv4 and
 * ARP; everything else is dropped and counted for that port.
 */

#ifndef CONTROL_NET_SWITCH_H
#define CONTROL_NET_SWITCH_H

#include <stdbool.h>
#include <stdint.h>

#include "net/ip4.h"
#include "net/wire.h"

/* Chains stay short up to the 16-bit inside network's 65,534 addresses. */
#define SWITCH_BUCKETS 4096U

#define SWITCH_DROPS(DROP)                                                     \
    DROP(malformed, "damaged or cut short")                                    \
    DROP(spoofed_mac, "from a MAC that is not the sender's")                   \
    DROP(spoofed_address, "from an address that is not the sender's")          \
    DROP(broadcast, "to a group of receivers")                                 \
    DROP(unknown, "to nobody here")                                            \
    DROP(protocol, "neither IPv4 nor ARP")                                     \
    DROP(expired, "no hop left")                                               \
    DROP(arp, "ARP that needs no answer")

enum switch_drop {
#define SWITCH_DROP_ENUM_(name, text) SWITCH_DROP_##name,
    SWITCH_DROPS(SWITCH_DROP_ENUM_)
#undef SWITCH_DROP_ENUM_
        SWITCH_DROP_REASONS,
};

struct switch_port {
    struct switch_port *mac_next, *address_next;
    uint8_t mac[ETH_ADDR_BYTES];
    uint32_t address;
    uint64_t drop[SWITCH_DROP_REASONS];
};

struct net_switch {
    struct switch_port *mac[SWITCH_BUCKETS];
    struct switch_port *address[SWITCH_BUCKETS];
    uint8_t router_mac[ETH_ADDR_BYTES];
    uint32_t router_address, netmask; /* of the inside network */
    uint32_t uplink_address;          /* 0: none */
};

enum switch_verdict {
    SWITCH_DROPPED, /* counted */
    SWITCH_TO_PORT,
    SWITCH_TO_ROUTER, /* an IPv4 packet for outside */
    SWITCH_TO_STACK,  /* for the control domain itself */
    SWITCH_TO_DHCP,   /* for the DHCP server */
    SWITCH_ANSWERED,  /* the frame is now the answer to its sender */
};

/* False: the MAC or the address is taken, or no guest may have it. */
bool switch_port_add(struct net_switch *sw, struct switch_port *port,
                     const uint8_t *mac, uint32_t address);
void switch_port_remove(struct net_switch *sw, struct switch_port *port);

/* NULL: nobody. */
struct switch_port *switch_find_mac(struct net_switch *sw, const uint8_t *mac);
struct switch_port *switch_find_address(struct net_switch *sw,
                                        uint32_t address);

/* Bytes of a frame that must be in memory for switch_forward() to decide. */
#define SWITCH_LOOK_BYTES 128U

/*
 * Where a frame of @from goes: @bytes of it, of which the first @here are in
 * memory (all, or SWITCH_LOOK_BYTES at least).  It may be changed: answered,
 * or addressed to its next hop.  *to for SWITCH_TO_PORT; *view for IPv4.
 */
enum switch_verdict switch_forward(struct net_switch *sw,
                                   struct switch_port *from, uint8_t *frame,
                                   size_t here, size_t bytes,
                                   struct switch_port **to,
                                   struct ip4_view *view);

static inline bool switch_is_inside(const struct net_switch *sw,
                                    uint32_t address)
{
    return ((address ^ sw->router_address) & sw->netmask) == 0;
}

const char *switch_drop_text(enum switch_drop reason);

#endif /* CONTROL_NET_SWITCH_H */
