/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two rings of a network frontend, without store, grants or events.
 *
 * Backends are not trusted.  Our own indices are kept here and only published
 * in the shared page; theirs are read once, and must lie between what we have
 * seen and what we have asked for; a response is copied out before it is
 * looked at, and must answer a request that is under way.  Otherwise the ring
 * is broken: nothing is taken from it any more.
 *
 * Buffers stay lent to the backend for the whole life of a connection.  A
 * transmit buffer is half a page, and the id of a request is its buffer.  A
 * receive buffer is a page, and the id is the slot.
 */

#ifndef RT_NETFRONT_RING_H
#define RT_NETFRONT_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/grant_table.h>
#include <abi/io/netif.h>

#define TX_BUFFER_BYTES     2048U
#define TX_BUFFERS_PER_PAGE 2U
#define TX_BUFFERS_MAX      NETIF_TX_RING_SLOTS
#define TX_PAGES_MAX        (TX_BUFFERS_MAX / TX_BUFFERS_PER_PAGE)

/* More would only hold memory: the backend is woken when this is used up. */
#define RX_BUFFERS_MAX 128U

struct lent_page {
    uint8_t *va;
    grant_ref_t ref;
};

struct front_tx {
    struct netif_tx_ring *shared;
    uint32_t req_prod, published, rsp_cons;
    uint32_t page_count;
    struct lent_page pages[TX_PAGES_MAX];
    uint16_t free_ids[TX_BUFFERS_MAX]; /* a stack: warm ones first */
    uint32_t free_count;
    bool in_flight[TX_BUFFERS_MAX];
    bool broken;
    uint64_t errors;
};

struct front_rx {
    struct netif_rx_ring *shared;
    uint32_t req_prod, published, rsp_cons;
    uint32_t page_count;
    struct lent_page pages[RX_BUFFERS_MAX];
    uint8_t page_of_slot[NETIF_RX_RING_SLOTS];
    bool skipping; /* the rest of a packet that is too large for us */
    bool broken;
    uint64_t errors;
};

/* @shared is a page of our own; it is set to its initial state. */
void front_tx_init(struct front_tx *tx, struct netif_tx_ring *shared);
void front_rx_init(struct front_rx *rx, struct netif_rx_ring *shared);

/* Two more transmit buffers. */
void front_tx_add_page(struct front_tx *tx, struct lent_page page);

/* Take what the backend has finished with. */
void front_tx_reap(struct front_tx *tx);

/* Have an event when the backend finishes more; true: it has already. */
bool front_tx_ask_event(struct front_tx *tx);

/* The next free buffer; NULL: none. */
uint8_t *front_tx_buffer(struct front_tx *tx);

/* Queue that buffer with @size bytes in it. */
void front_tx_push(struct front_tx *tx, uint16_t size);

/* Show the backend what was queued; true: it wants an event. */
bool front_tx_publish(struct front_tx *tx);

/* No frame is under way. */
bool front_tx_idle(const struct front_tx *tx);

/* One more receive buffer, posted. */
void front_rx_add_page(struct front_rx *rx, struct lent_page page);

/* Receive buffers that the backend may fill. */
uint32_t front_rx_posted(const struct front_rx *rx);

/*
 * The next frame; false: there is none.  It lies in a lent page, where it may
 * change at any time, so it must be copied before it is looked at.  Its buffer
 * is posted again with front_rx_repost() before the next call.
 */
bool front_rx_next(struct front_rx *rx, const uint8_t **data, size_t *size);
void front_rx_repost(struct front_rx *rx);

/* Show the backend what was posted; true: it wants an event. */
bool front_rx_publish(struct front_rx *rx);

/* Have an event for the next frame; true: there is one already. */
bool front_rx_ask_event(struct front_rx *rx);

/* There is a frame that has not been taken. */
bool front_rx_waiting(const struct front_rx *rx);

#endif /* RT_NETFRONT_RING_H */
