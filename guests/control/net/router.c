/* SPDX-License-Identifier: BSD-2-Clause */
/* Where packets go. */

#include "net/router.h"

#include <stddef.h>

#include <rt/time.h>
#include <rt/timer.h>

#include "net/checksum.h"
#include "net/dhcp.h"
#include "net/inside.h"
#include "net/netback_cut.h"
#include "net/netback_rx.h"
#include "net/netback_tx.h"
#include "net/packet.h"
#include "net/secret.h"
#include "net/uplink.h"
#include "net/vif.h"

static struct router router;

static void expire(void *arg);
static struct rt_timer timer = {.fn = expire};

static void arm(uint64_t deadline)
{
    if (deadline == NAT_NEVER)
        return;
    if (!rt_timer_armed(&timer) || deadline < timer.deadline_ns)
        rt_timer_arm(&timer, deadline);
}

static void expire(void *arg)
{
    (void)arg;
    arm(nat_expire(&router.nat, rt_now_ns()));
}

/* Only the first flow of each life is looked at, so this costs next to none. */
void router_flush(void)
{
    arm(nat_flows_deadline(&router.nat.flows));
}

bool router_init(uint32_t address, uint32_t netmask)
{
    struct siphash_key key = secret_key();
    uint64_t random = secret_random();

    /* Administered locally, for one receiver: the first byte ends in 10. */
    router.sw.router_mac[0] = 0x02;
    memcpy(router.sw.router_mac + 1, &random, ETH_ADDR_BYTES - 1);
    router.sw.router_address = address;
    router.sw.netmask = netmask;
    return nat_init(&router.nat, NAT_FLOWS_MAX, &key);
}

struct router *router_get(void)
{
    return &router;
}

void router_set_uplink_address(uint32_t address)
{
    nat_set_address(&router.nat, address);
    router.sw.uplink_address = address;
}

void router_set_dns(uint32_t address)
{
    router.dns = address;
}

/* The IPv4 packet in a frame that is wholly in memory. */
static bool view_packet(const struct packet *packet, struct ip4_view *view)
{
    return ip4_parse(view, packet->frame + ETH_HEADER_BYTES,
                     packet->here - (size_t)ETH_HEADER_BYTES,
                     packet->bytes - (size_t)ETH_HEADER_BYTES);
}

/* --- From guests ---------------------------------------------------------- */

static void drop_item(struct tx_item *item)
{
    packet_free(tx_item_take(item));
}

/*
 * Have the whole packet here, with a checksum that others can verify.  False:
 * it was dropped.
 */
static bool make_whole(struct tx_item *item, struct ip4_view *view)
{
    if (!tx_item_pull(item))
        return false;
    /*
     * The headers were copied once and are not read from the guest again, so
     * this view sees what the switch has decided on.
     */
    if (!view_packet(item->packet, view) ||
        (item->packet->checksum == CHECKSUM_BLANK &&
         !checksum_complete(view))) {
        router.no_checksum++;
        drop_item(item);
        return false;
    }
    item->packet->checksum = CHECKSUM_UNKNOWN;
    return true;
}

static void to_uplink(struct tx_item *item)
{
    struct vif *vif = item->vif;
    struct ip4_view view;

    if (!make_whole(item, &view))
        return;
    if (nat_outward(&router.nat, &vif->nat, &view, rt_now_ns()) ==
        NAT_TRANSLATED)
        uplink_route(tx_item_take(item), view.dst);
    else
        drop_item(item);
}

static void to_stack(struct tx_item *item)
{
    struct ip4_view view;

    if (!make_whole(item, &view))
        return;
    inside_input(item->packet);
    drop_item(item);
}

static void to_port(struct tx_item *item, struct switch_port *to,
                    const struct ip4_view *view)
{
    /* The receiver will look for the checksum where the headers say. */
    if (item->packet->checksum == CHECKSUM_BLANK &&
        (view->proto == PROTO_ICMP || !ip4_has_transport(view))) {
        router.no_checksum++;
        drop_item(item);
        return;
    }
    rx_deliver_item(vif_of_port(to), item);
}

/* --- What is to be cut -----------------------------------------------------
 */

static void part_to_uplink(struct tx_item *part, void *unused)
{
    (void)unused;
    to_uplink(part);
}

static void part_to_stack(struct tx_item *part, void *unused)
{
    (void)unused;
    to_stack(part);
}

static void part_to_port(struct tx_item *part, void *to)
{
    rx_deliver(to, tx_item_take(part));
}

static void cut(struct tx_item *item, const struct ip4_view *view,
                void (*each)(struct tx_item *part, void *arg), void *arg)
{
    router.no_buffer += tx_item_cut(item, view, each, arg);
}

