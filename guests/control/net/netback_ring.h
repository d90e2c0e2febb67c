/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The backend's ends of the two netif rings.
 *
 * The pages are shared with a guest that may be hostile: every slot is copied
 * out once and checked in the copy, indices are bounded, and what the protocol
 * cannot express (more requests than slots, promised slots that are missing, a
 * fragment beyond its page, extra information of no type) breaks the queue for
 * good: nothing more is read from it or written to it.  A packet that is
 * merely wrong is answered with an error.
 *
 * Request and response share a slot, so a response is written only where the
 * request was consumed before; the indices kept here say where that is.
 */

#ifndef CONTROL_NET_NETBACK_RING_H
#define CONTROL_NET_NETBACK_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/io/netif.h>

#include "net/wire.h"

/* Slots of one packet that are tolerated, and those that are still carried. */
#define TX_SLOTS_FATAL (NETIF_NR_SLOTS_MIN + 3)
#define TX_SLOTS_MAX   NETIF_NR_SLOTS_MIN

/* Each type of extra information once. */
#define TX_EXTRAS_MAX (NETIF_EXTRA_TYPE_MAX - 1)

/*
 * A TCP packet to be cut: the data of each part.  At least what every host
 * takes (RFC 9293: 536) less its options, so that a packet has 128 parts at
 * most; and no more than fits into a frame.
 */
#define TX_GSO_MIN 512U
#define TX_GSO_MAX (ETH_MTU - IP4_HEADER_BYTES - TCP_HEADER_BYTES)

struct tx_ring {
    struct netif_tx_ring *page;
    uint32_t req_cons;
    uint32_t rsp_prod;      /* written */
    uint32_t rsp_published; /* and told */
    bool broken;
};

struct rx_ring {
    struct netif_rx_ring *page;
    uint32_t req_cons;
    uint32_t rsp_prod;
    uint32_t rsp_published;
    bool broken;
};

/* One packet of a guest, as its slots describe it. */
struct tx_packet {
    uint16_t bytes;     /* of the whole packet */
    uint16_t flags;     /* NETTXF_* of the first slot */
    uint16_t gso_bytes; /* TCP data of each part that it is cut into, or 0 */
    int16_t status;     /* NETIF_RSP_*: what it will be answered with */
    uint8_t slot_count; /* without extras; all of them are answered */
    uint8_t extra_count;
    uint16_t id[TX_SLOTS_FATAL];
    struct { /* slots that carry data: the first slot's own bytes first */
        grant_ref_t ref;
        uint16_t offset, bytes;
    } part[TX_SLOTS_MAX];
};

enum ring_take {
    RING_EMPTY,
    RING_TAKEN,
    RING_BROKEN,
};

/*
 * Start over: both rings as a fresh frontend has made them.  A ring page that
 * is in use already is resumed behind its published responses.
 */
void tx_ring_attach(struct tx_ring *ring, struct netif_tx_ring *page);
void rx_ring_attach(struct rx_ring *ring, struct netif_rx_ring *page);

/*
 * Take one packet.  Its status is NETIF_RSP_OKAY, or NETIF_RSP_ERROR if it is
 * to be answered without being looked at.
 */
enum ring_take tx_ring_take(struct tx_ring *ring, struct tx_packet *packet);

/*
 * After RING_EMPTY: ask to be told of the next request.  True: one came in
 * the meantime, so look again.
 */
bool tx_ring_wait(struct tx_ring *ring);

/* Write the responses of a packet whose pages are not in use any more. */
void tx_ring_answer(struct tx_ring *ring, const struct tx_packet *packet);

/* Show the responses written so far.  True: the guest is to be notified. */
bool tx_ring_publish(struct tx_ring *ring);

/* Take one posted buffer; each one taken is answered, in order. */
enum ring_take rx_ring_take(struct rx_ring *ring,
                            struct netif_rx_request *request);
bool rx_ring_wait(struct rx_ring *ring);
/* So many can be taken, and each with RING_TAKEN. */
bool rx_ring_has(const struct rx_ring *ring, uint32_t count);
void rx_ring_answer(struct rx_ring *ring,
                    const struct netif_rx_response *response);
/* The same with extra information, which belongs to the response before. */
void rx_ring_answer_gso(struct rx_ring *ring, uint16_t gso_bytes);
bool rx_ring_publish(struct rx_ring *ring);

#endif /* CONTROL_NET_NETBACK_RING_H */
