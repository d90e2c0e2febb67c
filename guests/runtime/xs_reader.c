/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages out of a byte stream; see xs_reader.h. */

#include "xs_reader.h"

#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

/* Read up to the byte @end of the message; true once it is there. */
static bool pull_to(struct xs_reader *reader, struct xs_channel *channel,
                    char *at, size_t end)
{
    while (reader->have < end) {
        size_t got = channel->ops->receive(channel, at, end - reader->have);

        if (got == 0)
            return false;
        at += got;
        reader->have += got;
    }
    return true;
}

int xs_reader_pull(struct xs_reader *reader, struct xs_channel *channel)
{
    const size_t header_size = sizeof(reader->header);

    if (reader->have < header_size &&
        !pull_to(reader, channel, (char *)&reader->header + reader->have,
                 header_size))
        return 0;
    if (reader->header.len > XENSTORE_PAYLOAD_MAX)
        return -ABI_EINVAL;
    if (!reader->payload) {
        reader->payload = malloc(reader->header.len + 1);
        if (!reader->payload)
            return -ABI_ENOMEM;
    }
    if (!pull_to(reader, channel,
                 reader->payload + (reader->have - header_size),
                 header_size + reader->header.len))
        return 0;
    reader->payload[reader->header.len] = '\0';
    return 1;
}

void xs_reader_next(struct xs_reader *reader)
{
    free(reader->payload);
    *reader = (struct xs_reader){.have = 0};
}

int xs_error_number(const char *name)
{
    static const struct {
        const char *name;
        int number;
    } errors[] = {
#define ERRNO(name, number, text) {#name, number},
#include <abi/errno.def>
#undef ERRNO
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(name, errors[i].name) == 0)
            return errors[i].number;
    return ABI_EIO;
}
