/* SPDX-License-Identifier: BSD-2-Clause */
/* The uplink as an interface of lwIP, and how it gets its address. */

#include "net/uplink_stack.h"

#include <stdio.h>

#include <lwip/dhcp.h>
#include <lwip/dns.h>
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/prot/dhcp.h>
#include <netif/ethernet.h>
#include <rt/net.h>
#include <rt/time.h>
#include <rt/timer.h>

#include "config/net_text.h"
#include "net/pace.h"
#include "net/packet.h"
#include "net/pbufs.h"
#include "net/router.h"
#include "net/uplink.h"
#include "net/uplink_config.h"

/* A server that is there has answered long before. */
#define DHCP_PATIENCE_NS (10 * RT_NS_PER_S)

/*
 * How often a packet of guests takes the stack's own way, so that it notices
 * an entry of its ARP table in use and asks anew before the entry is too old
 * (it does so in the last 30 s of an entry's life).
 */
#define ARP_REFRESH_NS (10 * RT_NS_PER_S)

/*
 * New neighbours that guests may have asked for: who scans the network must
 * not fill it with questions, nor the table, from which the stack drops what
 * it knows before what it waits for.
 */
#define QUESTIONS_AT_ONCE  16U
#define QUESTIONS_A_SECOND 6U
#define QUESTION_SECONDS   6U /* until the stack gives one up */

static const struct pace_limit questions = {
    .every_ns = RT_NS_PER_S / QUESTIONS_A_SECOND,
    .at_once = QUESTIONS_AT_ONCE,
};

_Static_assert(QUESTIONS_AT_ONCE + QUESTIONS_A_SECOND * QUESTION_SECONDS <
                   ARP_TABLE_SIZE,
               "what is known keeps its place");

static struct netif uplink;
static struct uplink_config config;
static uint64_t refreshed_ns;
static struct pace asking;
static uint32_t asked; /* the last one */

/* --- The interface -------------------------------------------------------- */

static err_t link_output(struct netif *netif, struct pbuf *p)
{
    struct packet *packet = pbuf_to_packet(p);

    (void)netif;
    if (packet == NULL)
        return ERR_MEM;
    uplink_send(packet);
    return ERR_OK;
}

static err_t init(struct netif *netif)
{
    netif->name[0] = 'u';
    netif->name[1] = 'p';
    netif->mtu = ETH_MTU;
    netif->hwaddr_len = ETH_ADDR_BYTES;
    memcpy(netif->hwaddr, uplink_mac(), ETH_ADDR_BYTES);
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
                   NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->linkoutput = link_output;
    return ERR_OK;
}

void uplink_stack_input(const struct packet *packet)
{
    pbuf_feed(&uplink, packet);
}

/* --- The address ---------------------------------------------------------- */

/* lwIP calls this after every change of address or state. */
static void status_changed(struct netif *netif)
{
    static uint32_t told;
    uint32_t address = ip_number(netif_ip4_addr(netif));
    char text[IPV4_TEXT_BYTES], gateway[IPV4_TEXT_BYTES];

    if (address == told)
        return;
    told = address;
    router_set_uplink_address(address);
    router_set_dns(ip_number(ip_2_ip4(dns_getserver(0))));
    ipv4_format(address, text);
    ipv4_format(ip_number(netif_ip4_gw(netif)), gateway);
    if (address == 0)
        printf("net: the uplink has lost its address\n");
    else
        printf("net: the uplink has address %s, gateway %s\n", text, gateway);
}

static void take_fixed(void)
{
    ip4_addr_t address = ip_address(config.address);
    ip4_addr_t netmask = ip_address(config.netmask);
    ip4_addr_t gateway = ip_address(config.gateway);

    netif_set_addr(&uplink, &address, &netmask, &gateway);
}

static void dhcp_late(void *arg)
{
    (void)arg;
    if (ip_number(netif_ip4_addr(&uplink)) != 0)
        return;
    if (!config.fixed) {
        printf("net: no DHCP server has answered yet; still asking\n");
        return;
    }
    printf("net: no DHCP server has answered\n");
    dhcp_release_and_stop(&uplink);
    take_fixed();
}

