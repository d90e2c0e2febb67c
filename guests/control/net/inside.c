/* SPDX-License-Identifier: BSD-2-Clause */
/* The router's inside port as an interface of lwIP. */

#include "net/inside.h"

#include <lwip/netif.h>
#include <netif/ethernet.h>

#include "net/packet.h"
#include "net/pbufs.h"
#include "net/round.h"
#include "net/router.h"

static struct netif inside;

static err_t link_output(struct netif *netif, struct pbuf *p)
{
    struct packet *packet = pbuf_to_packet(p);

    (void)netif;
    if (packet == NULL)
        return ERR_MEM;
    router_from_stack(packet);
    round_wake(); /* Deliveries are carried out at the end of a round. */
    return ERR_OK;
}

static err_t output(struct netif *netif, struct pbuf *p,
                    const ip4_addr_t *address)
{
    struct net_switch *sw = &router_get()->sw;
    const struct switch_port *to = switch_find_address(sw, ip_number(address));
    struct eth_addr src, dst;

    if (to == NULL)
        return ERR_RTE;
    memcpy(src.addr, sw->router_mac, ETH_ADDR_BYTES);
    memcpy(dst.addr, to->mac, ETH_ADDR_BYTES);
    return ethernet_output(netif, p, &src, &dst, ETHTYPE_IP);
}

static err_t init(struct netif *netif)
{
    netif->name[0] = 'i';
    netif->name[1] = 'n';
    netif->mtu = ETH_MTU;
    netif->hwaddr_len = ETH_ADDR_BYTES;
    memcpy(netif->hwaddr, router_get()->sw.router_mac, ETH_ADDR_BYTES);
    /* Without the ARP flag lwIP takes no IP packets from an Ethernet. */
    netif->flags = NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = output;
    netif->linkoutput = link_output;
    return ERR_OK;
}

void inside_open(void)
{
    const struct net_switch *sw = &router_get()->sw;
    ip4_addr_t address = ip_address(sw->router_address);
    ip4_addr_t netmask = ip_address(sw->netmask);
    ip4_addr_t none = ip_address(0);

    netif_add(&inside, &address, &netmask, &none, NULL, init, ethernet_input);
    netif_set_up(&inside);
}

void inside_input(const struct packet *packet)
{
    pbuf_feed(&inside, packet);
}
