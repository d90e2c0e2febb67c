/* SPDX-License-Identifier: MIT */
/*
 * The page two halves of a split driver share: producer indices, then slots
 * that hold a request or its response.
 *
 * Indices run freely in 32 bits; a slot is index modulo the slot count, a
 * power of two.  After publishing a producer index from old to new, notify
 * the other side if its event index lies in (old, new].  A consumer that ran
 * dry sets its event index to cons + 1, then looks once more.
 */

#ifndef ABI_IO_RING_H
#define ABI_IO_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_HEADER_BYTES 64

struct ring_header {
    uint32_t req_prod;
    uint32_t req_event;
    uint32_t rsp_prod;
    uint32_t rsp_event;
    uint8_t pad[RING_HEADER_BYTES - 16];
};

/* 1 if a producer that went from @old to @new must notify, given @event. */
static inline int ring_must_notify(uint32_t new_prod, uint32_t old_prod,
                                   uint32_t event)
{
    return (uint32_t)(new_prod - event) < (uint32_t)(new_prod - old_prod);
}

_Static_assert(sizeof(struct ring_header) == RING_HEADER_BYTES, "ABI");

#endif /* ABI_IO_RING_H */