/* Its packet stays with @item, as of a direct delivery. */
static void large_from_guest(struct tx_item *item, enum switch_verdict verdict,
                             struct switch_port *to,
                             const struct ip4_view *view)
{
    if (!tx_item_is_cuttable(item, view))
        router.uncuttable++;
    else if (verdict == SWITCH_TO_ROUTER)
        cut(item, view, part_to_uplink, NULL);
    else if (verdict == SWITCH_TO_STACK)
        cut(item, view, part_to_stack, NULL);
    else if (!rx_deliver_large(vif_of_port(to), item))
        cut(item, view, part_to_port, vif_of_port(to));
}

/* --- By the switch's verdict -----------------------------------------------
 */

/* The frame has been turned into an answer to its sender. */
static void answer(struct tx_item *item, uint16_t bytes)
{
    struct packet *packet = tx_item_take(item);

    packet->bytes = packet->here = bytes;
    packet->checksum = CHECKSUM_UNKNOWN;
    rx_deliver(item->vif, packet);
}

static void to_dhcp(struct tx_item *item)
{
    const struct dhcp_lease lease = {
        .client_mac = item->vif->port.mac,
        .server_mac = router.sw.router_mac,
        .address = item->vif->port.address,
        .server = router.sw.router_address,
        .netmask = router.sw.netmask,
        .dns = router.dns,
    };
    struct ip4_view view;
    size_t bytes;

    if (!make_whole(item, &view))
        return;
    bytes = dhcp_answer(item->packet->frame, &view, &lease);
    if (bytes)
        answer(item, (uint16_t)bytes);
    else
        drop_item(item);
}

void router_from_guest(struct tx_item *item)
{
    struct packet *packet = item->packet;
    struct switch_port *to = NULL;
    struct ip4_view view;
    enum switch_verdict verdict =
        switch_forward(&router.sw, &item->vif->port, packet->frame,
                       packet->here, packet->bytes, &to, &view);

    /* The next one will probably go the same way. */
    item->vif->header_only = verdict == SWITCH_TO_PORT;
    if (item->slots.gso_bytes != 0 &&
        (verdict == SWITCH_TO_PORT || verdict == SWITCH_TO_ROUTER ||
         verdict == SWITCH_TO_STACK)) {
        large_from_guest(item, verdict, to, &view);
        return;
    }

    switch (verdict) {
    case SWITCH_DROPPED:
        drop_item(item);
        break;
    case SWITCH_TO_PORT:
        to_port(item, to, &view);
        break;
    case SWITCH_TO_ROUTER:
        to_uplink(item);
        break;
    case SWITCH_TO_STACK:
        to_stack(item);
        break;
    case SWITCH_ANSWERED:
        answer(item, ETH_HEADER_BYTES + ARP_BYTES);
        break;
    case SWITCH_TO_DHCP:
        to_dhcp(item);
        break;
    }
}

/* --- From the uplink ------------------------------------------------------ */

static void stack_input(struct packet *packet)
{
    uplink_to_stack(packet);
    packet_free(packet);
}

static void foreign(struct packet *packet)
{
    router.uplink_foreign++;
    packet_free(packet);
}

static void to_guest(struct packet *packet, struct nat_guest *guest)
{
    struct vif *vif = vif_of_nat(guest);

    eth_header(packet->frame, vif->port.mac, router.sw.router_mac,
               ETH_TYPE_IP4);
    rx_deliver(vif, packet);
}

static void ip4_from_uplink(struct packet *packet)
{
    struct nat_guest *guest;
    struct ip4_view view;

    if (!view_packet(packet, &view)) {
        router.uplink_malformed++;
        packet_free(packet);
        return;
    }
    /* Inside addresses do not come from outside. */
    if (switch_is_inside(&router.sw, view.src) ||
        switch_is_inside(&router.sw, view.dst)) {
        foreign(packet);
        return;
    }

    switch (nat_inward(&router.nat, &view, rt_now_ns(), &guest)) {
    case NAT_TRANSLATED:
        to_guest(packet, guest);
        break;
    case NAT_DROPPED:
        packet_free(packet);
        break;
    case NAT_NOT_OURS:
        stack_input(packet);
        break;
    }
}

void router_from_uplink(struct packet *packet)
{
    const uint8_t *dst = packet->frame + ETH_DST;

    if (!eth_same(dst, uplink_mac()) && !eth_is_broadcast(dst)) {
        foreign(packet);
        return;
    }

    switch (wire_get16(packet->frame + ETH_TYPE)) {
    case ETH_TYPE_IP4:
        ip4_from_uplink(packet);
        break;
    case ETH_TYPE_ARP:
        stack_input(packet);
        break;
    default:
        foreign(packet);
        break;
    }
}

/* --- From the own stack --------------------------------------------------- */

void router_from_stack(struct packet *packet)
{
    struct switch_port *to =
        switch_find_mac(&router.sw, packet->frame + ETH_DST);

    if (to == NULL)
        packet_free(packet);
    else
        rx_deliver(vif_of_port(to), packet);
}
