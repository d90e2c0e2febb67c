/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control domain's own TCP/IP stack on the uplink: its address (DHCP or
 * fixed), ARP there, ICMP, and its own connections.
 *
 * Guests' packets do not pass through the stack; they only use its ARP table.
 */

#ifndef CONTROL_NET_UPLINK_STACK_H
#define CONTROL_NET_UPLINK_STACK_H

#include <stdint.h>

struct packet;
struct uplink_status;

/* See uplink_open().  NULL, or what is wrong with @how. */
const char *uplink_stack_open(const char *how);

void uplink_stack_input(const struct packet *packet);

/*
 * Write the Ethernet header for the next hop and send; if that hop's MAC is
 * not known, the packet waits in the stack while it is asked for.
 */
void uplink_stack_route(struct packet *packet, uint32_t destination);

void uplink_stack_status(struct uplink_status *status);

#endif /* CONTROL_NET_UPLINK_STACK_H */
