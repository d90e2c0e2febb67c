/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flows that the NAT knows: one table, found from both sides by hash,
 * shared out among the guests, and forgotten when they fall silent.
 *
 * A flow has two names, each with its own hash chain:
 *
 *     inside   protocol, guest address and port, remote address and port
 *     outside  protocol, port on the uplink, remote address and port
 *
 * For an ICMP echo the identifier takes the place of the guest's port and of
 * the port on the uplink, and the remote port is 0.
 *
 * Every flow has one life, which says how long it may be silent.  Flows of a
 * life are in two lists, oldest first: one of all guests, where the timer
 * looks, and one of its guest, where a guest at its limit takes from its own.
 *
 * What keeps a guest from using up the table: no guest has more than
 * NAT_GUEST_FLOWS; one that has its even share or more only gets what leaves
 * the last eighth of the table to the others; and a new flow of a guest at its
 * limit displaces its own oldest flow that is no open connection.
 *
 * Times are nanoseconds of a clock that never goes back.
 */

#ifndef CONTROL_NET_NAT_FLOW_H
#define CONTROL_NET_NAT_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/siphash.h"

/* Most flows of one guest: 4096 connections at once, or closing. */
#define NAT_GUEST_FLOWS 4096U

/* Ids of flows; the table's size is nat_flows_init's argument. */
#define NAT_NO_FLOW UINT32_MAX

#define NAT_NEVER UINT64_MAX

/*
 * Lives, in the order in which a full guest loses flows to make room; those
 * from NAT_KEPT on are never taken.
 *
 * Lifetimes: RFC 5382 asks for 4 minutes for a half-open connection and two
 * hours and 4 minutes for an open one, RFC 4787 for 5 minutes for UDP, RFC
 * 5508 for 60 s for ICMP.  A request that nobody answers is kept for less, as
 * scanning makes many of them; closed connections for the 60 s that TIME_WAIT
 * usually lasts.
 */
enum nat_life {
    NAT_TCP_CLOSING, /* both sides have finished, or one has reset it */
    NAT_UNANSWERED,  /* UDP or echo with packets in one direction only */
    NAT_TCP_OPENING, /* the handshake is not complete */
    NAT_ANSWERED,    /* UDP or echo with packets in both directions */
    NAT_TCP_OPEN,
    NAT_LIVES,
};
#define NAT_KEPT NAT_ANSWERED

struct nat_links {
    uint32_t prev, next;
};

struct nat_list {
    uint32_t first, last;
};

/* A guest's part of the table; embedded in whatever a guest is here. */
struct nat_guest {
    struct nat_guest *next; /* in its bucket of nat.guest */
    uint32_t address;
    uint32_t flow_count;
    struct nat_list list[NAT_LIVES];
    uint64_t opened, displaced, refused; /* flows */
};

struct nat_key {
    uint32_t local_address; /* the guest's; outside: 0 */
    uint32_t remote_address;
    uint16_t local_port; /* the guest's; outside: the uplink's */
    uint16_t remote_port;
    uint8_t proto;
};

/* What TCP has shown so far: one bit for each side, and the two handshakes. */
#define NAT_TCP_FROM_OUTSIDE 0x01U /* the first SYN came from the uplink */
#define NAT_TCP_SYN_ACK      0x02U /* the answer to it was seen */
#define NAT_TCP_FIN_INSIDE   0x04U
#define NAT_TCP_FIN_OUTSIDE  0x08U
#define NAT_TCP_RST_INSIDE   0x10U
#define NAT_TCP_RST_OUTSIDE  0x20U
#define NAT_TCP_OPENED       0x40U /* the handshake was completed */

struct nat_flow {
    struct nat_guest *guest;
    uint64_t stamp;    /* when it was last moved to the end of its lists */
    uint32_t expected; /* TCP: the acknowledgement that completes opening */
    uint32_t guest_address, remote_address;
    uint16_t guest_port, uplink_port, remote_port;
    uint8_t proto;
    uint8_t tcp;  /* NAT_TCP_* */
    uint8_t life; /* enum nat_life */
    uint32_t inside_next, outside_next;
    struct nat_links all, mine;
};

struct nat_flows {
    struct nat_flow *flow;
    uint32_t *inside, *outside; /* bucket heads: id + 1, so 0 is empty */
    uint32_t mask;              /* bucket count - 1 */
    uint32_t size, count;
    uint32_t unused; /* ids from here on were never used, nor touched */
    uint32_t free;   /* chain through inside_next */
    uint32_t guest_count;
    struct nat_list list[NAT_LIVES];
    struct siphash_key key;
};

/* Room for @size flows, a power of two.  False: out of memory. */
bool nat_flows_init(struct nat_flows *flows, uint32_t size,
                    const struct siphash_key *key);
void nat_flows_free(struct nat_flows *flows);
/* Forget all flows. */
void nat_flows_clear(struct nat_flows *flows);

void nat_flows_guest_add(struct nat_flows *flows, struct nat_guest *guest);
/* Its flows go with it. */
void nat_flows_guest_remove(struct nat_flows *flows, struct nat_guest *guest);

/* NULL: there is none. */
struct nat_flow *nat_flow_inside(struct nat_flows *flows,
                                 const struct nat_key *key);
struct nat_flow *nat_flow_outside(struct nat_flows *flows,
                                  const struct nat_key *key);

/*
 * A new flow of @guest, whose keys the caller has found to be free.  It may
 * displace another flow.  NULL: the guest is at its limit.
 */
struct nat_flow *nat_flow_add(struct nat_flows *flows, struct nat_guest *guest,
                              const struct nat_key *inside,
                              uint16_t uplink_port, enum nat_life life,
                              uint64_t now);
void nat_flow_remove(struct nat_flows *flows, struct nat_flow *flow);

/* A packet of the flow passed: it lives anew, now in @life. */
void nat_flow_touch(struct nat_flows *flows, struct nat_flow *flow,
                    enum nat_life life, uint64_t now);

/* Forget the flows that are due.  Returns when the next will be. */
uint64_t nat_flows_expire(struct nat_flows *flows, uint64_t now);
/* The same answer without forgetting any. */
uint64_t nat_flows_deadline(const struct nat_flows *flows);

#endif /* CONTROL_NET_NAT_FLOW_H */
