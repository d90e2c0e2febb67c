/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests send: taken from their rings in batches.
 *
 * A batch holds packets of several guests.  Their bytes are copied in by one
 * hypercall: the whole packet if the guest's last one went to the uplink, or
 * the headers only if it went to another guest, whose buffers then get the
 * rest straight from the sender's pages (netback_rx.h).  What is decided on is
 * always our copy of the headers, and it is that copy which is delivered.
 */

#ifndef CONTROL_NET_NETBACK_TX_H
#define CONTROL_NET_NETBACK_TX_H

#include <stdbool.h>
#include <stdint.h>

#include "net/netback_ring.h"

struct copy_end;
struct packet;
struct vif;

/*
 * Frames of a batch, all guests together, and of one guest at a time.  A packet
 * that is to be cut counts as what it will be; the last one is taken whole.
 */
#define TX_BATCH_MAX  64U
#define TX_GUEST_TURN 16U

/* Of a packet that is to be cut, all headers are copied: none longer than so.
 */
#define TX_GSO_LOOK_BYTES (ETH_HEADER_BYTES + 60U + 60U)

struct tx_item {
    struct vif *vif;
    struct packet *packet; /* NULL: handed on, or refused from the start */
    struct tx_packet slots;
    uint32_t first_op, op_count;
};

enum tx_gathered {
    TX_DRY,     /* the ring is empty and will tell when it is not */
    TX_MORE,    /* the guest has had its turn */
    TX_NO_ROOM, /* the batch is full */
    TX_STARVED, /* there are no packet buffers */
    TX_BROKEN,  /* by the guest, for good */
};

/* A place in an item's bytes, and the slot that has it. */
struct tx_cursor {
    const struct tx_item *item;
    uint32_t at, slot_start;
    uint8_t slot;
};

struct tx_cursor tx_cursor_at(const struct tx_item *item, uint32_t at);

/*
 * Up to @most bytes from there on that lie in one page, whose place is *from;
 * the cursor is then behind them.  0: there are no more.
 */
uint16_t tx_cursor_take(struct tx_cursor *cursor, uint32_t most,
                        struct copy_end *from);

/* There is room for another packet. */
bool tx_batch_has_room(void);

/* Take up to TX_GUEST_TURN frames of @vif into the batch. */
enum tx_gathered tx_gather(struct vif *vif);

/* Copy their bytes, then let @fn decide on each that came in whole. */
void tx_batch_run(void (*fn)(struct tx_item *item));

/*
 * Inside @fn: have the whole packet in memory.  False: its pages could not be
 * read; it will be answered with an error.
 */
bool tx_item_pull(struct tx_item *item);

/* Inside @fn: the packet is not needed any more, or is now somebody else's. */
struct packet *tx_item_take(struct tx_item *item);

/*
 * Answer all packets of the batch; nothing of their pages is in use any more.
 * The guests still have to be told: see round.c.
 */
void tx_batch_answer(void);

#endif /* CONTROL_NET_NETBACK_TX_H */
