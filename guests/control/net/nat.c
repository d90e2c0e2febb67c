/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation: finding or opening the flow of a packet, and rewriting it.
 *
 * What is not translated is dropped and counted.  Fragments are: only the
 * first one has ports, and to gather them would let anybody fill memory; TCP
 * does not make any.  So are IP options, which only route around or probe.
 */

#include "net/nat.h"

#include <stdlib.h>

#include <abi/errno.h>

#include "net/checksum.h"
#include "net/nat_icmp.h"
#include "net/nat_tcp.h"
#include "net/wire.h"

/* Ports tried for a new flow: with half of them taken, one in 2^32 fails. */
#define PORT_TRIES 32U

static enum nat_verdict drop(struct nat *nat, enum nat_drop reason)
{
    nat->drop[reason]++;
    return NAT_DROPPED;
}

const char *nat_drop_text(enum nat_drop reason)
{
    static const char *const text[] = {
#define NAT_DROP_TEXT_(name, words) [NAT_DROP_##name] = words,
        NAT_DROPS(NAT_DROP_TEXT_)
#undef NAT_DROP_TEXT_
    };

    return text[reason];
}

bool nat_init(struct nat *nat, uint32_t flows_max,
              const struct siphash_key *secret)
{
    *nat = (struct nat){0};
    return nat_flows_init(&nat->flows, flows_max, secret);
}

void nat_free(struct nat *nat)
{
    for (size_t i = 0; i < NAT_FORWARD_BUCKETS; i++) {
        while (nat->forward[i] != NULL) {
            struct nat_forward *forward = nat->forward[i];

            nat->forward[i] = forward->next;
            free(forward);
        }
    }
    nat_flows_free(&nat->flows);
}

void nat_set_address(struct nat *nat, uint32_t address)
{
    if (address == nat->uplink_address)
        return;

    /* Remote ends know the flows by the old address; they cannot go on. */
    nat_flows_clear(&nat->flows);
    nat->uplink_address = address;
}

/* --- Guests --------------------------------------------------------------- */

static struct nat_guest **guest_at(struct nat *nat, uint32_t address)
{
    struct nat_guest **at = &nat->guest[address % NAT_GUEST_BUCKETS];

    while (*at != NULL && (*at)->address != address)
        at = &(*at)->next;
    return at;
}

bool nat_guest_add(struct nat *nat, struct nat_guest *guest, uint32_t address)
{
    struct nat_guest **at = guest_at(nat, address);

    if (*at != NULL)
        return false;

    *guest = (struct nat_guest){.address = address};
    *at = guest;
    nat_flows_guest_add(&nat->flows, guest);
    return true;
}

void nat_guest_remove(struct nat *nat, struct nat_guest *guest)
{
    struct nat_guest **at = guest_at(nat, guest->address);

    if (*at != guest)
        return;
    *at = guest->next;
    nat_flows_guest_remove(&nat->flows, guest);
}

/* --- Forwarded ports ------------------------------------------------------ */

static struct nat_forward **forward_at(struct nat *nat, uint8_t proto,
                                       uint16_t port)
{
    struct nat_forward **at =
        &nat->forward[(port ^ (uint32_t)proto << 8) % NAT_FORWARD_BUCKETS];

    while (*at != NULL && ((*at)->uplink_port != port || (*at)->proto != proto))
        at = &(*at)->next;
    return at;
}

int nat_forward_add(struct nat *nat, uint8_t proto, uint16_t uplink_port,
                    uint32_t guest_address, uint16_t guest_port)
{
    struct nat_forward **at = forward_at(nat, proto, uplink_port);
    struct nat_forward *forward;

    if ((proto != PROTO_TCP && proto != PROTO_UDP) || uplink_port == 0 ||
        guest_port == 0 || ip4_is_martian(guest_address))
        return -ABI_EINVAL;
    if (*at != NULL)
        return -ABI_EEXIST;
    if (nat->forward_count >= NAT_FORWARDS_MAX)
        return -ABI_ENOSPC;

    forward = malloc(sizeof(*forward));
    if (forward == NULL)
        return -ABI_ENOMEM;

    *forward = (struct nat_forward){
        .guest_address = guest_address,
        .uplink_port = uplink_port,
        .guest_port = guest_port,
        .proto = proto,
    };
    *at = forward;
    nat->forward_count++;
    return 0;
}

