/* SPDX-License-Identifier: BSD-2-Clause */
/* A network frontend as an interface of lwIP. */

#include <rt/net.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include <rt/netfront.h>
#include <rt/store.h>

#include "lwip/etharp.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/priv/tcp_priv.h"
#include "netif/ethernet.h"

#define MTU 1500

enum address {
    ADDRESS_IP,
    ADDRESS_NETMASK,
    ADDRESS_GATEWAY,
    ADDRESS_COUNT,
};

static const char *const address_nodes[ADDRESS_COUNT] = {
    "ip",
    "netmask",
    "gateway",
};

struct vif {
    struct netif *netif;
    struct netfront *front;
    struct xs *xs;
    unsigned int index;
    ip4_addr_t address[ADDRESS_COUNT];
    unsigned int replies_missing;
    struct xs_watch *watch; /* on "ip" */
};

static err_t vif_output(struct netif *netif, struct pbuf *p)
{
    struct vif *vif = netif->state;
    uint8_t *frame;

    if (p->tot_len > NETFRONT_FRAME_MAX)
        return ERR_BUF;
    frame = netfront_frame(vif->front);
    if (!frame)
        return ERR_MEM;
    pbuf_copy_partial(p, frame, p->tot_len, 0);
    netfront_send(vif->front, p->tot_len);
    return ERR_OK;
}

static void vif_receive(void *arg, const uint8_t *data, size_t size)
{
    struct vif *vif = arg;
    struct pbuf *p = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_RAM);

    if (!p)
        return;
    memcpy(p->payload, data, size);
    if (vif->netif->input(p, vif->netif) != ERR_OK)
        pbuf_free(p);
}

static void vif_received_all(void *arg)
{
    (void)arg;
    net_activity();
}

/* TCP kept what it could not send; other protocols have lost it. */
static void vif_room(void *arg)
{
    (void)arg;
    tcp_txnow();
}

/* --- Address -------------------------------------------------------------- */

static void set_address(struct vif *vif)
{
    netif_set_addr(vif->netif, &vif->address[ADDRESS_IP],
                   &vif->address[ADDRESS_NETMASK],
                   &vif->address[ADDRESS_GATEWAY]);
    /* It will be needed with the first packet that comes. */
    if (netif_is_link_up(vif->netif) &&
        !ip4_addr_isany_val(vif->address[ADDRESS_GATEWAY]))
        etharp_request(vif->netif, &vif->address[ADDRESS_GATEWAY]);
}

static void have_address(struct vif *vif, enum address which, int rc,
                         const char *text)
{
    if (rc != 0 || !ip4addr_aton(text, &vif->address[which]))
        ip4_addr_set_zero(&vif->address[which]);
    if (--vif->replies_missing == 0)
        set_address(vif);
}

static void have_ip(void *arg, int rc, const char *data, size_t size)
{
    (void)size;
    have_address(arg, ADDRESS_IP, rc, data);
}

static void have_netmask(void *arg, int rc, const char *data, size_t size)
{
    (void)size;
    have_address(arg, ADDRESS_NETMASK, rc, data);
}

static void have_gateway(void *arg, int rc, const char *data, size_t size)
{
    (void)size;
    have_address(arg, ADDRESS_GATEWAY, rc, data);
}

static void node_path(const struct vif *vif, enum address which, char *path,
                      size_t size)
{
    sniprintf(path, size, "device/vif/%u/%s", vif->index, address_nodes[which]);
}

static void read_address(struct vif *vif)
{
    static const xs_reply_fn replies[ADDRESS_COUNT] = {
        have_ip,
        have_netmask,
        have_gateway,
    };
    char path[64];

    /* One that fails to be sent leaves the old address. */
    for (enum address i = 0; i < ADDRESS_COUNT; i++) {
        node_path(vif, i, path, sizeof(path));
        if (xs_read_async(vif->xs, path, replies[i], vif) == 0)
            vif->replies_missing++;
    }
}

static void address_changed(void *arg, const char *path)
{
    (void)path;
    read_address(arg);
}

static void vif_link(void *arg, bool up)
{
    struct vif *vif = arg;

    if (!up) {
        netif_set_link_down(vif->netif);
        /* The next backend's neighbours may be others. */
        etharp_cleanup_netif(vif->netif);
        return;
    }
    memcpy(vif->netif->hwaddr, netfront_mac(vif->front), ETH_HWADDR_LEN);
    netif_set_link_up(vif->netif);
    /* Says who we are, if there is an address already. */
    read_address(vif);
}

static err_t vif_init(struct netif *netif)
{
    netif->name[0] = 'v';
    netif->name[1] = 'i';
    netif->mtu = MTU;
    netif->hwaddr_len = ETH_HWADDR_LEN;
    netif->flags =
        NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = vif_output;
    return ERR_OK;
}

int net_vif_add(struct netif *netif, unsigned int index)
{
    static const struct netfront_ops ops = {
        .link = vif_link,
        .receive = vif_receive,
        .received_all = vif_received_all,
        .room = vif_room,
    };
    struct vif *vif;
    char path[64];
    int rc;

    if (!xs_default())
        return -ABI_ENODEV;
    vif = calloc(1, sizeof(*vif));
    if (!vif)
        return -ABI_ENOMEM;
    vif->netif = netif;
    vif->xs = xs_default();
    vif->index = index;
    netif_add(netif, NULL, NULL, NULL, vif, vif_init, ethernet_input);
    netif_set_default(netif);
    netif_set_up(netif);

    rc = netfront_create(vif->xs, index, &ops, vif, &vif->front);
    if (rc == 0) {
        node_path(vif, ADDRESS_IP, path, sizeof(path));
        rc = xs_watch_async(vif->xs, path, address_changed, vif, &vif->watch);
    }
    return rc;
}
