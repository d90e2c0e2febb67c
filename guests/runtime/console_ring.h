/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's side of a console ring (abi/io/console.h).
 *
 * The other side may write anything into the page.  Our own indices are kept
 * here and only published there; its indices are read once a call, and a
 * distance that cannot be counts as "full" for output and "empty" for input.
 */

#ifndef RT_CONSOLE_RING_H
#define RT_CONSOLE_RING_H

#include <stddef.h>
#include <stdint.h>

#include <abi/io/console.h>

struct console_ring {
    struct xencons_interface *page;
    uint32_t out_prod, in_cons;
};

/* Take over a ring, at the indices it has now. */
void console_ring_init(struct console_ring *ring,
                       struct xencons_interface *page);

/* How much of @text fitted; publishes it. */
size_t console_ring_put(struct console_ring *ring, const char *text,
                        size_t size);

/* How much was there, at most @size; publishes the consumption. */
size_t console_ring_get(struct console_ring *ring, char *text, size_t size);

#endif /* RT_CONSOLE_RING_H */
