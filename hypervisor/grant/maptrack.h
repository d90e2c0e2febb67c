/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Map tracking: what a domain has mapped of others' grants, by handle.
 *
 *     FREE --alloc--> RESERVED --commit--> MAPPED --unmap--> RESERVED --free-->
 *
 * Handles are indices into a table that grows by chunks up to the domain's
 * limit; free ones form a list, so taking one is constant work.
 */

#pragma once

#include "grant/table.h"

#define NO_HANDLE UINT32_MAX

/* Highest limit a domain can be given: its index is then 64 KiB. */
#define MAPTRACK_MAX (1U << 20)

enum maptrack_state {
    MAPTRACK_FREE,
    MAPTRACK_RESERVED,
    MAPTRACK_MAPPED,
};

struct maptrack {
    struct domain *granter; /* held while MAPPED */
    grant_ref_t ref;
    uint32_t mfn;
    union {
        vaddr_t host_addr; /* MAPPED: where, 0 nowhere (device_map only) */
        uint32_t next;     /* FREE: next free handle */
    };
    uint8_t state; /* enum maptrack_state */
    bool writable;
    bool device; /* mapped for a device, too */
};

static_assert(sizeof(struct maptrack) == 32, "128 in a frame");

#define MAPTRACK_CHUNK 128U

/* A RESERVED handle and its record; NO_HANDLE: none left, or no memory. */
grant_handle_t __must_check maptrack_alloc(struct grant_table *t,
                                           struct maptrack **track);

/* From RESERVED. */
void maptrack_free(struct grant_table *t, grant_handle_t handle,
                   struct maptrack *track);

/* NULL: no such handle was ever made.  The lock is held, or it is RESERVED. */
static inline struct maptrack *maptrack_at(const struct grant_table *t,
                                           grant_handle_t handle)
{
    uint32_t limit = t->maptrack_chunks * MAPTRACK_CHUNK;

    if (unlikely(handle >= limit))
        return NULL;
    handle = (grant_handle_t)index_nospec(handle, limit);
    return &t->track[handle / MAPTRACK_CHUNK][handle % MAPTRACK_CHUNK];
}

/* Give all of its memory back: nothing is MAPPED and nobody looks any more. */
void maptrack_release(struct grant_table *t);
