/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router: decides where each packet goes, between the guests (by the
 * switch), the uplink (by the NAT), and the control domain's own stack.
 *
 * Copies of a packet's bytes, on each way:
 *
 *   card to guest    1   the card's buffer -> the guest's
 *   guest to card    1   the guest's page -> the buffer the card reads
 *   guest to guest   1   page to page, and 128 bytes of headers twice
 *   own stack       +1   into or out of lwIP's buffers
 */

#ifndef CONTROL_NET_ROUTER_H
#define CONTROL_NET_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nat.h"
#include "net/switch.h"

struct packet;
struct tx_item;

struct router {
    struct net_switch sw;
    struct nat nat;
    uint32_t dns;              /* for guests; 0: none known */
    uint64_t uplink_malformed; /* frames from the uplink that make no sense */
    uint64_t uplink_foreign;   /* ... that are not for us */
    uint64_t no_checksum;      /* blank, but nothing to compute it for */
    uint64_t uncuttable;       /* to be cut, but no TCP data */
    uint64_t no_buffer;        /* parts for which there was no packet buffer */
};

/* False: out of memory. */
bool router_init(uint32_t address, uint32_t netmask);

/* For looking; changes go through the functions below. */
struct router *router_get(void);

/* The uplink has this address now; 0: none. */
void router_set_uplink_address(uint32_t address);
void router_set_dns(uint32_t address);

/* Decide on one packet of a batch: see tx_batch_run(). */
void router_from_guest(struct tx_item *item);

/* A frame came in from the card; it is ours now. */
void router_from_uplink(struct packet *packet);

/* A frame from the own stack to a guest; it is ours now. */
void router_from_stack(struct packet *packet);

/* At the end of a round: see that forgotten flows end in time. */
void router_flush(void);

#endif /* CONTROL_NET_ROUTER_H */
