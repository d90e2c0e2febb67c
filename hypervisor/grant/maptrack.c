/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of handles. */

#include "grant/table.h"

#include "memory/frame.h"

static uint32_t index_size(const struct grant_table *t)
{
    uint32_t chunks = (t->maptrack_max + MAPTRACK_CHUNK - 1) / MAPTRACK_CHUNK;

    return chunks * (uint32_t)sizeof(struct maptrack *);
}

bool maptrack_grow(struct grant_table *t)
{
    uint32_t first = t->maptrack_chunks * MAPTRACK_CHUNK;
    struct maptrack *chunk;

    if (t->closed || first >= t->maptrack_max)
        return false;
    if (!t->track && !(t->track = pool_alloc(index_size(t))))
        return false;
    chunk = pool_alloc(MAPTRACK_CHUNK * sizeof(*chunk));
    if (!chunk)
        return false;

    for (uint32_t i = MIN(MAPTRACK_CHUNK, t->maptrack_max - first); i-- > 0;) {
        chunk[i].handle = first + i;
        chunk[i].next = t->maptrack_free;
        t->maptrack_free = &chunk[i];
    }
    t->track[t->maptrack_chunks++] = chunk;
    return true;
}

void maptrack_release(struct grant_table *t)
{
    for (uint32_t i = 0; i < t->maptrack_chunks; i++)
        pool_free(t->track[i], MAPTRACK_CHUNK * sizeof(struct maptrack));
    pool_free(t->track, index_size(t));
}
