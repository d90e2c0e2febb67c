/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side of the store's ring page (abi/io/xs_wire.h).
 *
 * Our indices are kept here and only published in the page; the other side's
 * are read once a call.  A distance that cannot be means that the page cannot
 * be trusted any more: the channel is then broken for good.
 */

#ifndef RT_STORE_RING_H
#define RT_STORE_RING_H

#include <abi/event_channel.h>
#include <abi/io/xs_wire.h>

#include <rt/store.h>

struct store_ring {
    struct xs_channel channel; /* first: the ops find the ring by it */
    struct xenstore_domain_interface *page;
    uint32_t req_prod, rsp_cons;
    void (*notify)(struct store_ring *ring);
    evtchn_port_t port;
};

/* Take over the ring; replies that are still in it are nobody's. */
void store_ring_init(struct store_ring *ring,
                     struct xenstore_domain_interface *page);

#endif /* RT_STORE_RING_H */
