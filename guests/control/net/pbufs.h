/* SPDX-License-Identifier: BSD-2-Clause */
/* Between our packets and lwIP's. */

#ifndef CONTROL_NET_PBUFS_H
#define CONTROL_NET_PBUFS_H

#include <stdint.h>

struct netif;
struct packet;
struct pbuf;

/* Copy a frame into the stack, as come in through @netif. */
void pbuf_feed(struct netif *netif, const struct packet *packet);

/* Copy what the stack sends; NULL: too long, or no buffer is free. */
struct packet *pbuf_to_packet(const struct pbuf *p);

/* Host-order numbers for lwIP's addresses. */
struct ip4_addr;
uint32_t ip_number(const struct ip4_addr *address);
struct ip4_addr ip_address(uint32_t number);

#endif /* CONTROL_NET_PBUFS_H */
