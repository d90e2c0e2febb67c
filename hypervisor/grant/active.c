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
#include "grant/active_near.h"
#include "grant/table.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "memory/pool.h"

/* Flags and domid are one word: the unit of what the granter writes. */
static_assert(sizeof(struct grant_entry_v1) == 2 * sizeof(uint32_t) &&
                  offsetof(struct grant_entry_v1, domid) == 2,
              "flags and domid share a word");

/* grant_find() with the record made; false: no memory. */
static bool find_or_make(const struct grant_table *t, grant_ref_t ref,
                         struct grant_pin *pin)
{
    struct grant_frame *frame = t->frame[ref / GRANT_ENTRIES_PER_FRAME];
    uint32_t chunk = ref % GRANT_ENTRIES_PER_FRAME / ACTIVE_CHUNK;

    if (!frame->active[chunk])
        frame->active[chunk] =
            pool_alloc(ACTIVE_CHUNK * sizeof(struct grant_active));
    return frame->active[chunk] && grant_find(t, ref, pin);
}

/* The frame that the entry names, if the granter itself may use it so. */
static int16_t entry_frame(struct domain *granter, struct grant_pin *pin)
{
    uint32_t g = atomic_read(&pin->entry->frame);
    int rc = light_get_frame(granter->space, gfn(g),
                             pin->write ? LIGHT_WRITE : LIGHT_READ, false,
                             &pin->frame);

    if (likely(rc == 0))
        return GNTST_okay;
    if (rc == -EINVAL)
        return GNTST_bad_page;
    return rc == -ENOMEM ? GNTST_eagain : GNTST_general_error;
}

/* A typed reference besides, to write; or the general one is dropped. */
static int16_t frame_pin_type(const struct grant_pin *pin)
{
    if (!pin->write || likely(frame_get_type(pin->frame, FRAME_WRITABLE)))
        return GNTST_okay;
    frame_put(pin->frame);
    return GNTST_general_error;
}

/* The entry's word was just marked for a right that no pin had before. */
static int16_t pin_new_frame(struct domain *granter, struct grant_pin *pin)
{
    const struct grant_active *active = pin->active;
    int16_t status = entry_frame(granter, pin);

    if (unlikely(status))
        return status;
    if (active->pins && mfn_to_frame(mfn(active->mfn)) != pin->frame) {
        frame_put(pin->frame); /* Renamed while it is lent. */
        return GNTST_general_error;
    }
    return frame_pin_type(pin);
}

static int16_t pin_new_right(struct domain *granter, domid_t user,
                             struct grant_pin *pin)
{
    int16_t status = grant_entry_mark(pin->entry, user, pin->write);

    if (unlikely(status))
        return status;
    status = pin_new_frame(granter, pin);
    if (unlikely(status))
        grant_entry_unmark(pin);
    return status;
}

static int16_t pin_known_right(struct grant_pin *pin)
{
    pin->frame = mfn_to_frame(mfn(pin->active->mfn));
    if (!frame_try_get(pin->frame))
        return GNTST_general_error;
    return frame_pin_type(pin);
}

static int16_t pin_entry(struct domain *granter, domid_t user,
                         struct grant_pin *pin)
{
    struct grant_active *active = pin->active;
    int16_t status;

    if (active->pins && active->domid != user)
        return GNTST_general_error;
    if (active->pins == UINT32_MAX)
        return GNTST_general_error;

    if (!active->pins || (pin->write && !active->writers))
        status = pin_new_right(granter, user, pin);
    else
        status = pin_known_right(pin);
    if (unlikely(status))
        return status;

    grant_record(active, user, pin, pin->write);
    return GNTST_okay;
}

static int16_t pin_locked(struct domain *granter, grant_ref_t ref, domid_t user,
                          struct grant_pin *pin)
{
    const struct grant_table *t = granter->grants;

    if (unlikely(ref >= t->entry_count))
        return t->closed ? GNTST_bad_domain : GNTST_bad_gntref;
    ref = (grant_ref_t)index_nospec(ref, t->entry_count);
    if (!find_or_make(t, ref, pin))
        return GNTST_no_space;
    return pin_entry(granter, user, pin);
}

int16_t grant_pin(struct domain *granter, grant_ref_t ref, domid_t user,
                  struct grant_pin *pin)
{
    struct grant_table *t = granter->grants;
    int16_t status;

    spin_lock(&t->lock);
    status = pin_locked(granter, ref, user, pin);
    spin_unlock(&t->lock);
    return status;
}

void grant_not_pinned(const struct domain *granter)
{
    panic("a grant of domain %u is not pinned", granter->domid);
}

void grant_unpin_ref(struct domain *granter, grant_ref_t ref, bool write,
                     struct frame *frame)
{
    struct grant_pin pin = {.frame = frame, .write = write};
    struct grant_table *t = granter->grants;
    uint32_t refs;

    spin_lock(&t->lock);
    if (ref >= t->frame_count * GRANT_ENTRIES_PER_FRAME ||
        !grant_find(t, ref, &pin))
        grant_not_pinned(granter);
    refs = grant_unpin_locked(granter, &pin, write);
    spin_unlock(&t->lock);
    if (!frame_refs_usual(refs))
        frame_put_last(frame, refs);
}
