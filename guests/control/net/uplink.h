/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The uplink: the network card, the frames that wait for it, and the address
 * that the control domain has there.
 */

#ifndef CONTROL_NET_UPLINK_H
#define CONTROL_NET_UPLINK_H

#include <stdbool.h>
#include <stdint.h>

struct packet;
struct vif;

/*
 * Find the card, and start getting an address as @how says: "dhcp"; or
 * "ADDRESS/BITS,GATEWAY"; or "dhcp,ADDRESS/BITS,GATEWAY", which takes that
 * address if no server has answered in time.  NULL is "dhcp".  NULL, or why
 * there is no uplink; the system then runs without one.
 */
const char *uplink_open(const char *how);

/* A card was found. */
bool uplink_present(void);
const uint8_t *uplink_mac(void);

/* Send a whole frame, which is ours now; it waits if the card is busy. */
void uplink_send(struct packet *packet);

/* Send an IPv4 packet, whose Ethernet header is still to be written. */
void uplink_route(struct packet *packet, uint32_t destination);

/* A frame for the control domain's own stack; it stays the caller's. */
void uplink_to_stack(const struct packet *packet);

/* The beginning of a round: take in what came, up to a limit. */
void uplink_receive(void);

/*
 * The end of a round.  True: frames have come in, or what others wait for has
 * been sent, and no interrupt will tell.
 */
bool uplink_flush(void);

/* The guest goes; what it has sent does not name it any more. */
void uplink_forget(struct vif *vif);

struct uplink_status {
    bool present, configured;
    const char *problem; /* why it is not present */
    uint8_t mac[6];
    uint32_t address, netmask, gateway;
    uint64_t rx_packets, rx_bytes, rx_dropped;
    uint64_t tx_packets, tx_bytes, tx_dropped;
};
void uplink_status(struct uplink_status *status);

#endif /* CONTROL_NET_UPLINK_H */
