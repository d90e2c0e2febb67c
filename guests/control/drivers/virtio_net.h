/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A virtio network card (virtio 1.1, section 5.1): whole frames in single
 * buffers, one receive and one transmit queue, an interrupt for each.
 *
 * No offload is negotiated, so every frame is complete, and nothing that the
 * card says about a frame has to be believed.
 */

#ifndef CONTROL_DRIVERS_VIRTIO_NET_H
#define CONTROL_DRIVERS_VIRTIO_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/wire.h"

struct packet;

struct virtio_net_stats {
    uint64_t rx_packets, rx_bytes;
    uint64_t rx_dropped; /* no memory, or a size that cannot be */
    uint64_t tx_packets, tx_bytes;
};

/*
 * Take over the first card that is assigned to us; @wake is called when it
 * has work.  NULL, or why there is none.
 */
const char *virtio_net_open(void (*wake)(void));

const uint8_t *virtio_net_mac(void);
const struct virtio_net_stats *virtio_net_stats(void);

/* The next frame that came in; NULL: none. */
struct packet *virtio_net_receive(void);

/* False: the card's queue is full; the packet stays the caller's. */
bool virtio_net_send(struct packet *packet);

/* Free what was sent. */
void virtio_net_reclaim(void);

/*
 * The end of a round: tell the card of new packets and buffers, and have it
 * interrupt for received frames and, if @room, once half of what it has to
 * send is sent.  True: there is something already.
 */
bool virtio_net_flush(bool room);

#endif /* CONTROL_DRIVERS_VIRTIO_NET_H */