int nat_forward_remove(struct nat *nat, uint8_t proto, uint16_t uplink_port)
{
    struct nat_forward **at = forward_at(nat, proto, uplink_port);
    struct nat_forward *forward = *at;

    if (forward == NULL)
        return -ABI_ENOENT;

    *at = forward->next;
    free(forward);
    nat->forward_count--;
    return 0;
}

void nat_forward_each(const struct nat *nat,
                      void (*fn)(void *arg, const struct nat_forward *forward),
                      void *arg)
{
    for (size_t i = 0; i < NAT_FORWARD_BUCKETS; i++)
        for (const struct nat_forward *f = nat->forward[i]; f; f = f->next)
            fn(arg, f);
}

/* --- The two ends of a packet --------------------------------------------- */

/* Where the field is that holds a port, or an echo's identifier. */
static uint8_t *port_field(const struct ip4_view *view, bool source)
{
    if (view->proto == PROTO_ICMP)
        return view->payload + ICMP_ID;
    return view->payload + (source ? PORT_SRC : PORT_DST);
}

static uint16_t remote_port(const struct ip4_view *view, bool source)
{
    if (view->proto == PROTO_ICMP)
        return 0;
    return wire_get16(port_field(view, source));
}

/* Adjust the transport checksum for one change of address and port. */
static void update_transport(struct ip4_view *view, uint32_t old_address,
                             uint32_t new_address, uint16_t old_port,
                             uint16_t new_port)
{
    uint8_t *at;
    uint16_t field;

    if (view->proto == PROTO_TCP)
        at = view->payload + TCP_CHECKSUM;
    else if (view->proto == PROTO_UDP)
        at = view->payload + UDP_CHECKSUM;
    else
        at = view->payload + ICMP_CHECKSUM;

    field = wire_get16(at);
    if (view->proto == PROTO_UDP && field == 0)
        return; /* The sender gave none. */

    /* ICMP has no pseudo-header: the addresses are not in its sum. */
    if (view->proto != PROTO_ICMP)
        field = checksum_update32(field, old_address, new_address);
    field = checksum_update16(field, old_port, new_port);
    if (view->proto == PROTO_UDP && field == 0)
        field = UINT16_MAX;
    wire_put16(at, field);
}

static void rewrite(struct ip4_view *view, bool source, uint32_t address,
                    uint16_t port)
{
    uint32_t old_address = source ? view->src : view->dst;
    uint8_t *at = port_field(view, source);
    uint16_t old_port = wire_get16(at);

    ip4_set_address(view, source ? IP4_SRC : IP4_DST, address);
    wire_put16(at, port);
    update_transport(view, old_address, address, old_port, port);
}

/*
 * What every packet must fulfil before its flow is looked for.  True: it may
 * pass; else it was counted.
 */
static bool acceptable(struct nat *nat, const struct ip4_view *view)
{
    if (view->fragment)
        drop(nat, NAT_DROP_fragment);
    else if (view->options)
        drop(nat, NAT_DROP_options);
    else if (view->proto != PROTO_TCP && view->proto != PROTO_UDP &&
             view->proto != PROTO_ICMP)
        drop(nat, NAT_DROP_protocol);
    else if (!ip4_has_transport(view))
        drop(nat, NAT_DROP_malformed);
    else if (ip4_is_martian(view->src) || ip4_is_martian(view->dst))
        drop(nat, NAT_DROP_martian);
    else
        return true;
    return false;
}

/* A packet of @flow passes in the direction given. */
static void account(struct nat *nat, struct nat_flow *flow,
                    const struct ip4_view *view, bool from_inside, uint64_t now)
{
    enum nat_life life = flow->life;

    if (view->proto == PROTO_TCP)
        life = nat_tcp_step(flow, view->payload, from_inside);
    else if (from_inside == ((flow->tcp & NAT_TCP_FROM_OUTSIDE) != 0))
        life = NAT_ANSWERED; /* The side that did not open it has spoken. */

    nat_flow_touch(&nat->flows, flow, life, now);
}

