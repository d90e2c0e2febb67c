/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries in use: what is not usual. */

#include "grant/active.h"

#include "domain/memory.h"

/* A granter that changes the word faster than this has itself to blame. */
#define MARK_TRIES 5

/* Flags and domid are one word: the unit of what the granter writes. */
static_assert(sizeof(struct grant_entry_v1) == 2 * sizeof(uint32_t) &&
                  offsetof(struct grant_entry_v1, domid) == 2,
              "flags and domid share a word");

/* grant_find() with the record made; false: no memory. */
static bool find_or_make(const struct grant_table *t, grant_ref_t ref,
                         struct grant_pin *pin)
{
    struct grant_frame *frame = t->frame[ref / GRANT_ENTRIES_PER_FRAME];
    struct grant_active **chunk =
        &frame->active[ref % GRANT_ENTRIES_PER_FRAME / ACTIVE_CHUNK];

    if (!*chunk)
        *chunk = pool_alloc(ACTIVE_CHUNK * sizeof(**chunk));
    return *chunk && grant_find(t, ref, pin);
}

int16_t grant_get_frame(struct domain *owner, uint64_t g, bool write,
                        struct grant_pin *pin)
{
    int rc = memory_get(owner, g, write, &pin->frame);

    if (rc == -EINVAL)
        return GNTST_bad_page;
    if (rc)
        return rc == -ENOMEM ? GNTST_eagain : GNTST_general_error;
    pin->mfn = frame_to_mfn(pin->frame);
    return GNTST_okay;
}

/* The entry's word was just marked for a right that no pin had before. */
static int16_t pin_new_frame(struct domain *granter, bool write,
                             struct grant_pin *pin)
{
    uint32_t g = atomic_read(&pin->entry->frame);
    int16_t status = grant_get_frame(granter, g, write, pin);

    if (status)
        return status;
    if (pin->active->pins && pin->active->mfn != pin->mfn.raw) {
        /* Renamed while it is lent. */
        memory_let_go(granter, pin->frame, write);
        return GNTST_general_error;
    }
    return GNTST_okay;
}

static int16_t pin_new_right(struct domain *granter, domid_t user, bool write,
                             struct grant_pin *pin)
{
    int16_t status;
    int tries = 0;

    while (!grant_entry_mark(pin->entry, user, write))
        if (++tries == MARK_TRIES)
            return GNTST_general_error;
    status = pin_new_frame(granter, write, pin);
    if (status)
        grant_entry_unmark(pin);
    return status;
}

static int16_t pin_known_right(bool write, struct grant_pin *pin)
{
    pin->mfn = mfn(pin->active->mfn);
    pin->frame = mfn_to_frame(pin->mfn);
    return frame_try_get(pin->frame) && frame_hold_too(pin->frame, write)
               ? GNTST_okay
               : GNTST_general_error;
}

int16_t grant_pin_locked(struct domain *granter, grant_ref_t ref, domid_t user,
                         bool write, struct grant_pin *pin)
{
    const struct grant_table *t = granter->grants;
    const struct grant_active *active;
    int16_t status;

    if (granter->pv &&
        grant_pin_usual(granter, t, granter->pv, ref, user, write, pin))
        return GNTST_okay;
    if (ref >= t->entry_count)
        return t->closed ? GNTST_bad_domain : GNTST_bad_gntref;
    ref = (grant_ref_t)index_nospec(ref, t->entry_count);
    if (!find_or_make(t, ref, pin))
        return GNTST_no_space;

    active = pin->active;
    if ((active->pins && active->domid != user) || active->pins == UINT32_MAX)
        return GNTST_general_error;
    if (!active->pins || (write && !active->writers))
        status = pin_new_right(granter, user, write, pin);
    else
        status = pin_known_right(write, pin);
    if (!status)
        grant_record(pin, user, write);
    return status;
}

void grant_not_pinned(const struct domain *granter)
{
    panic("a grant of domain %u is not pinned", granter->domid);
}
