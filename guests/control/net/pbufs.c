/* SPDX-License-Identifier: BSD-2-Clause */
/* Copying between packets and pbufs; only the control domain's own traffic. */

#include "net/pbufs.h"

#include <lwip/netif.h>
#include <lwip/pbuf.h>

#include "net/packet.h"

void pbuf_feed(struct netif *netif, const struct packet *packet)
{
    struct pbuf *p = pbuf_alloc(PBUF_RAW, packet->bytes, PBUF_POOL);

    if (p == NULL)
        return; /* As if the wire had lost it. */
    pbuf_take(p, packet->frame, packet->bytes);
    if (netif->input(p, netif) != ERR_OK)
        pbuf_free(p);
}

struct packet *pbuf_to_packet(const struct pbuf *p)
{
    struct packet *packet;

    if (p->tot_len > ETH_FRAME_MAX || p->tot_len < ETH_HEADER_BYTES)
        return NULL;
    packet = packet_alloc();
    if (packet == NULL)
        return NULL;

    pbuf_copy_partial(p, packet->frame, p->tot_len, 0);
    packet->bytes = packet->here = p->tot_len;
    return packet;
}

uint32_t ip_number(const struct ip4_addr *address)
{
    return lwip_ntohl(address->addr);
}

struct ip4_addr ip_address(uint32_t number)
{
    return (struct ip4_addr){.addr = lwip_htonl(number)};
}
