/* SPDX-License-Identifier: BSD-2-Clause */
/* The domain's own store client: over the ring that the builder gave. */

#include <rt/store.h>

#include <rt/event.h>
#include <rt/start.h>

#include "internal.h"
#include "store_ring.h"

static struct xs *default_client;

static void notify(struct store_ring *ring)
{
    rt_port_notify(ring->port);
}

static void store_event(void *arg)
{
    struct store_ring *ring = arg;

    xs_channel_ready(&ring->channel);
}

static struct xs *open_ring(void)
{
    static struct store_ring ring;
    const struct start_info *si = rt_start_info;

    if (si->store_evtchn == 0 || si->store_mfn == 0)
        return NULL;
    store_ring_init(&ring, rt_frame_va(si->store_mfn));
    ring.port = si->store_evtchn;
    ring.notify = notify;
    if (rt_port_bind(ring.port, store_event, &ring) != 0)
        return NULL;
    return xs_open(&ring.channel);
}

struct xs *xs_default(void)
{
    if (!default_client)
        default_client = open_ring();
    return default_client;
}

void xs_set_default(struct xs *xs)
{
    default_client = xs;
}
