/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP for the control domain: its own address on the uplink (by DHCP, ARP
 * and ping there), the router's address inside, and connections of its own.
 *
 * It forwards nothing: guests' packets pass through net/router.c and never
 * come here.  Objects come from the heap as they are needed.
 */

#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* In the runtime's event loop: see rt/net.h. */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS          1
#define LWIP_TIMERS_CUSTOM   1
#define LWIP_NETCONN         0
#define LWIP_SOCKET          0

#define LWIP_IPV4     1
#define LWIP_IPV6     0
#define LWIP_ARP      1
#define LWIP_ICMP     1
#define LWIP_TCP      1
#define LWIP_UDP      1
#define LWIP_RAW      0
#define LWIP_DHCP     1
#define LWIP_AUTOIP   0
#define LWIP_DNS      1 /* only to keep what DHCP says of servers */
#define IP_FORWARD    0
#define IP_REASSEMBLY 0
#define IP_FRAG       0
#define LWIP_STATS    0

/* The router is told of its address on the uplink. */
#define LWIP_NETIF_STATUS_CALLBACK 1

/* An offer is taken without asking around first whether it is free. */
#define DHCP_DOES_ARP_CHECK 0

#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT   8

/*
 * Guests can make the stack ask for any neighbour on the uplink: room for many,
 * so that the gateway's entry outlives a scan; a few packets wait for each.
 */
#define ARP_TABLE_SIZE     64
#define ARP_QUEUEING       1
#define ARP_QUEUE_LEN      64
#define MEMP_NUM_ARP_QUEUE 512

#define TCP_MSS             1460
#define TCP_WND             (16 * TCP_MSS)
#define TCP_SND_BUF         (16 * TCP_MSS)
#define TCP_SND_QUEUELEN    64
#define MEMP_NUM_TCP_SEG    256
#define TCP_QUEUE_OOSEQ     1
#define TCP_OOSEQ_MAX_BYTES TCP_WND
#define TCP_OOSEQ_MAX_PBUFS 16

#define TCP_LISTEN_BACKLOG         1
#define TCP_DEFAULT_LISTEN_BACKLOG 128

#define LWIP_CHECKSUM_ON_COPY 1

#endif /* LWIPOPTS_H */
