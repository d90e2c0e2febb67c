/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cutting the store's byte stream into messages, and the names of its errors.
 *
 * A message is only as long as the protocol allows; a longer one means that
 * the other side has lost its way, and ends the conversation.
 */

#ifndef RT_XS_READER_H
#define RT_XS_READER_H

#include <stddef.h>
#include <stdint.h>

#include <abi/io/xs_wire.h>

#include <rt/store.h>

/* All zero is a reader at the start of a message. */
struct xs_reader {
    struct xsd_sockmsg header;
    size_t have;   /* bytes of header and payload read so far */
    char *payload; /* header.len bytes and a NUL, once the header is there */
};

/*
 * Take what @channel has for one message.
 *
 *   1            a whole message is in @reader; xs_reader_next() drops it
 *   0            more is needed
 *   -ABI_EINVAL  its length is not one of the protocol
 *   -ABI_ENOMEM
 */
int xs_reader_pull(struct xs_reader *reader, struct xs_channel *channel);

void xs_reader_next(struct xs_reader *reader);

/* The number behind a name like "ENOENT"; ABI_EIO if there is none. */
int xs_error_number(const char *name);

#endif /* RT_XS_READER_H */
