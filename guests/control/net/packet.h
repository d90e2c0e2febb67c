/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet buffers: one pool for everything that is between a guest and the
 * wire.
 *
 * A frame lies in half a page, with room for a device's header before it, so
 * it can be the one buffer of its way: what a guest sends is copied into it
 * and the network card reads it there; what the card writes is copied from it
 * to a guest.  Pages are pinned once and stay so.  The pool grows up to its
 * limit and never shrinks.
 */

#ifndef CONTROL_NET_PACKET_H
#define CONTROL_NET_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "net/wire.h"

struct vif;

/* Half a page: a header of up to 64 bytes, then the frame. */
#define PACKET_BYTES    2048U
#define PACKET_HEADROOM 64U
#define PACKET_ROOM     (PACKET_BYTES - PACKET_HEADROOM)

_Static_assert(ETH_FRAME_MAX <= PACKET_ROOM, "a frame fits");

/*
 * 8 MiB.  Twice the card's rings of 256, and 64 frames in flight for each of
 * 50 busy guests; all guests together get less each when it runs low.
 */
#define PACKETS_MAX 4096U

/* What is known about a frame's TCP or UDP checksum. */
enum packet_checksum {
    CHECKSUM_UNKNOWN,   /* whoever receives it verifies it */
    CHECKSUM_VALIDATED, /* came from a guest on this machine, unharmed */
    CHECKSUM_BLANK,     /* not computed yet */
};

struct packet {
    struct packet *next;
    struct vif *from; /* guest it came from, or NULL */
    uint8_t *frame;
    uint64_t maddr;    /* of the frame; 0: no device can reach it */
    uint64_t page_gfn; /* where the frame is, as grant copies name it */
    uint16_t page_offset;
    uint16_t bytes;   /* of the frame */
    uint16_t here;    /* of those, already in the buffer */
    uint8_t checksum; /* enum packet_checksum */
};

/*
 * Pages are for devices, too, from now on; called before the first packet is
 * allocated, if at all.
 */
void packet_pool_pin(void);

/*
 * NULL: there is none.  Then @more is called, once, when one was freed; see
 * packet_pool_on_free().
 */
struct packet *packet_alloc(void);
void packet_free(struct packet *packet);
void packet_pool_on_free(void (*more)(void));

/* How many could be allocated now. */
uint32_t packet_free_count(void);

/*
 * How many one guest may have waiting somewhere, at most @max: a part of the
 * free ones, so that many guests that stall at the same time leave each other,
 * and the rest, enough.
 */
uint32_t packet_queue_limit(uint32_t max);
uint32_t packet_used_count(void);

#endif /* CONTROL_NET_PACKET_H */