/* --- Outward -------------------------------------------------------------- */

/*
 * A port of the uplink that no flow to the same remote end has: unforeseeable,
 * so that nobody who cannot see the flow can hit it.  0: none was found.
 */
static uint16_t choose_port(struct nat *nat, const struct nat_key *inside)
{
    struct nat_key outside = {
        .remote_address = inside->remote_address,
        .remote_port = inside->remote_port,
        .proto = inside->proto,
    };
    uint64_t salt[2] = {nat->port_salt++, inside->remote_address};
    uint64_t start = siphash_words(&nat->flows.key, salt, 2);

    for (uint32_t i = 0; i < PORT_TRIES; i++) {
        uint16_t port =
            (uint16_t)(NAT_PORT_FIRST + (start + i) % NAT_PORT_COUNT);

        outside.local_port = port;
        if (*forward_at(nat, inside->proto, port) == NULL &&
            nat_flow_outside(&nat->flows, &outside) == NULL)
            return port;
    }
    return 0;
}

/* May this packet of a guest begin a flow? */
static bool begins_flow(const struct ip4_view *view)
{
    if (view->proto == PROTO_TCP)
        return nat_tcp_begins(view->payload[TCP_FLAGS]);
    if (view->proto == PROTO_ICMP)
        return view->payload[ICMP_TYPE] == ICMP_ECHO;
    return true;
}

static struct nat_flow *open_outward(struct nat *nat, struct nat_guest *guest,
                                     const struct ip4_view *view,
                                     const struct nat_key *inside, uint64_t now)
{
    enum nat_life life =
        view->proto == PROTO_TCP ? NAT_TCP_OPENING : NAT_UNANSWERED;
    struct nat_flow *flow;
    uint16_t port;

    if (!begins_flow(view)) {
        drop(nat, NAT_DROP_no_flow);
        return NULL;
    }

    port = choose_port(nat, inside);
    if (port == 0) {
        drop(nat, NAT_DROP_no_port);
        return NULL;
    }

    flow = nat_flow_add(&nat->flows, guest, inside, port, life, now);
    if (flow == NULL)
        drop(nat, NAT_DROP_no_room);
    return flow;
}

enum nat_verdict nat_outward(struct nat *nat, struct nat_guest *guest,
                             struct ip4_view *view, uint64_t now)
{
    struct nat_key inside;
    struct nat_flow *flow;

    if (nat->uplink_address == 0)
        return drop(nat, NAT_DROP_no_address);
    if (!acceptable(nat, view))
        return NAT_DROPPED;
    if (view->src != guest->address)
        return drop(nat, NAT_DROP_martian);
    if (view->ip[IP4_TTL] <= 1)
        return drop(nat, NAT_DROP_expired);

    if (view->proto == PROTO_ICMP &&
        nat_icmp_is_error(view->payload[ICMP_TYPE])) {
        enum nat_drop reason;

        if (!nat_icmp_outward(nat, guest, view, &reason))
            return drop(nat, reason);
        ip4_decrement_ttl(view);
        nat->outward++;
        return NAT_TRANSLATED;
    }

    /* Of the other messages only an echo is a conversation. */
    if (view->proto == PROTO_ICMP && view->payload[ICMP_TYPE] != ICMP_ECHO)
        return drop(nat, NAT_DROP_no_flow);

    inside = (struct nat_key){
        .local_address = guest->address,
        .remote_address = view->dst,
        .local_port = wire_get16(port_field(view, true)),
        .remote_port = remote_port(view, false),
        .proto = view->proto,
    };
    flow = nat_flow_inside(&nat->flows, &inside);
    if (flow == NULL)
        flow = open_outward(nat, guest, view, &inside, now);
    if (flow == NULL)
        return NAT_DROPPED;

    account(nat, flow, view, true, now);
    rewrite(view, true, nat->uplink_address, flow->uplink_port);
    ip4_decrement_ttl(view);
    nat->outward++;
    return NAT_TRANSLATED;
}

