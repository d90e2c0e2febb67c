/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network frontend: the guest's half of a virtual network interface.
 *
 * It follows its backend through the store, connects when the backend offers
 * itself, and starts again from the beginning when the backend goes away and
 * comes back.  Frames are copied into and out of pages that stay lent for the
 * life of a connection, so nothing that is parsed can change under the parser,
 * and no grant is made for a frame.
 *
 * Everything happens in the event loop's context.
 */

#ifndef RT_NETFRONT_H
#define RT_NETFRONT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rt/store.h>

struct netfront;

struct netfront_ops {
    /* The link came up or went down. */
    void (*link)(void *arg, bool up);
    /* A frame came; @data is valid during the call only. */
    void (*receive)(void *arg, const uint8_t *data, size_t size);
    /* All frames of this round were passed on. */
    void (*received_all)(void *arg);
    /* After a netfront_send() that found no room: there is room again. */
    void (*room)(void *arg);
};

#define NETFRONT_FRAME_MAX 1514U /* bytes, Ethernet header included */

/*
 * Serve device/vif/@index of the store.  -ABI_ENOMEM; -ABI_ENODEV: no store.
 * A vif that does not exist yet is waited for.
 */
int netfront_create(struct xs *xs, unsigned int index,
                    const struct netfront_ops *ops, void *arg,
                    struct netfront **front);

/*
 * A place for a frame of up to NETFRONT_FRAME_MAX bytes, to be filled and
 * given to netfront_send() before anything else; NULL: down, or no room.
 */
uint8_t *netfront_frame(struct netfront *front);

/* Send the frame that was put into the place netfront_frame() gave. */
void netfront_send(struct netfront *front, size_t size);

/* The address the store gives; valid once the link was up. */
const uint8_t *netfront_mac(const struct netfront *front);

/* Counters, for status pages. */
struct netfront_stats {
    uint64_t rx_frames, rx_bytes, rx_errors;
    uint64_t tx_frames, tx_bytes, tx_errors, tx_no_room;
    uint64_t connects; /* how often the link came up */
};
const struct netfront_stats *netfront_stats(struct netfront *front);

#endif /* RT_NETFRONT_H */
