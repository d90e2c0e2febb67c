/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One guest's connection: its ring page, and a client of the store behind it.
 *
 * The guest writes the page as it likes.  Each index is read once a pass and
 * checked; what the store has taken in or not yet handed out is in the store's
 * own memory.  A guest that breaks the protocol is not served any more, until
 * it is introduced again.  A guest that sends without fetching its answers
 * fills its ring and waits: nothing more is taken from it.
 */

#ifndef STORE_RING_H
#define STORE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <abi/io/xs_wire.h>

#include "store/store.h"

/* Values of xenstore_domain_interface.error. */
enum ring_error {
    RING_ERROR_NONE,
    RING_ERROR_COMMUNICATION,
    RING_ERROR_INDEX,
    RING_ERROR_PROTOCOL,
};

/* A message on its way out. */
struct ring_output;
TAILQ_HEAD(ring_output_list, ring_output);

struct ring {
    struct store_client client;
    struct xenstore_domain_interface *page;
    enum ring_error error; /* not RING_ERROR_NONE: not served */

    struct xsd_sockmsg in_header;
    char *in_payload; /* allocated once the header is complete */
    size_t in_bytes;  /* of header and payload that have come */

    struct ring_output_list output;
    uint32_t output_count;
    size_t output_bytes;
    size_t output_sent; /* bytes of the first that are in the ring */
};

struct ring_pass {
    bool notify; /* indices have moved: the guest wants to know */
    bool again;  /* there is more to do, but others come first */
};

/* Serve domain @domid over @page, which is reset. */
void ring_open(struct ring *ring, struct store *store, domid_t domid,
               struct xenstore_domain_interface *page,
               void (*wake)(struct store_client *));

/* Drop all that is waiting, and the client's watches and transactions. */
void ring_close(struct ring *ring);

/* Take in, carry out and answer at most @budget requests. */
struct ring_pass ring_serve(struct ring *ring, unsigned int budget);

#endif /* STORE_RING_H */
