/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of flows: hash chains, age lists, and the guests' shares. */

#include "net/nat_flow.h"

#include <stdlib.h>

#define SECOND 1000000000ULL

/*
 * A flow is moved to the end of its lists at most this often, so that a busy
 * one costs a comparison a packet.  Lifetimes are inexact by as much.
 */
#define TOUCH_INTERVAL SECOND

static const uint64_t lifetime[NAT_LIVES] = {
    [NAT_TCP_CLOSING] = 60 * SECOND,
    [NAT_UNANSWERED] = 30 * SECOND,
    [NAT_TCP_OPENING] = 60 * SECOND,
    [NAT_ANSWERED] = 300 * SECOND,
    [NAT_TCP_OPEN] = 2 * 3600 * SECOND + 240 * SECOND,
};

/* --- Lists ---------------------------------------------------------------- */

enum list_kind { LIST_ALL, LIST_MINE };

static struct nat_links *links(struct nat_flows *flows, uint32_t id,
                               enum list_kind kind)
{
    return kind == LIST_ALL ? &flows->flow[id].all : &flows->flow[id].mine;
}

static void list_append(struct nat_flows *flows, struct nat_list *list,
                        uint32_t id, enum list_kind kind)
{
    *links(flows, id, kind) =
        (struct nat_links){.prev = list->last, .next = NAT_NO_FLOW};

    if (list->last == NAT_NO_FLOW)
        list->first = id;
    else
        links(flows, list->last, kind)->next = id;
    list->last = id;
}

static void list_remove(struct nat_flows *flows, struct nat_list *list,
                        uint32_t id, enum list_kind kind)
{
    struct nat_links at = *links(flows, id, kind);

    if (at.prev == NAT_NO_FLOW)
        list->first = at.next;
    else
        links(flows, at.prev, kind)->next = at.next;

    if (at.next == NAT_NO_FLOW)
        list->last = at.prev;
    else
        links(flows, at.next, kind)->prev = at.prev;
}

static void lists_clear(struct nat_list *list)
{
    for (int i = 0; i < NAT_LIVES; i++)
        list[i] = (struct nat_list){.first = NAT_NO_FLOW, .last = NAT_NO_FLOW};
}

static void enlist(struct nat_flows *flows, struct nat_flow *flow, uint32_t id)
{
    list_append(flows, &flows->list[flow->life], id, LIST_ALL);
    list_append(flows, &flow->guest->list[flow->life], id, LIST_MINE);
}

static void delist(struct nat_flows *flows, struct nat_flow *flow, uint32_t id)
{
    list_remove(flows, &flows->list[flow->life], id, LIST_ALL);
    list_remove(flows, &flow->guest->list[flow->life], id, LIST_MINE);
}

/* --- Hash chains ---------------------------------------------------------- */

static uint32_t bucket(const struct nat_flows *flows, const struct nat_key *key)
{
    uint64_t words[2] = {
        (uint64_t)key->local_address << 32 | key->remote_address,
        (uint64_t)key->proto << 32 | (uint64_t)key->local_port << 16 |
            key->remote_port,
    };

    return (uint32_t)siphash_words(&flows->key, words, 2) & flows->mask;
}

static struct nat_key inside_key(const struct nat_flow *flow)
{
    return (struct nat_key){
        .local_address = flow->guest_address,
        .remote_address = flow->remote_address,
        .local_port = flow->guest_port,
        .remote_port = flow->remote_port,
        .proto = flow->proto,
    };
}

static struct nat_key outside_key(const struct nat_flow *flow)
{
    return (struct nat_key){
        .remote_address = flow->remote_address,
        .local_port = flow->uplink_port,
        .remote_port = flow->remote_port,
        .proto = flow->proto,
    };
}

static bool same_key(const struct nat_key *a, const struct nat_key *b)
{
    return a->local_address == b->local_address &&
           a->remote_address == b->remote_address &&
           a->local_port == b->local_port && a->remote_port == b->remote_port &&
           a->proto == b->proto;
}

struct nat_flow *nat_flow_inside(struct nat_flows *flows,
                                 const struct nat_key *key)
{
    uint32_t at = flows->inside[bucket(flows, key)];

    while (at != 0) {
        struct nat_flow *flow = &flows->flow[at - 1];
        struct nat_key own = inside_key(flow);

        if (same_key(&own, key))
            return flow;
        at = flow->inside_next;
    }
    return NULL;
}

struct nat_flow *nat_flow_outside(struct nat_flows *flows,
                                  const struct nat_key *key)
{
    uint32_t at = flows->outside[bucket(flows, key)];

    while (at != 0) {
        struct nat_flow *flow = &flows->flow[at - 1];
        struct nat_key own = outside_key(flow);

        if (same_key(&own, key))
            return flow;
        at = flow->outside_next;
    }
    return NULL;
}

static void hash_insert(struct nat_flows *flows, struct nat_flow *flow,
                        uint32_t id)
{
    struct nat_key in = inside_key(flow), out = outside_key(flow);
    uint32_t *inside = &flows->inside[bucket(flows, &in)];
    uint32_t *outside = &flows->outside[bucket(flows, &out)];

    flow->inside_next = *inside;
    *inside = id + 1;
    flow->outside_next = *outside;
    *outside = id + 1;
}

static void hash_remove(struct nat_flows *flows, struct nat_flow *flow,
                        uint32_t id)
{
    struct nat_key in = inside_key(flow), out = outside_key(flow);
    uint32_t *at;

    for (at = &flows->inside[bucket(flows, &in)]; *at != id + 1;)
        at = &flows->flow[*at - 1].inside_next;
    *at = flow->inside_next;

    for (at = &flows->outside[bucket(flows, &out)]; *at != id + 1;)
        at = &flows->flow[*at - 1].outside_next;
    *at = flow->outside_next;
}

