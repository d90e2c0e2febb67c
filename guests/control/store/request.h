/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of the wire protocol: one message in, one message out.
 */

#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include <abi/io/xs_wire.h>

#include "store/store.h"

struct store_message {
    struct xsd_sockmsg header;
    char payload[XENSTORE_PAYLOAD_MAX];
};

/*
 * Carry out the request @header, whose payload of @header->len bytes, at most
 * XENSTORE_PAYLOAD_MAX, is at @payload, for @client.  @reply must not be the
 * request.  Every request is answered.
 */
void store_request(struct store_client *client,
                   const struct xsd_sockmsg *header, const char *payload,
                   struct store_message *reply);

/* The oldest event of the client's watches; false: there is none. */
bool store_next_event(struct store_client *client,
                      struct store_message *message);

#endif /* STORE_REQUEST_H */
