/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the network, and what others may know of it. */

#include "net/net.h"

#include <stdio.h>

#include <abi/errno.h>
#include <rt/net.h>
#include <rt/xenbus.h>

#include "net/inside.h"
#include "net/netback.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/router.h"
#include "net/uplink.h"
#include "net/vif.h"

int network_init(const char *uplink)
{
    const char *problem;

    net_init();
    round_init();
    if (!router_init(NETWORK_ROUTER, NETWORK_NETMASK))
        return -ABI_ENOMEM;

    problem = uplink_open(uplink);
    if (problem != NULL)
        printf("net: no uplink: %s\n", problem);
    inside_open();
    return netback_init();
}

/* --- Forwards ------------------------------------------------------------- */

int network_forward_add(uint8_t proto, uint16_t uplink_port,
                        uint32_t guest_address, uint16_t guest_port)
{
    return nat_forward_add(&router_get()->nat, proto, uplink_port,
                           guest_address, guest_port);
}

int network_forward_remove(uint8_t proto, uint16_t uplink_port)
{
    return nat_forward_remove(&router_get()->nat, proto, uplink_port);
}

struct forward_call {
    void (*fn)(void *arg, const struct network_forward_row *row);
    void *arg;
};

static void call_forward(void *arg, const struct nat_forward *forward)
{
    const struct forward_call *call = arg;
    struct network_forward_row row = {
        .proto = forward->proto,
        .uplink_port = forward->uplink_port,
        .guest_port = forward->guest_port,
        .guest_address = forward->guest_address,
        .opened = forward->opened,
    };

    call->fn(call->arg, &row);
}

void network_forward_each(void (*fn)(void *arg,
                                     const struct network_forward_row *row),
                          void *arg)
{
    struct forward_call call = {.fn = fn, .arg = arg};

    nat_forward_each(&router_get()->nat, call_forward, &call);
}

/* --- Interfaces ------------------------------------------------------------
 */

struct vif_call {
    void (*fn)(void *arg, const struct network_vif_row *row);
    void *arg;
};

static uint64_t switch_drops(const struct vif *vif)
{
    uint64_t sum = 0;

    for (int i = 0; i < SWITCH_DROP_REASONS; i++)
        sum += vif->port.drop[i];
    return sum;
}

static void call_vif(void *arg, const struct vif *vif, enum xenbus_state state)
{
    const struct vif_call *call = arg;
    struct network_vif_row row = {
        .domid = vif->domid,
        .handle = vif->handle,
        .address = vif->port.address,
        .state = xenbus_state_name(state),
        .stopped = vif->stopped,
        .tx_packets = vif->stats.tx_packets,
        .tx_bytes = vif->stats.tx_bytes,
        .tx_errors = vif->stats.tx_errors,
        .tx_dropped = switch_drops(vif),
        .rx_packets = vif->stats.rx_packets,
        .rx_bytes = vif->stats.rx_bytes,
        .rx_errors = vif->stats.rx_errors,
        .rx_dropped = vif->stats.rx_dropped,
        .rx_direct = vif->stats.direct,
        .flows = vif->nat.flow_count,
        .flows_max = NAT_GUEST_FLOWS,
        .flows_opened = vif->nat.opened,
        .flows_displaced = vif->nat.displaced,
        .flows_refused = vif->nat.refused,
    };

    memcpy(row.mac, vif->port.mac, ETH_ADDR_BYTES);
    call->fn(call->arg, &row);
}

void network_vif_each(void (*fn)(void *arg, const struct network_vif_row *row),
                      void *arg)
{
    struct vif_call call = {.fn = fn, .arg = arg};

    netback_each(call_vif, &call);
}

/* --- The whole --------------------------------------------------------------
 */

static void fill_drops(struct network_info *info, const struct router *router)
{
    const struct network_drop own[] = {
        {"uplink: damaged or cut short", router->uplink_malformed},
        {"uplink: not for us", router->uplink_foreign},
        {"blank checksum of an unknown kind", router->no_checksum},
        {"too large, and nothing to cut", router->uncuttable},
        {"no buffer for a part that was cut", router->no_buffer},
    };

    _Static_assert(NAT_DROP_REASONS + sizeof(own) / sizeof(own[0]) <=
                       NETWORK_DROPS_MAX,
                   "room for all");
    for (int i = 0; i < NAT_DROP_REASONS; i++)
        info->drop[i] = (struct network_drop){nat_drop_text((enum nat_drop)i),
                                              router->nat.drop[i]};
    memcpy(&info->drop[NAT_DROP_REASONS], own, sizeof(own));
    info->drop_count = NAT_DROP_REASONS + sizeof(own) / sizeof(own[0]);
}

static void fill_router(struct network_info *info)
{
    const struct router *router = router_get();

    memcpy(info->router_mac, router->sw.router_mac, ETH_ADDR_BYTES);
    info->router_address = router->sw.router_address;
    info->router_netmask = router->sw.netmask;
    info->flows = router->nat.flows.count;
    info->flows_max = router->nat.flows.size;
    info->forwards = router->nat.forward_count;
    info->forwards_max = NAT_FORWARDS_MAX;
    info->translated_out = router->nat.outward;
    info->translated_in = router->nat.inward;
    fill_drops(info, router);
}

void network_info(struct network_info *info)
{
    struct uplink_status uplink;

    uplink_status(&uplink);
    *info = (struct network_info){
        .uplink = uplink.present,
        .uplink_problem = uplink.problem,
        .uplink_address = uplink.address,
        .uplink_netmask = uplink.netmask,
        .uplink_gateway = uplink.gateway,
        .uplink_rx_packets = uplink.rx_packets,
        .uplink_rx_bytes = uplink.rx_bytes,
        .uplink_rx_dropped = uplink.rx_dropped,
        .uplink_tx_packets = uplink.tx_packets,
        .uplink_tx_bytes = uplink.tx_bytes,
        .uplink_tx_dropped = uplink.tx_dropped,
        .packets_used = packet_used_count(),
        .packets_max = PACKETS_MAX,
    };
    memcpy(info->uplink_mac, uplink.mac, ETH_ADDR_BYTES);
    fill_router(info);
}
