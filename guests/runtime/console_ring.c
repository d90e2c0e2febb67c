/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's side of a console ring; see console_ring.h. */

#include "console_ring.h"

void console_ring_init(struct console_ring *ring,
                       struct xencons_interface *page)
{
    ring->page = page;
    ring->out_prod = page->out_prod;
    ring->in_cons = page->in_cons;
}

size_t console_ring_put(struct console_ring *ring, const char *text,
                        size_t size)
{
    struct xencons_interface *page = ring->page;
    uint32_t cons = __atomic_load_n(&page->out_cons, __ATOMIC_ACQUIRE);
    uint32_t used = ring->out_prod - cons;
    size_t room = used <= XENCONS_OUT_BYTES ? XENCONS_OUT_BYTES - used : 0;
    size_t count = size < room ? size : room;

    for (size_t i = 0; i < count; i++)
        page->out[ring->out_prod++ % XENCONS_OUT_BYTES] = text[i];
    __atomic_store_n(&page->out_prod, ring->out_prod, __ATOMIC_RELEASE);
    return count;
}

size_t console_ring_get(struct console_ring *ring, char *text, size_t size)
{
    struct xencons_interface *page = ring->page;
    uint32_t prod = __atomic_load_n(&page->in_prod, __ATOMIC_ACQUIRE);
    uint32_t used = prod - ring->in_cons;
    size_t there = used <= XENCONS_IN_BYTES ? used : 0;
    size_t count = size < there ? size : there;

    for (size_t i = 0; i < count; i++)
        text[i] = page->in[ring->in_cons++ % XENCONS_IN_BYTES];
    __atomic_store_n(&page->in_cons, ring->in_cons, __ATOMIC_RELEASE);
    return count;
}
