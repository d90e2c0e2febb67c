/* SPDX-License-Identifier: BSD-2-Clause */
/* Functions that lwIP calls at places of its own choosing. */

#ifndef RT_NET_HOOKS_H
#define RT_NET_HOOKS_H

#include "lwip/ip_addr.h"

/*
 * The first sequence number of a connection: a clock plus a keyed hash of its
 * addresses and ports, so that nobody else can tell it.
 */
u32_t net_first_sequence(const ip_addr_t *local_ip, u16_t local_port,
                         const ip_addr_t *remote_ip, u16_t remote_port);
#define LWIP_HOOK_TCP_ISN net_first_sequence

/* Before lwIP looks at an IP packet; 0: it goes on to do so. */
struct pbuf;
struct netif;
int net_ip4_input(struct pbuf *p, struct netif *netif);
#define LWIP_HOOK_IP4_INPUT net_ip4_input

#endif /* RT_NET_HOOKS_H */
