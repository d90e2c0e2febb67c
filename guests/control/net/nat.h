/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network address translation between the guests' inside network and the one
 * address of the uplink.
 *
 * A guest opens flows outwards freely, within its share of the table
 * (net/nat_flow.h); from outside only forwarded ports open flows.  Everything
 * else that comes in belongs to a known flow, or is not the NAT's.  Remote
 * addresses and ports are never changed: a guest sees who its clients are.
 *
 * The module knows no clock and no interface: it is told the time, rewrites
 * packets in place, and says what became of them.
 */

#ifndef CONTROL_NET_NAT_H
#define CONTROL_NET_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "net/ip4.h"
#include "net/nat_flow.h"

/*
 * Ports on the uplink for flows that guests open.  Below lie forwarded ports
 * and services, above those the control domain's own connections use (lwIP
 * takes 49152 and up).  One port serves many flows, as long as they go to
 * different remote ends.
 */
#define NAT_PORT_FIRST 16384U
#define NAT_PORT_COUNT 32768U

/* Flows in all: 128 Ki, about 12 MiB when all have been in use at once. */
#define NAT_FLOWS_MAX 131072U

/* Most forwarded ports: the "at most 256" of the emulator, and room. */
#define NAT_FORWARDS_MAX 1024U

struct nat_forward {
    struct nat_forward *next; /* chain of its bucket */
    uint32_t guest_address;
    uint16_t uplink_port, guest_port;
    uint8_t proto;
    uint64_t opened; /* flows */
};

/* Why packets were dropped, or left to our own stack to be refused. */
#define NAT_DROPS(DROP)                                                        \
    DROP(malformed, "damaged or cut short")                                    \
    DROP(fragment, "fragments")                                                \
    DROP(options, "IP options")                                                \
    DROP(protocol, "neither TCP, UDP nor ICMP")                                \
    DROP(martian, "an address that cannot be routed")                          \
    DROP(expired, "no hop left")                                               \
    DROP(no_flow, "part of no known flow")                                     \
    DROP(no_room, "flow table or the guest's share full")                      \
    DROP(no_port, "no free port on the uplink")                                \
    DROP(no_guest, "forwarded to a guest that is not there")                   \
    DROP(no_address, "no address on the uplink yet")

enum nat_drop {
#define NAT_DROP_ENUM_(name, text) NAT_DROP_##name,
    NAT_DROPS(NAT_DROP_ENUM_)
#undef NAT_DROP_ENUM_
        NAT_DROP_REASONS,
};

#define NAT_GUEST_BUCKETS   4096U
#define NAT_FORWARD_BUCKETS 1024U

struct nat {
    struct nat_flows flows;
    uint32_t uplink_address; /* 0: none yet */
    uint32_t forward_count;
    uint64_t port_salt; /* counts port choices */
    struct nat_guest *guest[NAT_GUEST_BUCKETS];
    struct nat_forward *forward[NAT_FORWARD_BUCKETS];
    uint64_t outward, inward; /* packets translated */
    uint64_t drop[NAT_DROP_REASONS];
};

enum nat_verdict {
    NAT_TRANSLATED,
    NAT_NOT_OURS, /* inward: for our own stack, to serve or to refuse */
    NAT_DROPPED,
};

/* False: out of memory.  @flows_max is a power of two. */
bool nat_init(struct nat *nat, uint32_t flows_max,
              const struct siphash_key *secret);
void nat_free(struct nat *nat);

/* The uplink's address is @address now, 0 for none: old flows are forgotten. */
void nat_set_address(struct nat *nat, uint32_t address);

/*
 * The owner of @address takes part.  False: another guest has the address.
 */
bool nat_guest_add(struct nat *nat, struct nat_guest *guest, uint32_t address);
void nat_guest_remove(struct nat *nat, struct nat_guest *guest);

/*
 * Send what comes for @proto @uplink_port to a guest.  The guest need not be
 * there yet.  -ABI_EINVAL: no such protocol, or a port is 0; -ABI_EEXIST: that
 * port is forwarded; -ABI_ENOSPC: there are NAT_FORWARDS_MAX; -ABI_ENOMEM.
 */
int nat_forward_add(struct nat *nat, uint8_t proto, uint16_t uplink_port,
                    uint32_t guest_address, uint16_t guest_port);
/* Connections that are open stay.  -ABI_ENOENT: it is not forwarded. */
int nat_forward_remove(struct nat *nat, uint8_t proto, uint16_t uplink_port);
/* Call @fn for each, in no order. */
void nat_forward_each(const struct nat *nat,
                      void (*fn)(void *arg, const struct nat_forward *forward),
                      void *arg);

/*
 * A packet of @guest, from its own address, goes out: wholly in memory up to
 * its transport header (an ICMP error: wholly).  Never NAT_NOT_OURS.
 */
enum nat_verdict nat_outward(struct nat *nat, struct nat_guest *guest,
                             struct ip4_view *view, uint64_t now);

/* A packet for the uplink's address came in; it goes to *guest. */
enum nat_verdict nat_inward(struct nat *nat, struct ip4_view *view,
                            uint64_t now, struct nat_guest **guest);

/* Forget what is due; returns when to come again, NAT_NEVER if never. */
static inline uint64_t nat_expire(struct nat *nat, uint64_t now)
{
    return nat_flows_expire(&nat->flows, now);
}

const char *nat_drop_text(enum nat_drop reason);

#endif /* CONTROL_NET_NAT_H */
