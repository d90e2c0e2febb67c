/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's ring as a channel; see store_ring.h. */

#include "store_ring.h"

#include <string.h>

static struct store_ring *ring_of(struct xs_channel *channel)
{
    return (struct store_ring *)channel;
}

static size_t min(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t ring_send(struct xs_channel *channel, const void *data,
                        size_t size)
{
    struct store_ring *ring = ring_of(channel);
    uint32_t cons = __atomic_load_n(&ring->page->req_cons, __ATOMIC_ACQUIRE);
    uint32_t used = ring->req_prod - cons;
    size_t at, count, first;

    if (used > XENSTORE_RING_BYTES)
        channel->broken = true;
    if (channel->broken)
        return 0;

    at = ring->req_prod % XENSTORE_RING_BYTES;
    count = min(size, XENSTORE_RING_BYTES - used);
    first = min(count, XENSTORE_RING_BYTES - at);
    memcpy(ring->page->req + at, data, first);
    memcpy(ring->page->req, (const char *)data + first, count - first);
    ring->req_prod += (uint32_t)count;
    __atomic_store_n(&ring->page->req_prod, ring->req_prod, __ATOMIC_RELEASE);
    return count;
}

static size_t ring_receive(struct xs_channel *channel, void *data, size_t size)
{
    struct store_ring *ring = ring_of(channel);
    uint32_t prod = __atomic_load_n(&ring->page->rsp_prod, __ATOMIC_ACQUIRE);
    uint32_t there = prod - ring->rsp_cons;
    size_t at, count, first;

    if (there > XENSTORE_RING_BYTES)
        channel->broken = true;
    if (channel->broken)
        return 0;

    at = ring->rsp_cons % XENSTORE_RING_BYTES;
    count = min(size, there);
    first = min(count, XENSTORE_RING_BYTES - at);
    memcpy(data, ring->page->rsp + at, first);
    memcpy((char *)data + first, ring->page->rsp, count - first);
    ring->rsp_cons += (uint32_t)count;
    __atomic_store_n(&ring->page->rsp_cons, ring->rsp_cons, __ATOMIC_RELEASE);
    return count;
}

static void ring_notify(struct xs_channel *channel)
{
    struct store_ring *ring = ring_of(channel);

    ring->notify(ring);
}

static const struct xs_channel_ops ring_ops = {
    .send = ring_send,
    .receive = ring_receive,
    .notify = ring_notify,
};

void store_ring_init(struct store_ring *ring,
                     struct xenstore_domain_interface *page)
{
    ring->channel = (struct xs_channel){.ops = &ring_ops};
    ring->page = page;
    ring->req_prod = page->req_prod;
    ring->rsp_cons = page->rsp_prod;
    __atomic_store_n(&page->rsp_cons, ring->rsp_cons, __ATOMIC_RELEASE);
}
