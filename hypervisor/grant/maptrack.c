/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of handles. */

#include "grant/table.h"

#include "memory/frame.h"

static uint32_t index_size(const struct grant_table *t)
{
    uint32_t chunks = (t->maptrack_max + MAPTRACK_CHUNK - 1) / MAPTRACK_CHUNK;

    return chunks * (uint32_t)sizeof(struct maptrack *);
}

/* One more chunk, whose handles below the limit go on the free list. */
static bool grow(struct grant_table *t)
{
    uint32_t first = t->maptrack_chunks * MAPTRACK_CHUNK;
    struct maptrack *chunk;

    if (first >= t->maptrack_max)
        return false;
    if (!t->track && !(t->track = pool_alloc(index_size(t))))
        return false;
    chunk = pool_alloc(MAPTRACK_CHUNK * sizeof(*chunk));
    if (!chunk)
        return false;

    for (uint32_t i = MAPTRACK_CHUNK; i-- > 0;) {
        if (first + i >= t->maptrack_max)
            continue;
        chunk[i].next = t->maptrack_free;
        t->maptrack_free = first + i;
    }
    t->track[t->maptrack_chunks++] = chunk;
    return true;
}

grant_handle_t maptrack_alloc(struct grant_table *t, struct maptrack **track)
{
    grant_handle_t handle;

    SPIN_GUARD(&t->lock);
    if (t->closed || (unlikely(t->maptrack_free == NO_HANDLE) && !grow(t)))
        return NO_HANDLE;
    handle = t->maptrack_free;
    *track = maptrack_at(t, handle);
    t->maptrack_free = (*track)->next;
    t->maptrack_used++;
    (*track)->state = MAPTRACK_RESERVED;
    return handle;
}

void maptrack_free(struct grant_table *t, grant_handle_t handle,
                   struct maptrack *track)
{
    SPIN_GUARD(&t->lock);
    track->granter = NULL;
    track->state = MAPTRACK_FREE;
    track->next = t->maptrack_free;
    t->maptrack_free = handle;
    t->maptrack_used--;
}

void maptrack_release(struct grant_table *t)
{
    for (uint32_t i = 0; i < t->maptrack_chunks; i++)
        pool_free(t->track[i], MAPTRACK_CHUNK * sizeof(struct maptrack));
    pool_free(t->track, index_size(t));
}
