/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP packets larger than a frame: a guest leaves it to its backend to cut them
 * (feature-gso-tcpv4).  They pass whole to a guest that takes such; for others,
 * and for the uplink, they are cut here.
 *
 * Only headers are decided on and changed, in our copy of them; data goes from
 * the sender's pages straight into the parts.
 */

#ifndef CONTROL_NET_NETBACK_CUT_H
#define CONTROL_NET_NETBACK_CUT_H

#include <stdbool.h>
#include <stdint.h>

struct ip4_view;
struct tx_item;

/*
 * @view is of the item's packet, which is to be cut: it is TCP, nothing is
 * behind its data, and all its headers are in memory.
 */
bool tx_item_is_cuttable(const struct tx_item *item,
                         const struct ip4_view *view);

/*
 * Cut one that is.  @each gets the parts in turn as items of their own, whole
 * and with a blank checksum, and takes or drops each.  Without packet buffers
 * the rest is lost, as on a wire; that many parts are returned.  What could not
 * be read is answered with an error.
 */
uint32_t tx_item_cut(struct tx_item *item, const struct ip4_view *view,
                     void (*each)(struct tx_item *part, void *arg), void *arg);

#endif /* CONTROL_NET_NETBACK_CUT_H */
