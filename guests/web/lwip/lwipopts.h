/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP for the web guest: IPv4, TCP, ARP, and ping.
 *
 * All objects come from the heap as they are needed, so an idle guest has
 * touched next to nothing.  What strangers can make it use is bounded by the
 * limits on connections here and in the server.
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

#define LWIP_IPV4         1
#define LWIP_IPV6         0
#define LWIP_ARP          1
#define LWIP_ICMP         1
#define LWIP_TCP          1
#define LWIP_UDP          0
#define LWIP_RAW          0
#define LWIP_DHCP         0
#define LWIP_DNS          0
#define IP_REASSEMBLY     0
#define IP_FRAG           0
#define LWIP_SINGLE_NETIF 1
#define LWIP_STATS        0

#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT   8

/*
 * A request fits into one segment, an answer into a few: a window of four
 * segments, and eight that may wait for their acknowledgement.
 */
#define TCP_MSS             1460
#define TCP_WND             (4 * TCP_MSS)
#define TCP_SND_BUF         (8 * TCP_MSS)
#define TCP_SND_QUEUELEN    32
#define MEMP_NUM_TCP_SEG    64
#define TCP_QUEUE_OOSEQ     1
#define TCP_OOSEQ_MAX_BYTES TCP_WND
#define TCP_OOSEQ_MAX_PBUFS 8

/*
 * Frames that wait for a neighbour's address: when the gateway's has run out,
 * a burst of first packets must not be lost.
 */
#define ARP_QUEUEING  1
#define ARP_QUEUE_LEN 128

/* Connections that are not accepted yet. */
#define TCP_LISTEN_BACKLOG         1
#define TCP_DEFAULT_LISTEN_BACKLOG 128

/*
 * TIME-WAIT for ten seconds in all: there is no path through which a segment
 * could come later than that, and no timer need tick after it.
 */
#define TCP_MSL 5000UL

#define LWIP_CHECKSUM_ON_COPY 1

#endif /* LWIPOPTS_H */