/* --- Inward --------------------------------------------------------------- */

/*
 * *refused says what becomes of the packet if there is no flow for it: what
 * belongs to a connection that is gone, or is for a guest that is gone, goes to
 * our own stack, which knows no such connection and resets it.
 */
static struct nat_flow *open_inward(struct nat *nat,
                                    struct nat_forward *forward,
                                    const struct ip4_view *view, uint64_t now,
                                    enum nat_verdict *refused)
{
    struct nat_guest *guest = *guest_at(nat, forward->guest_address);
    struct nat_key inside = {
        .local_address = forward->guest_address,
        .remote_address = view->src,
        .local_port = forward->guest_port,
        .remote_port = remote_port(view, true),
        .proto = view->proto,
    };
    enum nat_life life =
        view->proto == PROTO_TCP ? NAT_TCP_OPENING : NAT_UNANSWERED;
    struct nat_flow *flow;

    *refused = NAT_NOT_OURS;
    if (guest == NULL) {
        drop(nat, NAT_DROP_no_guest);
        return NULL;
    }
    if (!begins_flow(view)) {
        drop(nat, NAT_DROP_no_flow);
        return NULL;
    }

    *refused = NAT_DROPPED;
    /* Two ports forwarded to one of the guest's, from one remote end. */
    if (nat_flow_inside(&nat->flows, &inside) != NULL) {
        drop(nat, NAT_DROP_no_port);
        return NULL;
    }

    flow = nat_flow_add(&nat->flows, guest, &inside, forward->uplink_port, life,
                        now);
    if (flow == NULL) {
        drop(nat, NAT_DROP_no_room);
        return NULL;
    }
    flow->tcp = NAT_TCP_FROM_OUTSIDE;
    forward->opened++;
    return flow;
}

static enum nat_verdict inward_error(struct nat *nat, struct ip4_view *view,
                                     struct nat_guest **guest)
{
    enum nat_drop reason;

    switch (nat_icmp_inward(nat, view, guest, &reason)) {
    case NAT_NOT_OURS:
        return NAT_NOT_OURS;
    case NAT_DROPPED:
        return drop(nat, reason);
    case NAT_TRANSLATED:
        break;
    }
    nat->inward++;
    return NAT_TRANSLATED;
}

enum nat_verdict nat_inward(struct nat *nat, struct ip4_view *view,
                            uint64_t now, struct nat_guest **guest)
{
    enum nat_verdict refused;
    struct nat_key outside;
    struct nat_flow *flow;

    if (nat->uplink_address == 0 || view->dst != nat->uplink_address)
        return NAT_NOT_OURS;
    if (!acceptable(nat, view))
        return NAT_DROPPED;

    if (view->proto == PROTO_ICMP) {
        if (nat_icmp_is_error(view->payload[ICMP_TYPE]))
            return view->ip[IP4_TTL] <= 1 ? drop(nat, NAT_DROP_expired)
                                          : inward_error(nat, view, guest);
        if (view->payload[ICMP_TYPE] != ICMP_ECHO_REPLY)
            return NAT_NOT_OURS;
    }

    outside = (struct nat_key){
        .remote_address = view->src,
        .local_port = wire_get16(port_field(view, false)),
        .remote_port = remote_port(view, true),
        .proto = view->proto,
    };
    flow = nat_flow_outside(&nat->flows, &outside);
    if (flow == NULL) {
        struct nat_forward *forward =
            *forward_at(nat, view->proto, outside.local_port);

        if (forward == NULL)
            return NAT_NOT_OURS;
        flow = open_inward(nat, forward, view, now, &refused);
        if (flow == NULL)
            return refused;
    }
    if (view->ip[IP4_TTL] <= 1)
        return drop(nat, NAT_DROP_expired);

    account(nat, flow, view, false, now);
    rewrite(view, false, flow->guest_address, flow->guest_port);
    ip4_decrement_ttl(view);
    *guest = flow->guest;
    nat->inward++;
    return NAT_TRANSLATED;
}
