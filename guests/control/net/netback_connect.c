/* SPDX-License-Identifier: BSD-2-Clause */
/* Connecting and disconnecting a vif. */

#include "net/netback_connect.h"

#include <stdio.h>

#include <rt/event.h>
#include <rt/store.h>

#include "net/netback_rx.h"
#include "net/round.h"
#include "net/router.h"
#include "net/uplink.h"
#include "net/vif.h"

/* The longest path that the store takes (XENSTORE_ABS_PATH_MAX). */
#define FRONT_PATH_BYTES 3072

#define RING_BYTES 4096

struct front_keys {
    uint64_t tx_ref, rx_ref, port;
    uint64_t rx_copy, no_checksum, sg, gso;
};

/* 0 where the node is missing or is no number up to @max. */
static uint64_t read_key(struct xs *xs, const char *front, const char *name,
                         uint64_t max)
{
    static char path[FRONT_PATH_BYTES];
    uint64_t number;

    if (snprintf(path, sizeof(path), "%s/%s", front, name) >=
            (int)sizeof(path) ||
        xs_read_number(xs, 0, path, max, &number) != 0)
        return 0;
    return number;
}

static const char *read_keys(struct xs *xs, const char *front,
                             struct front_keys *keys)
{
    *keys = (struct front_keys){
        .tx_ref = read_key(xs, front, "tx-ring-ref", UINT32_MAX),
        .rx_ref = read_key(xs, front, "rx-ring-ref", UINT32_MAX),
        .port = read_key(xs, front, "event-channel", UINT32_MAX),
        .rx_copy = read_key(xs, front, "request-rx-copy", 1),
        .no_checksum = read_key(xs, front, "feature-no-csum-offload", 1),
        .sg = read_key(xs, front, "feature-sg", 1),
        .gso = read_key(xs, front, "feature-gso-tcpv4", 1),
    };
    /* Neither port 0 nor reference 0 (the console's) can be meant. */
    if (keys->tx_ref == 0 || keys->rx_ref == 0)
        return "its frontend has no tx-ring-ref and rx-ring-ref";
    if (keys->port == 0)
        return "its frontend has no event-channel";
    if (keys->rx_copy != 1)
        return "its frontend does not take copies (request-rx-copy)";
    return NULL;
}

static void have_event(void *arg)
{
    struct vif *vif = arg;

    /* Masked until its rings are empty: events in between say nothing new. */
    rt_port_mask(vif->evtchn);
    round_activate(vif);
}

static void attach(struct vif *vif)
{
    tx_ring_attach(&vif->tx, vif->rings.va);
    rx_ring_attach(&vif->rx, (void *)((char *)vif->rings.va + RING_BYTES));
    vif->header_only = false;
    vif->stopped = false;
    vif->connected = true;
}

static const char *bind(struct vif *vif, const struct front_keys *keys)
{
    if (rt_port_bind_interdomain(vif->domid, (evtchn_port_t)keys->port,
                                 &vif->evtchn) != 0)
        return "its frontend's event-channel cannot be bound";
    attach(vif);
    if (rt_port_bind(vif->evtchn, have_event, vif) != 0) {
        vif->connected = false;
        rt_port_close(vif->evtchn);
        return "there is no memory for its event channel";
    }
    return NULL;
}

const char *netback_connect(struct xs *xs, struct vif *vif, const char *front)
{
    struct front_keys keys;
    const char *why = read_keys(xs, front, &keys);
    grant_ref_t refs[2];

    if (why != NULL)
        return why;
    refs[0] = (grant_ref_t)keys.tx_ref;
    refs[1] = (grant_ref_t)keys.rx_ref;
    vif->front_no_checksum = keys.no_checksum != 0;
    vif->front_gso = keys.sg && keys.gso && !keys.no_checksum;

    if (!nat_guest_add(&router_get()->nat, &vif->nat, vif->port.address))
        return "its ip is in use";
    if (rt_grant_map(vif->domid, refs, 2, true, &vif->rings) != 0) {
        nat_guest_remove(&router_get()->nat, &vif->nat);
        return "its rings cannot be mapped";
    }
    why = bind(vif, &keys);
    if (why != NULL) {
        rt_grant_unmap(&vif->rings);
        nat_guest_remove(&router_get()->nat, &vif->nat);
        return why;
    }

    /* The guest may have sent before we listened. */
    round_activate(vif);
    return NULL;
}

void netback_disconnect(struct vif *vif)
{
    if (!vif->connected)
        return;

    vif->connected = false;
    rt_port_close(vif->evtchn);
    rt_timer_cancel(&vif->rx_timer);
    round_forget(vif);
    uplink_forget(vif);
    rx_drop_queue(vif);
    nat_guest_remove(&router_get()->nat, &vif->nat);
    rt_grant_unmap(&vif->rings);
}
