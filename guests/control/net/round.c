/* SPDX-License-Identifier: BSD-2-Clause */
/* Running rounds, and the guests' turns in them. */

#include "net/round.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <rt/event.h>
#include <rt/net.h>

#include "net/netback_rx.h"
#include "net/netback_tx.h"
#include "net/packet.h"
#include "net/router.h"
#include "net/uplink.h"
#include "net/vif.h"

/* A ring of vifs with something to send, the next in turn first. */
static struct {
    struct vif *first, *last;
} active;

static struct vif *dirty;

static void run_round(void *arg);
static struct rt_work work = {.fn = run_round};

void round_init(void)
{
    packet_pool_on_free(round_wake);
}

void round_wake(void)
{
    rt_work_queue(&work);
}

static void append(struct vif *vif)
{
    vif->active = true;
    vif->active_next = NULL;
    if (active.last == NULL)
        active.first = vif;
    else
        active.last->active_next = vif;
    active.last = vif;
}

static struct vif *take_first(void)
{
    struct vif *vif = active.first;

    active.first = vif->active_next;
    if (active.first == NULL)
        active.last = NULL;
    vif->active = false;
    return vif;
}

void round_activate(struct vif *vif)
{
    if (!vif->active)
        append(vif);
    round_wake();
}

void round_dirty(struct vif *vif)
{
    if (vif->dirty)
        return;
    vif->dirty = true;
    vif->dirty_next = dirty;
    dirty = vif;
}

void round_forget(struct vif *vif)
{
    struct vif *prev = NULL;

    /* Rare, so the chains are singly linked. */
    for (struct vif *at = active.first; at != NULL; at = at->active_next) {
        if (at == vif) {
            if (prev == NULL)
                active.first = vif->active_next;
            else
                prev->active_next = vif->active_next;
            if (active.last == vif)
                active.last = prev;
            break;
        }
        prev = at;
    }
    for (struct vif **at = &dirty; *at != NULL; at = &(*at)->dirty_next) {
        if (*at == vif) {
            *at = vif->dirty_next;
            break;
        }
    }
    vif->active = vif->dirty = false;
}

/* A guest broke its ring: it is not served any more, and sends no event. */
static void give_up(struct vif *vif)
{
    if (vif_may_log(vif))
        printf("net: vif%u.%u: its ring is broken, the interface is stopped\n",
               vif->domid, vif->handle);
    rt_port_mask(vif->evtchn);
    vif->tx.broken = vif->rx.broken = vif->stopped = true;
    rx_drop_queue(vif);
}

/* Who has nothing waiting may try: it is woken when there are packets again. */
static bool may_send(const struct vif *vif)
{
    return vif->uplink_queued == 0 ||
           vif->uplink_queued < packet_queue_limit(VIF_UPLINK_QUEUE_MAX);
}

/*
 * Give each active guest a turn, until the batch is full: whose turn it then is
 * has the first one of the next.  True: some of them got into it.
 */
static bool gather(void)
{
    struct vif *stop = active.last;
    bool some = false;

    while (active.first != NULL && tx_batch_has_room()) {
        struct vif *vif = take_first();
        enum tx_gathered result = TX_MORE;

        rx_resume(vif);
        if (may_send(vif)) {
            result = tx_gather(vif);
            some = some || result != TX_STARVED;
        }

        switch (result) {
        case TX_BROKEN:
            give_up(vif);
            break;
        case TX_DRY:
            if (vif->rx.broken)
                give_up(vif);
            else
                rt_port_unmask(vif->evtchn);
            break;
        case TX_MORE:
        case TX_NO_ROOM:
        case TX_STARVED:
            append(vif);
            break;
        }
        if (vif == stop || result == TX_NO_ROOM || result == TX_STARVED)
            break;
    }
    return some;
}

static void publish(void)
{
    while (dirty != NULL) {
        struct vif *vif = dirty;
        bool tx, rx;

        dirty = vif->dirty_next;
        vif->dirty = false;
        tx = tx_ring_publish(&vif->tx);
        rx = rx_ring_publish(&vif->rx);
        if (tx || rx)
            rt_port_notify(vif->evtchn);
    }
}

static void run_round(void *arg)
{
    bool some;

    (void)arg;
    uplink_receive();
    some = gather();
    tx_batch_run(router_from_guest);
    rx_flush();
    tx_batch_answer();
    router_flush();
    publish();
    net_activity();

    /*
     * Guests that only wait for the uplink or for memory do not count: they
     * are woken by it.
     */
    if (uplink_flush() || (some && active.first != NULL))
        round_wake();
}