/* --- Flows ---------------------------------------------------------------- */

bool nat_flows_init(struct nat_flows *flows, uint32_t size,
                    const struct siphash_key *key)
{
    /* Not cleared: pages of flows that were never used stay untouched. */
    *flows = (struct nat_flows){
        .flow = malloc(size * sizeof(struct nat_flow)),
        .inside = calloc(size, sizeof(uint32_t)),
        .outside = calloc(size, sizeof(uint32_t)),
        .mask = size - 1,
        .size = size,
        .free = NAT_NO_FLOW,
        .key = *key,
    };
    lists_clear(flows->list);

    if (flows->flow != NULL && flows->inside != NULL && flows->outside != NULL)
        return true;
    nat_flows_free(flows);
    return false;
}

void nat_flows_free(struct nat_flows *flows)
{
    free(flows->flow);
    free(flows->inside);
    free(flows->outside);
    *flows = (struct nat_flows){0};
}

static void remove_list(struct nat_flows *flows, struct nat_list *list)
{
    while (list->first != NAT_NO_FLOW)
        nat_flow_remove(flows, &flows->flow[list->first]);
}

void nat_flows_clear(struct nat_flows *flows)
{
    for (int life = 0; life < NAT_LIVES; life++)
        remove_list(flows, &flows->list[life]);
}

void nat_flows_guest_add(struct nat_flows *flows, struct nat_guest *guest)
{
    guest->flow_count = 0;
    lists_clear(guest->list);
    flows->guest_count++;
}

void nat_flows_guest_remove(struct nat_flows *flows, struct nat_guest *guest)
{
    for (int life = 0; life < NAT_LIVES; life++)
        remove_list(flows, &guest->list[life]);
    flows->guest_count--;
}

static uint32_t take_free(struct nat_flows *flows)
{
    uint32_t id = flows->free;

    if (id != NAT_NO_FLOW) {
        flows->free = flows->flow[id].inside_next;
        return id;
    }
    if (flows->unused < flows->size)
        return flows->unused++;
    return NAT_NO_FLOW;
}

void nat_flow_remove(struct nat_flows *flows, struct nat_flow *flow)
{
    uint32_t id = (uint32_t)(flow - flows->flow);

    hash_remove(flows, flow, id);
    delist(flows, flow, id);
    flow->guest->flow_count--;
    flows->count--;

    flow->inside_next = flows->free;
    flows->free = id;
}

/* Take the oldest flow that may be taken from @list.  False: none may. */
static bool displace(struct nat_flows *flows, struct nat_list *list)
{
    for (int life = 0; life < NAT_KEPT; life++) {
        uint32_t id = list[life].first;

        if (id != NAT_NO_FLOW) {
            flows->flow[id].guest->displaced++;
            nat_flow_remove(flows, &flows->flow[id]);
            return true;
        }
    }
    return false;
}

static bool make_room(struct nat_flows *flows, struct nat_guest *guest)
{
    uint32_t share = flows->size / flows->guest_count;
    uint32_t reserve = flows->size / 8;

    if (guest->flow_count >= NAT_GUEST_FLOWS)
        return displace(flows, guest->list);
    if (guest->flow_count >= share && flows->size - flows->count <= reserve)
        return displace(flows, guest->list);
    if (flows->count < flows->size)
        return true;
    /* Below its share in a full table: others have more than theirs. */
    return displace(flows, guest->list) || displace(flows, flows->list);
}

struct nat_flow *nat_flow_add(struct nat_flows *flows, struct nat_guest *guest,
                              const struct nat_key *inside,
                              uint16_t uplink_port, enum nat_life life,
                              uint64_t now)
{
    struct nat_flow *flow;
    uint32_t id;

    if (!make_room(flows, guest)) {
        guest->refused++;
        return NULL;
    }

    id = take_free(flows);
    flow = &flows->flow[id];
    *flow = (struct nat_flow){
        .guest = guest,
        .stamp = now,
        .guest_address = inside->local_address,
        .remote_address = inside->remote_address,
        .guest_port = inside->local_port,
        .uplink_port = uplink_port,
        .remote_port = inside->remote_port,
        .proto = inside->proto,
        .life = (uint8_t)life,
    };
    hash_insert(flows, flow, id);
    enlist(flows, flow, id);
    guest->flow_count++;
    guest->opened++;
    flows->count++;
    return flow;
}

void nat_flow_touch(struct nat_flows *flows, struct nat_flow *flow,
                    enum nat_life life, uint64_t now)
{
    uint32_t id = (uint32_t)(flow - flows->flow);

    if (flow->life == life && now - flow->stamp < TOUCH_INTERVAL)
        return;

    delist(flows, flow, id);
    flow->life = (uint8_t)life;
    flow->stamp = now;
    enlist(flows, flow, id);
}

uint64_t nat_flows_deadline(const struct nat_flows *flows)
{
    uint64_t next = NAT_NEVER;

    for (int life = 0; life < NAT_LIVES; life++) {
        uint32_t id = flows->list[life].first;
        uint64_t due;

        if (id == NAT_NO_FLOW)
            continue;
        due = flows->flow[id].stamp + lifetime[life];
        if (due < next)
            next = due;
    }
    return next;
}

uint64_t nat_flows_expire(struct nat_flows *flows, uint64_t now)
{
    for (int life = 0; life < NAT_LIVES; life++) {
        uint32_t id;

        while ((id = flows->list[life].first) != NAT_NO_FLOW &&
               flows->flow[id].stamp + lifetime[life] <= now)
            nat_flow_remove(flows, &flows->flow[id]);
    }
    return nat_flows_deadline(flows);
}
