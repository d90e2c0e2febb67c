/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection of a network frontend to one backend: rings, the pages lent
 * to it, the event channel.  Who decides when there is one is netfront.c.
 */

#ifndef RT_NETFRONT_LINK_H
#define RT_NETFRONT_LINK_H

#include <abi/domid.h>
#include <abi/event_channel.h>

#include "netfront_ring.h"

struct netfront_link {
    domid_t backend;
    evtchn_port_t port;
    struct lent_page tx_page, rx_page; /* the rings */
    struct front_tx tx;
    struct front_rx rx;
};

/* Everything that is needed before the backend is told.  -ABI_ENOMEM, ... */
int netfront_link_open(struct netfront_link *link, domid_t backend,
                       void (*event)(void *arg), void *arg);

/* Take everything back; pages the backend holds on to are kept lent. */
void netfront_link_close(struct netfront_link *link);

/* Room for two more frames; false: there is no more to be had. */
bool netfront_link_more_tx(struct netfront_link *link);

/* Twice as many receive buffers, up to a limit. */
void netfront_link_more_rx(struct netfront_link *link);

/*
 * Give back the memory of all buffers that hold nothing.  They stay posted and
 * lent, and cost memory again when a frame comes.  A frame that comes at this
 * very moment may be lost.
 */
void netfront_link_rest(struct netfront_link *link);

#endif /* RT_NETFRONT_LINK_H */
