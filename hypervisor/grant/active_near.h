/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way to pin an entry and to let go of it, for the files of this
 * room: in place, without a call.  Whatever is not usual it leaves to
 * grant_pin().
 *
 * The granter may change its entry at any time, also between two reads of
 * ours.  So type, holder and rights are checked in the same word that is then
 * replaced by compare-and-exchange, and the frame number is read after that,
 * once.
 */

#ifndef GRANT_ACTIVE_NEAR_H
#define GRANT_ACTIVE_NEAR_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/grant_table.h>

#include "arch/x86_64/nospec.h"
#include "core/lock.h"
#include "domain/domain.h"
#include "grant/active.h"
#include "grant/table.h"
#include "lib/atomic.h"
#include "lib/compiler.h"
#include "memory/frame.h"
#include "memory/light_near.h"

/* A granter that changes the word faster than this has itself to blame. */
#define MARK_TRIES 5

/* Entry and record of @ref, which is in the table; false: no record yet. */
static __in_place bool grant_find(const struct grant_table *t, grant_ref_t ref,
                                  struct grant_pin *pin)
{
    const struct grant_frame *frame = t->frame[ref / GRANT_ENTRIES_PER_FRAME];
    uint32_t index = ref % GRANT_ENTRIES_PER_FRAME;
    struct grant_active *chunk = frame->active[index / ACTIVE_CHUNK];

    if (unlikely(!chunk))
        return false;
    pin->entry = &frame->entries[index];
    pin->active = &chunk[index % ACTIVE_CHUNK];
    return true;
}

/*
 * Check the entry and set reading, and writing if wanted, in one step.  All
 * that is checked is in one word: what is wanted there, and where to look.
 */
static __in_place int16_t grant_entry_mark(struct grant_entry_v1 *entry,
                                           domid_t user, bool write)
{
    uint32_t *word = (uint32_t *)(void *)entry;
    uint32_t wanted = (uint32_t)user << 16 | GTF_permit_access;
    uint32_t checked = 0xffffU << 16 | GTF_type_mask;
    uint32_t mark = GTF_reading, seen = atomic_read(word);

    if (write) {
        checked |= GTF_readonly;
        mark |= GTF_writing;
    }
    for (int i = 0; i < MARK_TRIES; i++) {
        if ((seen & checked) != wanted)
            return GNTST_general_error;
        if (likely(atomic_cmpxchg(word, &seen, seen | mark)))
            return GNTST_okay;
    }
    return GNTST_general_error;
}

/* Clear what no pin stands for any more. */
static __in_place void grant_entry_unmark(const struct grant_pin *pin)
{
    uint16_t clear = 0;

    if (!pin->active->pins)
        clear |= GTF_reading;
    if (!pin->active->writers)
        clear |= GTF_writing;
    if (clear)
        (void)__atomic_fetch_and(&pin->entry->flags, (uint16_t)~clear,
                                 __ATOMIC_SEQ_CST);
}

/* It is pinned once more. */
static __in_place void grant_record(struct grant_active *active, domid_t user,
                                    const struct grant_pin *pin, bool write)
{
    active->mfn = (uint32_t)frame_to_mfn(pin->frame).raw;
    active->domid = user;
    active->pins++;
    active->writers += write;
}

/* The frame of a marked entry. */
static __in_place bool grant_near_frame(struct domain *granter, bool write,
                                        struct grant_pin *pin)
{
    uint32_t g = atomic_read(&pin->entry->frame);

    if (unlikely(!light_near_frame(granter->space, g, write, &pin->frame)))
        return false;
    if (!write || frame_get_more_type(pin->frame, FRAME_WRITABLE))
        return true;
    frame_put(pin->frame);
    return false;
}

static __in_place bool grant_near_locked(struct domain *granter,
                                         const struct grant_table *t,
                                         grant_ref_t ref, domid_t user,
                                         bool write, struct grant_pin *pin)
{
    if (unlikely(ref >= t->entry_count))
        return false;
    ref = (grant_ref_t)index_nospec(ref, t->entry_count);
    if (unlikely(!grant_find(t, ref, pin)) || unlikely(pin->active->pins) ||
        unlikely(grant_entry_mark(pin->entry, user, write)))
        return false;
    if (unlikely(!grant_near_frame(granter, write, pin))) {
        grant_entry_unmark(pin);
        return false;
    }
    grant_record(pin->active, user, pin, write);
    return true;
}

/*
 * grant_pin() of an entry that nobody has pinned, that is good, and whose page
 * is there, as is usual.  False: something of that is not so; nothing has
 * changed.  @write is @pin->write, known where this is called.
 */
static __in_place bool __must_check grant_pin_near(struct domain *granter,
                                                   grant_ref_t ref,
                                                   domid_t user, bool write,
                                                   struct grant_pin *pin)
{
    struct grant_table *t = granter->grants;
    bool done;

    if (unlikely(!spin_try_lock(&t->lock)))
        return false;
    done = grant_near_locked(granter, t, ref, user, write, pin);
    spin_unlock(&t->lock);
    return likely(done);
}

void __noreturn grant_not_pinned(const struct domain *granter);

/*
 * Let go of the entry; what is left of the frame's references is returned, for
 * the caller to free it when the lock is given back.  First the frame: who
 * sees the entry free may discard the page.
 */
static __in_place uint32_t grant_unpin_locked(const struct domain *granter,
                                              const struct grant_pin *pin,
                                              bool write)
{
    struct grant_active *active = pin->active;
    uint32_t refs;

    if (unlikely(!active->pins || (write && !active->writers)))
        grant_not_pinned(granter);
    active->pins--;
    active->writers -= write;
    if (write)
        frame_put_type(pin->frame);
    refs = atomic_sub(&pin->frame->refs, 1);
    grant_entry_unmark(pin);
    return refs;
}

/* Undo a grant_pin(). */
static __in_place void grant_unpin(struct domain *granter,
                                   const struct grant_pin *pin, bool write)
{
    struct grant_table *t = granter->grants;
    uint32_t refs;

    spin_lock(&t->lock);
    refs = grant_unpin_locked(granter, pin, write);
    spin_unlock(&t->lock);
    if (!frame_refs_usual(refs))
        frame_put_last(pin->frame, refs);
}

#endif /* GRANT_ACTIVE_NEAR_H */