static const struct dhcp *dhcp_state(void)
{
    return netif_dhcp_data(&uplink);
}

/* The fine timer repeats requests; a lease that is held needs none. */
static bool fine_needed(void)
{
    const struct dhcp *dhcp = dhcp_state();

    return dhcp != NULL && dhcp->state != DHCP_STATE_OFF &&
           dhcp->state != DHCP_STATE_BOUND;
}

/* The coarse one counts the lease down, once a minute. */
static bool coarse_needed(void)
{
    const struct dhcp *dhcp = dhcp_state();

    return dhcp != NULL && dhcp->state != DHCP_STATE_OFF;
}

static void start_dhcp(void)
{
    static struct net_cyclic fine = {
        .interval_ms = DHCP_FINE_TIMER_MSECS,
        .tick = dhcp_fine_tmr,
        .needed = fine_needed,
    };
    static struct net_cyclic coarse = {
        .interval_ms = DHCP_COARSE_TIMER_MSECS,
        .tick = dhcp_coarse_tmr,
        .needed = coarse_needed,
    };
    static struct rt_timer late = {.fn = dhcp_late};

    net_cyclic_add(&fine);
    net_cyclic_add(&coarse);
    rt_timer_arm(&late, rt_now_ns() + DHCP_PATIENCE_NS);
    dhcp_start(&uplink);
}

const char *uplink_stack_open(const char *how)
{
    const char *wrong = uplink_config_parse(&config, how);
    ip4_addr_t none = ip_address(0);

    netif_add(&uplink, &none, &none, &none, NULL, init, ethernet_input);
    netif_set_default(&uplink);
    netif_set_status_callback(&uplink, status_changed);
    netif_set_up(&uplink);
    if (wrong != NULL)
        return wrong;

    if (config.dhcp)
        start_dhcp();
    else
        take_fixed();
    return NULL;
}

/* --- Guests' packets ------------------------------------------------------ */

/* By way of the stack, which asks for the MAC and keeps the packet. */
static void route_slowly(struct packet *packet, const ip4_addr_t *hop)
{
    uint16_t bytes = (uint16_t)(packet->bytes - ETH_HEADER_BYTES);
    struct pbuf *p = pbuf_alloc(PBUF_LINK, bytes, PBUF_RAM);

    if (p != NULL) {
        pbuf_take(p, packet->frame + ETH_HEADER_BYTES, bytes);
        etharp_output(&uplink, p, hop);
        pbuf_free(p);
    }
    packet_free(packet);
}

/* The gateway may always be asked for, as may who was the last time. */
static bool may_ask(const ip4_addr_t *hop, uint64_t now)
{
    bool may = hop->addr == netif_ip4_gw(&uplink)->addr || hop->addr == asked ||
               pace_take(&asking, &questions, now);

    if (may)
        asked = hop->addr;
    return may;
}

void uplink_stack_route(struct packet *packet, uint32_t destination)
{
    uint32_t own = ip_number(netif_ip4_addr(&uplink));
    uint32_t netmask = ip_number(netif_ip4_netmask(&uplink));
    ip4_addr_t hop = ip_address(destination);
    const ip4_addr_t *entry_address;
    struct eth_addr *mac;
    uint64_t now = rt_now_ns();
    bool known;

    if (((destination ^ own) & netmask) != 0)
        hop = *netif_ip4_gw(&uplink);

    known = etharp_find_addr(&uplink, &hop, &mac, &entry_address) >= 0;
    if (!known && !may_ask(&hop, now)) {
        packet_free(packet);
        return;
    }
    if (!known || now - refreshed_ns >= ARP_REFRESH_NS) {
        refreshed_ns = now;
        route_slowly(packet, &hop);
        return;
    }
    eth_header(packet->frame, mac->addr, uplink_mac(), ETH_TYPE_IP4);
    uplink_send(packet);
}

void uplink_stack_status(struct uplink_status *status)
{
    if (!status->present)
        return;
    status->address = ip_number(netif_ip4_addr(&uplink));
    status->netmask = ip_number(netif_ip4_netmask(&uplink));
    status->gateway = ip_number(netif_ip4_gw(&uplink));
    status->configured = status->address != 0;
}
