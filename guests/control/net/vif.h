/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's network interface, as its backend sees it.
 *
 * netback.c makes and connects them by what the store says; netback_tx.c
 * takes what the guest sends, netback_rx.c brings it what it gets; round.c
 * says when.  Everything runs in the control domain's one loop, so a vif is
 * never taken apart in the middle of a round.
 */

#ifndef CONTROL_NET_VIF_H
#define CONTROL_NET_VIF_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>
#include <abi/event_channel.h>
#include <rt/grant.h>
#include <rt/timer.h>

#include "net/nat_flow.h"
#include "net/netback_ring.h"
#include "net/switch.h"

struct packet;

/* Frames that may wait for a guest to post buffers; fewer when memory is. */
#define VIF_RX_QUEUE_MAX 64U

/* How long they wait before they are dropped: what Linux's backend takes. */
#define VIF_RX_PATIENCE_NS (10ULL * 1000000000ULL)

/* Frames of one guest that may wait for the uplink; then its ring waits. */
#define VIF_UPLINK_QUEUE_MAX 64U

struct vif_stats {
    uint64_t tx_packets, tx_bytes; /* from the guest */
    uint64_t tx_errors;            /* answered with an error */
    uint64_t rx_packets, rx_bytes; /* to the guest */
    uint64_t rx_errors;            /* its buffers could not be written */
    uint64_t rx_dropped;           /* it did not post buffers */
    uint64_t direct;               /* to it, from another guest's pages */
};

struct vif {
    domid_t domid;
    uint32_t handle;
    struct switch_port port;
    struct nat_guest nat;

    uint32_t logged; /* lines about it; see vif_may_log() */

    /* From here on valid while connected. */
    bool connected;
    bool stopped;           /* it broke a ring: not served any more */
    bool header_only;       /* its last frame went to another guest */
    bool front_no_checksum; /* cannot take blank checksums */
    bool front_gso;         /* takes TCP packets that are to be cut */
    evtchn_port_t evtchn;
    struct tx_ring tx;
    struct rx_ring rx;
    struct rt_grant_mapping rings; /* first tx, then rx */

    struct vif *active_next, *dirty_next; /* chains of round.c */
    bool active, dirty;

    struct packet *rx_first, *rx_last;
    uint32_t rx_queued;
    uint64_t rx_progress_ns; /* when it last took a frame */
    struct rt_timer rx_timer;

    uint32_t uplink_queued;
    struct vif_stats stats;
};

/* A guest that errs again and again fills no log. */
#define VIF_LOG_MAX 10U

static inline bool vif_may_log(struct vif *vif)
{
    return vif->logged < VIF_LOG_MAX && ++vif->logged != 0;
}

static inline struct vif *vif_of_port(struct switch_port *port)
{
    return (struct vif *)(void *)((char *)port - offsetof(struct vif, port));
}

static inline struct vif *vif_of_nat(struct nat_guest *nat)
{
    return (struct vif *)(void *)((char *)nat - offsetof(struct vif, nat));
}

#endif /* CONTROL_NET_VIF_H */
