/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's grant table: making, growing and unmaking it. */

#include "grant/table.h"

#include "domain/memory.h"
#include "domain/upcalls.h"
#include "grant/active.h"
#include "grant/grant.h"

/* What a call of upcall_grants_destroy() may do. */
#define DESTROY_MAPPINGS 32U
#define DESTROY_HANDLES  2048U
#define DESTROY_CHUNKS   24U

static size_t table_bytes(uint32_t max_frames)
{
    return sizeof(struct grant_table) +
           max_frames * sizeof(struct grant_frame *);
}

int upcall_grants_create(struct domain *d, uint32_t max_frames,
                         uint32_t max_maptrack)
{
    struct grant_table *t;

    if (max_frames == 0 || max_frames > LIGHT_GRANT_FRAMES_MAX ||
        max_maptrack > MAPTRACK_MAX)
        return -EINVAL;

    t = pool_alloc(table_bytes(max_frames));
    if (!t)
        return -ENOMEM;
    spin_lock_init(&t->lock, LOCK_grant);
    t->domain = d;
    t->frame_max = max_frames;
    t->maptrack_max = max_maptrack;
    d->grants = t;
    return 0;
}

uint64_t grant_frame_gfn(const struct domain *d, uint32_t index)
{
    return atomic_read(&d->grants->frame[index]->gfn);
}

/* One more frame, at its place in the special window. */
static int frame_add(struct domain *d, struct grant_table *t)
{
    struct grant_frame *gf = pool_alloc(sizeof(*gf));
    struct frame *f = frame_alloc(DOMID_XEN, FRAME_METADATA);
    int rc = -ENOMEM;

    if (gf && f) {
        gf->entries = mfn_to_virt(frame_to_mfn(f));
        gf->gfn = d->space->layout.special_gfn + LIGHT_SPECIAL_GRANT_TABLE +
                  t->frame_count;
        rc = memory_share(d, f, gf->gfn, &gf->gfn);
    }
    if (rc) {
        if (f)
            frame_put(f);
        pool_free(gf, sizeof(*gf));
        return rc;
    }
    t->frame[t->frame_count] = gf;
    /* Who sees the count, without the lock, sees the frame. */
    __atomic_store_n(&t->frame_count, t->frame_count + 1, __ATOMIC_RELEASE);
    t->entry_count = t->frame_count * GRANT_ENTRIES_PER_FRAME;
    return 0;
}

int grant_grow(struct domain *d, uint32_t nr_frames)
{
    struct grant_table *t = d->grants;
    int rc = 0;

    SPIN_GUARD(&t->lock);
    if (t->closed || nr_frames > t->frame_max)
        return -EINVAL;
    for (uint32_t n = 0; t->frame_count < nr_frames && !rc; n++)
        rc = n == GRANT_GROW_QUANTUM ? -EAGAIN : frame_add(d, t);
    return rc;
}

int grant_move_frame(struct domain *d, uint32_t index, uint64_t to)
{
    struct grant_table *t = d->grants;
    int rc = index < t->frame_max ? grant_grow(d, index + 1) : -EINVAL;

    if (rc)
        return rc;
    index = index_nospec(index, t->frame_max);
    return light_move_special(d->space, &t->frame[index]->gfn, to);
}

int grant_seed(struct domain *d, const struct control_seed_grant *seed)
{
    struct grant_entry_v1 *entry;
    int rc;

    if (seed->ref >= GNTTAB_NR_RESERVED || seed->gfn > UINT32_MAX ||
        (!d->pv && seed->gfn >= memory_max(d)))
        return -EINVAL;
    rc = grant_grow(d, 1);
    if (rc)
        return rc;

    entry = &d->grants->frame[0]->entries[seed->ref];
    atomic_write(&entry->frame, (uint32_t)seed->gfn);
    atomic_write(&entry->domid, seed->to);
    __atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
    return 0;
}

void grant_counts(struct domain *d, uint32_t *frames_used, uint32_t *frames_max,
                  uint32_t *maptrack_used, uint32_t *maptrack_max)
{
    struct grant_table *t = d->grants;

    SPIN_GUARD(&t->lock);
    *frames_used = t->frame_count;
    *frames_max = t->frame_max;
    *maptrack_used = t->maptrack_used;
    *maptrack_max = t->maptrack_max;
}

/*
 * No vCPU of @d runs any more and the table is closed: nobody else is in its
 * map tracking.  Entries of its own table that others have pinned stay.
 */
static bool mappings_undo(struct domain *d)
{
    struct grant_table *t = d->grants;
    uint32_t end = t->maptrack_chunks * MAPTRACK_CHUNK;
    uint32_t handles = 0, mappings = 0;

    for (; t->maptrack_gone < end; t->maptrack_gone++) {
        struct maptrack *track = maptrack_at(t, t->maptrack_gone);

        if (handles++ == DESTROY_HANDLES || mappings == DESTROY_MAPPINGS)
            return false;
        if (track->flags & MAPTRACK_HALVES) {
            grant_undo(d, track);
            mappings++;
        }
    }
    return true;
}

/* Free @chunk; false: an entry of it is in use. */
static bool chunk_free(struct grant_active *chunk)
{
    if (!chunk)
        return true;
    for (unsigned int i = 0; i < ACTIVE_CHUNK; i++)
        if (chunk[i].pins)
            return false;
    pool_free(chunk, ACTIVE_CHUNK * sizeof(*chunk));
    return true;
}

/*
 * Of a closed table: records of entries that nobody has pinned go now, a
 * quantum a call, for there is no quantum when the last reference goes.
 */
static bool chunks_release(struct grant_table *t)
{
    uint32_t end = t->frame_count * ACTIVE_CHUNKS;

    SPIN_GUARD(&t->lock);
    for (unsigned int n = 0; t->chunks_gone < end; n++, t->chunks_gone++) {
        struct grant_frame *gf = t->frame[t->chunks_gone / ACTIVE_CHUNKS];
        struct grant_active **chunk =
            &gf->active[t->chunks_gone % ACTIVE_CHUNKS];

        if (n == DESTROY_CHUNKS)
            return false;
        if (chunk_free(*chunk))
            *chunk = NULL;
    }
    return true;
}

bool upcall_grants_destroy(struct domain *d)
{
    struct grant_table *t = d->grants;
    bool first;

    if (!t)
        return true;
    spin_lock(&t->lock);
    first = !t->closed;
    t->closed = true;
    t->entry_count = 0;
    t->maptrack_free = NULL;
    spin_unlock(&t->lock);

    for (uint32_t i = 0; first && i < t->frame_count; i++)
        memory_unshare(d, t->frame[i]->entries);
    /* Before the grants let go of what entries refer to: frames come free. */
    if (d->pv && !memory_destroy(d))
        return false;
    return mappings_undo(d) && chunks_release(t);
}

/* With the last reference: nobody has anything of it pinned or mapped. */
void upcall_grants_free(struct domain *d)
{
    struct grant_table *t = d->grants;

    if (!t)
        return;
    for (uint32_t i = 0; i < t->frame_count; i++) {
        for (unsigned int n = 0; n < ACTIVE_CHUNKS; n++)
            if (!chunk_free(t->frame[i]->active[n]))
                panic("domain %u goes while its grants are in use", d->domid);
        frame_put(mfn_to_frame(virt_to_mfn(t->frame[i]->entries)));
        pool_free(t->frame[i], sizeof(*t->frame[i]));
    }
    maptrack_release(t);
    pool_free(t, table_bytes(t->frame_max));
    d->grants = NULL;
}
