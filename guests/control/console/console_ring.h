/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host's side of a guest's console ring.  The guest writes the page as it
 * likes: indices are read once, and a distance no ring can have means that
 * there is nothing to take, or no room.
 */

#ifndef CONSOLE_CONSOLE_RING_H
#define CONSOLE_CONSOLE_RING_H

#include <stddef.h>

#include <abi/io/console.h>

/* Take what the guest printed, at most XENCONS_OUT_BYTES. */
size_t console_ring_take(struct xencons_interface *page,
                         char out[XENCONS_OUT_BYTES]);

/* Give typed text to the guest; returns how much found room. */
size_t console_ring_type(struct xencons_interface *page, const char *text,
                         size_t size);

#endif /* CONSOLE_CONSOLE_RING_H */
