/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor keeps for a domain's grants, for the files of this room:
 * the frames of its table, a record for each entry that is in use, and the
 * grants of others that it has mapped.
 *
 * Fields: (c) constant after creation, (g) guarded by lock.
 */

#pragma once

#include <abi/grant_table.h>

#include "core/lock.h"

struct domain;
struct maptrack;

/* An entry that someone maps or copies from or to, as of its first pin. */
struct grant_active {
    uint32_t mfn;     /* (g) valid while pins is not 0 */
    domid_t domid;    /* (g) the same: for whom */
    uint16_t unused;  /* to a power of two */
    uint32_t pins;    /* (g) all of them */
    uint32_t writers; /* (g) those that may write */
};

static_assert(sizeof(struct grant_active) == 16, "64 in a KiB");

/* Records are made in chunks, when the first entry in one is pinned. */
#define ACTIVE_CHUNK  64U
#define ACTIVE_CHUNKS (GRANT_ENTRIES_PER_FRAME / ACTIVE_CHUNK)

/* A frame of the table: entries that the guest writes, and our records. */
struct grant_frame {
    struct grant_entry_v1 *entries; /* (c) in the direct map */
    uint64_t gfn; /* where it is mapped; guarded by the space's lock */
    struct grant_active *active[ACTIVE_CHUNKS]; /* (g) NULL: none pinned yet */
};

struct grant_table {
    struct spinlock lock;
    struct domain *domain; /* (c) */
    bool closed;           /* (g) the domain dies: nothing new */
    uint32_t entry_count;  /* (g) that can be pinned: none if closed */
    uint32_t frame_count;  /* (g) read without it: it only grows */
    uint32_t frame_max;    /* (c) */
    uint32_t chunks_gone;  /* (g) records below are given back */

    uint32_t maptrack_max;          /* (c) */
    uint32_t maptrack_used;         /* (g) */
    uint32_t maptrack_chunks;       /* (g) made so far */
    uint32_t maptrack_gone;         /* (g) handles below are undone for good */
    struct maptrack *maptrack_free; /* (g) list of free ones; none if closed */
    struct maptrack **track;        /* (g) NULL until the first mapping */
    struct grant_frame *frame[];    /* (g) frame_max of them */
};

/* Frames made in one call of grant_grow(): each is cleared. */
#define GRANT_GROW_QUANTUM 16U

/*
 * Map tracking: what a domain has mapped of others' grants, by handle.
 *
 *     free --alloc--> taken --commit--> mapped --unmap--> free
 *
 * Handles are indices into a table that grows by chunks up to the domain's
 * limit; free ones form a list, so taking one is constant work.
 */

/* Highest limit a domain can be given: its index is then 64 KiB. */
#define MAPTRACK_MAX (1U << 20)

struct maptrack {
    struct domain *granter; /* held while mapped */
    grant_ref_t ref;
    uint32_t mfn;
    union {
        vaddr_t host_addr;     /* mapped: where, 0 nowhere (device_map only) */
        struct maptrack *next; /* free: the next that is */
    };
    grant_handle_t handle; /* (c) its own */
    uint8_t flags; /* GNTMAP_* of the map, but for halves that are unmapped */
};

static_assert(sizeof(struct maptrack) == 32, "128 in a frame");

/* It is mapped while its flags have one of these. */
#define MAPTRACK_HALVES (GNTMAP_device_map | GNTMAP_host_map)

#define MAPTRACK_CHUNK 128U

/* More free ones.  False: none is left, or no memory, or it is closed. */
bool __must_check maptrack_grow(struct grant_table *t);

/* A free record, taken; NULL: as above. */
static __in_place struct maptrack *__must_check
maptrack_alloc(struct grant_table *t)
{
    struct maptrack *track;

    SPIN_GUARD(&t->lock);
    if (unlikely(!t->maptrack_free) && !maptrack_grow(t))
        return NULL;
    track = t->maptrack_free;
    t->maptrack_free = track->next;
    t->maptrack_used++;
    return track;
}

/* It is neither mapped nor of use to anybody any more; the lock is held. */
static __in_place void maptrack_free(struct grant_table *t,
                                     struct maptrack *track)
{
    track->next = t->maptrack_free;
    t->maptrack_free = track;
    t->maptrack_used--;
}

/* NULL: no such handle was ever made.  The lock is held. */
static inline struct maptrack *maptrack_at(const struct grant_table *t,
                                           grant_handle_t handle)
{
    uint32_t limit = t->maptrack_chunks * MAPTRACK_CHUNK;

    if (unlikely(handle >= limit))
        return NULL;
    handle = (grant_handle_t)index_nospec(handle, limit);
    return &t->track[handle / MAPTRACK_CHUNK][handle % MAPTRACK_CHUNK];
}

/* Undo a mapping of a dying domain, which nobody else does (map.c). */
void grant_undo(struct domain *d, struct maptrack *track);

/* Give all of its memory back: nothing is MAPPED and nobody looks any more. */
void maptrack_release(struct grant_table *t);
