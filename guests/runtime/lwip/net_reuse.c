/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection may be opened anew while its ports are in TIME-WAIT (RFC 1122,
 * 4.2.2.13): a client that uses its port again within the time would get no
 * answer that it heeds, and its SYN would be repeated for up to a minute.
 *
 * lwIP answers such a SYN as part of the old connection.  So it is looked at
 * before lwIP does: if it lies behind all that the old connection received,
 * that one is forgotten, and the SYN meets the listener.
 */

#include "lwip/ip4.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "net_hooks.h"

#define TCP_FLAGS_THAT_COUNT (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)

/* The TCP header, if it and that of IP are there; lwIP checks the rest. */
static const struct tcp_hdr *tcp_header(const struct pbuf *p)
{
    const struct ip_hdr *ip = p->payload;

    if (p->len < IP_HLEN + TCP_HLEN || IPH_PROTO(ip) != IP_PROTO_TCP ||
        (IPH_OFFSET(ip) & PP_HTONS(IP_OFFMASK)) != 0 ||
        IPH_HL_BYTES(ip) + TCP_HLEN > p->len)
        return NULL;

    return (const struct tcp_hdr *)((const char *)ip + IPH_HL_BYTES(ip));
}

static struct tcp_pcb *find_waiting(const struct ip_hdr *ip,
                                    const struct tcp_hdr *tcp)
{
    struct tcp_pcb *pcb = tcp_tw_pcbs;

    while (pcb && (pcb->remote_port != lwip_ntohs(tcp->src) ||
                   pcb->local_port != lwip_ntohs(tcp->dest) ||
                   ip_2_ip4(&pcb->remote_ip)->addr != ip->src.addr ||
                   ip_2_ip4(&pcb->local_ip)->addr != ip->dest.addr))
        pcb = pcb->next;

    return pcb;
}

int net_ip4_input(struct pbuf *p, struct netif *netif)
{
    const struct tcp_hdr *tcp = tcp_header(p);
    struct tcp_pcb *pcb;

    (void)netif;
    if (!tcp || (TCPH_FLAGS(tcp) & TCP_FLAGS_THAT_COUNT) != TCP_SYN)
        return 0;
    pcb = find_waiting(p->payload, tcp);
    if (pcb && TCP_SEQ_GT(lwip_ntohl(tcp->seqno), pcb->rcv_nxt)) {
        tcp_pcb_remove(&tcp_tw_pcbs, pcb);
        tcp_free(pcb);
    }

    return 0;
}
