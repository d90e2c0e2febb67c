/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain's network: guests' interfaces, the switch between them,
 * and the routed uplink.  This header is all that the rest of the control
 * domain needs.
 *
 * Interfaces come and go with their nodes in the store, backend/vif/...; see
 * net/netback.h.  Errors are negative numbers of abi/errno.h.
 */

#ifndef CONTROL_NET_NET_H
#define CONTROL_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

/*
 * The inside network, where this domain is the router.  Guests' interfaces
 * get their addresses by the "ip" node of their backend directory.
 */
#define NETWORK_ROUTER  0x0a400001U /* 10.64.0.1 */
#define NETWORK_NETMASK 0xffff0000U

/* What a protocol is called here: the numbers of the IPv4 header. */
#define NETWORK_TCP 6U
#define NETWORK_UDP 17U

/*
 * Start everything: call once, from a thread, when the store serves.  @uplink
 * is the command line's "uplink=", or NULL; see net/uplink.h.  Without a card
 * guests still reach each other and the router; a line on the console says
 * why.  -ABI_ENOMEM; or what the store answered.
 */
int network_init(const char *uplink);

/*
 * Forward a port of the uplink to a guest's address, which need not be in use
 * yet.  -ABI_EINVAL, -ABI_EEXIST, -ABI_ENOSPC, -ABI_ENOMEM: see net/nat.h.
 */
int network_forward_add(uint8_t proto, uint16_t uplink_port,
                        uint32_t guest_address, uint16_t guest_port);
/* -ABI_ENOENT: it was not forwarded. */
int network_forward_remove(uint8_t proto, uint16_t uplink_port);

struct network_forward_row {
    uint8_t proto;
    uint16_t uplink_port, guest_port;
    uint32_t guest_address;
    uint64_t opened; /* connections so far */
};
void network_forward_each(void (*fn)(void *arg,
                                     const struct network_forward_row *row),
                          void *arg);

/* A row of `network-list`: packets as the guest sees them. */
struct network_vif_row {
    domid_t domid;
    uint32_t handle;
    uint8_t mac[6];
    uint32_t address;
    const char *state; /* of the backend, as xenbus calls it */
    bool stopped;      /* the guest broke its ring */
    uint64_t tx_packets, tx_bytes, tx_errors;
    uint64_t tx_dropped; /* by the switch: spoofed, to nobody, ... */
    uint64_t rx_packets, rx_bytes, rx_errors;
    uint64_t rx_dropped; /* it posted no buffers */
    uint64_t rx_direct;  /* copied straight from another guest */
    uint32_t flows, flows_max;
    uint64_t flows_opened, flows_displaced, flows_refused;
};
void network_vif_each(void (*fn)(void *arg, const struct network_vif_row *row),
                      void *arg);

/* Why packets were dropped by the router, for `info`. */
struct network_drop {
    const char *reason;
    uint64_t count;
};
#define NETWORK_DROPS_MAX 32U

struct network_info {
    bool uplink;                /* there is a card */
    const char *uplink_problem; /* why not; NULL if there is */
    uint8_t uplink_mac[6];
    uint32_t uplink_address, uplink_netmask, uplink_gateway; /* 0: none yet */
    uint64_t uplink_rx_packets, uplink_rx_bytes, uplink_rx_dropped;
    uint64_t uplink_tx_packets, uplink_tx_bytes, uplink_tx_dropped;
    uint8_t router_mac[6];
    uint32_t router_address, router_netmask;
    uint32_t flows, flows_max;
    uint32_t forwards, forwards_max;
    uint64_t translated_out, translated_in;
    uint32_t packets_used, packets_max; /* buffers */
    uint32_t drop_count;
    struct network_drop drop[NETWORK_DROPS_MAX];
};
void network_info(struct network_info *info);

#endif /* CONTROL_NET_NET_H */
