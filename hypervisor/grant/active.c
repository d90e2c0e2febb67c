/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries in use.
 *
 * The granter may change its entry at any time, also between two reads of
 * ours.  So type, holder and rights are checked in the same word that is then
 * replaced by compare-and-exchange, the frame number is read once, and while
 * the entry is pinned our record counts, whatever the entry says by then.
 */

#include "grant/active.h"

#include "arch/x86_64/nospec.h"
#include "core/panic.h"
#include "domain/domain.h"
#include "grant/table.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "memory/pool.h"

/* A granter that changes the word faster than this has itself to blame. */
#define MARK_TRIES 5

/* Flags and domid are one word: the unit of what the granter writes. */
static_assert(sizeof(struct grant_entry_v1) == 2 * sizeof(uint32_t) &&
                  offsetof(struct grant_entry_v1, domid) == 2,
              "flags and domid share a word");

struct use {
    struct grant_entry_v1 *entry;
    struct grant_active *active;
};

static struct grant_active *chunk_make(struct grant_active **chunk)
{
    *chunk = pool_alloc(ACTIVE_CHUNK * sizeof(struct grant_active));
    return *chunk;
}

/* Entry and record of @ref. */
static int16_t use_find(struct grant_table *t, grant_ref_t ref, struct use *use)
{
    uint32_t limit = t->frame_count * GRANT_ENTRIES_PER_FRAME;
    struct grant_active *chunk;
    struct grant_frame *frame;
    uint32_t index;

    if (ref >= limit)
        return GNTST_bad_gntref;
    ref = (grant_ref_t)index_nospec(ref, limit);

    frame = t->frame[ref / GRANT_ENTRIES_PER_FRAME];
    index = ref % GRANT_ENTRIES_PER_FRAME;
    chunk = frame->active[index / ACTIVE_CHUNK];
    if (unlikely(!chunk) &&
        !(chunk = chunk_make(&frame->active[index / ACTIVE_CHUNK])))
        return GNTST_no_space;
    use->entry = &frame->entries[index];
    use->active = &chunk[index % ACTIVE_CHUNK];
    return GNTST_okay;
}

/* Check the entry and set reading, and writing if wanted, in one step. */
static int16_t entry_mark(struct grant_entry_v1 *entry, domid_t user,
                          bool write)
{
    uint32_t *word = (uint32_t *)(void *)entry;
    uint32_t seen = atomic_read(word);
    uint32_t mark = write ? GTF_reading | GTF_writing : GTF_reading;

    for (int i = 0; i < MARK_TRIES; i++) {
        if ((seen & GTF_type_mask) != GTF_permit_access || seen >> 16 != user ||
            (write && (seen & GTF_readonly)))
            return GNTST_general_error;
        if (atomic_cmpxchg(word, &seen, seen | mark))
            return GNTST_okay;
    }
    return GNTST_general_error;
}

/* Clear what no pin stands for any more. */
static void entry_unmark(const struct use *use)
{
    uint16_t clear = 0;

    if (!use->active->pins)
        clear |= GTF_reading;
    if (!use->active->writers)
        clear |= GTF_writing;
    if (clear)
        (void)__atomic_fetch_and(&use->entry->flags, (uint16_t)~clear,
                                 __ATOMIC_SEQ_CST);
}

/* The frame that the entry names, if the granter itself may use it so. */
static int16_t entry_frame(struct domain *granter,
                           const struct grant_entry_v1 *entry, bool write,
                           struct frame **frame)
{
    uint32_t g = atomic_read(&entry->frame);

    switch (light_get_frame(granter->space, gfn(g),
                            write ? LIGHT_WRITE : LIGHT_READ, false, frame)) {
    case 0:
        return GNTST_okay;
    case -EINVAL:
        return GNTST_bad_page;
    case -ENOMEM:
        return GNTST_eagain;
    default:
        return GNTST_general_error;
    }
}

/* The entry's word was just marked for a right that no pin had before. */
static int16_t frame_for_new_right(struct domain *granter,
                                   const struct use *use, bool write,
                                   struct frame **frame)
{
    struct grant_active *active = use->active;
    int16_t status = entry_frame(granter, use->entry, write, frame);

    if (status)
        return status;
    if (active->pins && mfn_to_frame(mfn(active->mfn)) != *frame) {
        frame_put(*frame); /* Renamed while it is lent: one frame or none. */
        return GNTST_general_error;
    }
    return GNTST_okay;
}

static int16_t frame_get_pin(struct frame *f, bool write)
{
    if (write && !frame_get_type(f, FRAME_WRITABLE))
        return GNTST_general_error;
    return GNTST_okay;
}

static int16_t pin_new_right(struct domain *granter, const struct use *use,
                             domid_t user, bool write, struct frame **frame)
{
    int16_t status = entry_mark(use->entry, user, write);

    if (status)
        return status;
    status = frame_for_new_right(granter, use, write, frame);
    if (!status) {
        status = frame_get_pin(*frame, write);
        if (status)
            frame_put(*frame);
    }
    if (status)
        entry_unmark(use);
    return status;
}

static int16_t pin_known_right(const struct use *use, bool write,
                               struct frame **frame)
{
    struct frame *f = mfn_to_frame(mfn(use->active->mfn));
    int16_t status;

    if (!frame_try_get(f))
        return GNTST_general_error;
    status = frame_get_pin(f, write);
    if (status)
        frame_put(f);
    *frame = f;
    return status;
}

static int16_t pin_locked(struct domain *granter, grant_ref_t ref, domid_t user,
                          bool write, struct frame **frame)
{
    struct grant_table *t = granter->grants;
    struct grant_active *active;
    struct use use;
    int16_t status;

    if (t->closed)
        return GNTST_bad_domain;
    status = use_find(t, ref, &use);
    if (status)
        return status;

    active = use.active;
    if (active->pins && active->domid != user)
        return GNTST_general_error;
    if (active->pins == UINT32_MAX)
        return GNTST_general_error;

    if (!active->pins || (write && !active->writers))
        status = pin_new_right(granter, &use, user, write, frame);
    else
        status = pin_known_right(&use, write, frame);
    if (status)
        return status;

    active->mfn = (uint32_t)frame_to_mfn(*frame).raw;
    active->domid = user;
    active->pins++;
    active->writers += write;
    return GNTST_okay;
}

int16_t grant_pin(struct domain *granter, grant_ref_t ref, domid_t user,
                  bool write, struct frame **frame)
{
    int16_t status;

    spin_lock(&granter->grants->lock);
    status = pin_locked(granter, ref, user, write, frame);
    spin_unlock(&granter->grants->lock);
    return status;
}

void grant_unpin(struct domain *granter, grant_ref_t ref, bool write,
                 struct frame *frame)
{
    struct grant_table *t = granter->grants;
    struct use use;

    spin_lock(&t->lock);
    if (use_find(t, ref, &use) || !use.active->pins ||
        (write && !use.active->writers))
        panic("grant %u of domain %u is not pinned", ref, granter->domid);

    use.active->pins--;
    use.active->writers -= write;
    if (write)
        frame_put_type(frame);

    /* First the frame: who sees the entry free may discard the page. */
    frame_put(frame);
    entry_unmark(&use);
    spin_unlock(&t->lock);
}
