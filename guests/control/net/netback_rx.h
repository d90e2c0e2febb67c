/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests get: copied into the buffers that they have posted.
 *
 * A frame is at most 1514 bytes and a buffer a page, so each frame takes one
 * slot; several, one behind the other, are only for what the guest takes uncut
 * (netback_cut.h).  If none is posted, frames wait in a queue that is bounded
 * in number, in time, and by what is left of the pool: a guest that posts
 * nothing holds nothing for long.
 */

#ifndef CONTROL_NET_NETBACK_RX_H
#define CONTROL_NET_NETBACK_RX_H

#include <stdbool.h>

struct packet;
struct tx_item;
struct vif;

/* Deliver a packet that is wholly in memory; it is ours now. */
void rx_deliver(struct vif *to, struct packet *packet);

/*
 * Deliver a guest's packet that may be in its pages still.  The item keeps
 * its packet until tx_batch_answer().
 */
void rx_deliver_item(struct vif *to, struct tx_item *item);

/*
 * Deliver a packet that is to be cut as it is, over several buffers.  False:
 * @to takes none such, or not now.
 */
bool rx_deliver_large(struct vif *to, const struct tx_item *item);

/* Buffers may have been posted: deliver what waits. */
void rx_resume(struct vif *vif);

/* Carry out the deliveries that were begun. */
void rx_flush(void);

/* Drop what waits. */
void rx_drop_queue(struct vif *vif);

#endif /* CONTROL_NET_NETBACK_RX_H */
