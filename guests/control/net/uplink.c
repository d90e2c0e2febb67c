/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames to and from the card. */

#include "net/uplink.h"

#include <stddef.h>

#include "drivers/virtio_net.h"
#include "net/packet.h"
#include "net/round.h"
#include "net/router.h"
#include "net/uplink_stack.h"
#include "net/vif.h"

/* Frames taken from the card in one round: guests get their turn between. */
#define RECEIVE_TURN 64U

/*
 * Our own stack's frames that may wait for the card; each guest's are limited
 * by VIF_UPLINK_QUEUE_MAX, and its ring then waits.
 */
#define OWN_QUEUE_MAX 256U

static struct {
    struct packet *first, *last; /* wait for the card */
    uint32_t own_queued;
    bool present;
    const char *problem;
    uint64_t tx_dropped;
} uplink;

const char *uplink_open(const char *how)
{
    uplink.problem = virtio_net_open(round_wake);
    if (uplink.problem != NULL)
        return uplink.problem;

    uplink.present = true;
    uplink.problem = uplink_stack_open(how);
    return uplink.problem;
}

bool uplink_present(void)
{
    return uplink.present;
}

const uint8_t *uplink_mac(void)
{
    return virtio_net_mac();
}

void uplink_to_stack(const struct packet *packet)
{
    uplink_stack_input(packet);
}

static bool may_wait(const struct packet *packet)
{
    if (packet->from == NULL)
        return uplink.own_queued < OWN_QUEUE_MAX;
    return true; /* Its ring waits before it has too many. */
}

static void count_waiting(const struct packet *packet, int change)
{
    if (packet->from == NULL)
        uplink.own_queued += (uint32_t)change;
    else
        packet->from->uplink_queued += (uint32_t)change;
}

void uplink_send(struct packet *packet)
{
    if (!uplink.present || (uplink.first != NULL && !may_wait(packet))) {
        uplink.tx_dropped++;
        packet_free(packet);
        return;
    }
    /* In order, behind those that wait. */
    if (uplink.first == NULL && virtio_net_send(packet)) {
        round_wake(); /* The card is told at the end of a round. */
        return;
    }

    packet->next = NULL;
    if (uplink.first == NULL)
        uplink.first = packet;
    else
        uplink.last->next = packet;
    uplink.last = packet;
    count_waiting(packet, 1);
}

static void send_waiting(void)
{
    while (uplink.first != NULL) {
        struct packet *packet = uplink.first, *next = packet->next;
        struct vif *from = packet->from;

        /* The count first: once sent, the packet is not ours. */
        count_waiting(packet, -1);
        if (!virtio_net_send(packet)) {
            count_waiting(packet, 1);
            return;
        }
        uplink.first = next;
        if (from != NULL && from->uplink_queued == VIF_UPLINK_QUEUE_MAX / 2)
            round_wake(); /* It may go on. */
    }
}

void uplink_route(struct packet *packet, uint32_t destination)
{
    if (!uplink.present) {
        packet_free(packet);
        return;
    }
    uplink_stack_route(packet, destination);
}

void uplink_receive(void)
{
    struct packet *packet;

    if (!uplink.present)
        return;

    virtio_net_reclaim();
    send_waiting();
    for (uint32_t i = 0; i < RECEIVE_TURN; i++) {
        packet = virtio_net_receive();
        if (packet == NULL)
            return;
        router_from_uplink(packet);
    }
}

bool uplink_flush(void)
{
    if (!uplink.present)
        return false;
    virtio_net_reclaim();
    send_waiting();
    /* Somebody waits for what the card still holds. */
    return virtio_net_flush(uplink.first != NULL || packet_free_count() == 0);
}

void uplink_forget(struct vif *vif)
{
    for (struct packet *p = uplink.first; p != NULL; p = p->next) {
        if (p->from == vif) {
            count_waiting(p, -1);
            p->from = NULL;
            count_waiting(p, 1);
        }
    }
}

void uplink_status(struct uplink_status *status)
{
    const struct virtio_net_stats *stats = virtio_net_stats();

    *status = (struct uplink_status){
        .present = uplink.present,
        .problem = uplink.problem,
        .rx_packets = stats->rx_packets,
        .rx_bytes = stats->rx_bytes,
        .rx_dropped = stats->rx_dropped,
        .tx_packets = stats->tx_packets,
        .tx_bytes = stats->tx_bytes,
        .tx_dropped = uplink.tx_dropped,
    };
    memcpy(status->mac, virtio_net_mac(), ETH_ADDR_BYTES);
    uplink_stack_status(status);
}
