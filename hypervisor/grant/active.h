/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pinning: from the moment an entry is checked until its use ends.
 *
 *     entry:   permit_access --pin--> reading, writing set --last unpin-->
 * clear record:  pins 0        --pin--> frame, domid fixed   --last unpin--> 0
 *
 * Each pin holds a reference to the frame, and one of type FRAME_WRITABLE if
 * it is for writing.
 *
 * The granter may change its entry at any time, also between two reads of
 * ours.  So type, holder and rights are checked in the same word that is then
 * replaced by compare-and-exchange, the frame number is read after that, once,
 * and while the entry is pinned our record counts, whatever the entry says.
 *
 * What is usual is done in place, without a call: an entry that nobody has
 * pinned, that is good, and whose page is there.  The rest is in active.c.
 */

#pragma once

#include "domain/memory.h"
#include "grant/table.h"
#include "memory/entry_near.h"
#include "memory/light_near.h"

/* What was pinned; valid as long as the granter is held. */
struct grant_pin {
    struct grant_entry_v1 *entry;
    struct grant_active *active;
    struct frame *frame;
    mfn_t mfn; /* of the frame */
};

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
 * Check the entry and set reading, and writing if wanted, in one step: all that
 * is checked is in one word.  False: it is refused, or has just been changed.
 */
static __in_place bool grant_entry_mark(struct grant_entry_v1 *entry,
                                        domid_t user, bool write)
{
    uint32_t wanted = (uint32_t)user << 16 | GTF_permit_access;
    uint32_t checked =
        0xffffU << 16 | GTF_type_mask | (write ? GTF_readonly : 0);
    uint32_t mark = GTF_reading | (write ? GTF_writing : 0);
    uint32_t *word = (uint32_t *)(void *)entry, seen = atomic_read(word);

    return likely((seen & checked) == wanted) &&
           likely(atomic_cmpxchg(word, &seen, seen | mark));
}

/* Clear what no pin stands for any more. */
static __in_place void grant_entry_unmark(const struct grant_pin *pin)
{
    uint16_t clear = GTF_writing | GTF_reading;

    if (unlikely(pin->active->pins))
        clear = pin->active->writers ? 0 : GTF_writing;
    if (clear)
        (void)atomic_and(&pin->entry->flags, (uint16_t)~clear);
}

/* It is pinned once more. */
static __in_place void grant_record(const struct grant_pin *pin, domid_t user,
                                    bool write)
{
    pin->active->mfn = (uint32_t)pin->mfn.raw;
    pin->active->domid = user;
    pin->active->pins++;
    pin->active->writers += write;
}

/* Frame @g of class pv, held for reading or, with @write, for that, too. */
static __in_place bool grant_pv_frame(struct pv_space *s, uint64_t g,
                                      bool write, struct grant_pin *pin)
{
    struct frame *f;
    bool ok;

    spin_lock(&s->base.lock);
    f = likely(!s->dying) ? pv_near_frame(s, mfn(g)) : NULL;
    ok = likely(f) && likely(atomic_read(&f->refs) < FRAME_REFS_MAX) &&
         (!write || likely(frame_get_more_type(f, FRAME_WRITABLE)));
    if (likely(ok))
        (void)atomic_add(&f->refs, 1); /* beside its owner's */
    spin_unlock(&s->base.lock);
    pin->frame = f;
    pin->mfn = mfn(g);
    return ok;
}

/* The frame that a marked entry names. */
static __in_place bool grant_usual_frame(struct domain *granter,
                                         struct pv_space *pv, bool write,
                                         struct grant_pin *pin)
{
    uint32_t g = atomic_read(&pin->entry->frame);

    if (pv)
        return grant_pv_frame(pv, g, write, pin);
    if (unlikely(!light_near_frame(granter->space, g, write, &pin->mfn)))
        return false;
    pin->frame = mfn_to_frame(pin->mfn);
    if (!write || likely(frame_get_more_type(pin->frame, FRAME_WRITABLE)))
        return true;
    frame_put(pin->frame);
    return false;
}

/* Of class light, or a page of @pv.  False: nothing has changed. */
static __in_place bool grant_pin_usual(struct domain *granter,
                                       const struct grant_table *t,
                                       struct pv_space *pv, grant_ref_t ref,
                                       domid_t user, bool write,
                                       struct grant_pin *pin)
{
    if (unlikely(ref >= t->entry_count))
        return false;
    ref = (grant_ref_t)index_nospec(ref, t->entry_count);
    if (unlikely(!grant_find(t, ref, pin)) || unlikely(pin->active->pins) ||
        unlikely(!grant_entry_mark(pin->entry, user, write)))
        return false;
    if (unlikely(!grant_usual_frame(granter, pv, write, pin))) {
        grant_entry_unmark(pin);
        return false;
    }
    grant_record(pin, user, write);
    return true;
}

/* grant_pin() in full, with the lock held. */
int16_t __must_check grant_pin_locked(struct domain *granter, grant_ref_t ref,
                                      domid_t user, bool write,
                                      struct grant_pin *pin);

/*
 * Pin entry @ref of @granter for @user, to write if @write.  GNTST_okay, or the
 * status to answer: bad_gntref, no such entry; general_error, it does not let
 * @user do that; bad_page, it names no RAM of @granter; eagain, the page has no
 * frame and none is free; no_space, no record to be had; bad_domain, @granter
 * is dying.
 *
 * Class light does not pay for asking of which class @granter is: with @near it
 * is taken for light, whose pages are near, and found out at the page.
 */
static __in_place int16_t __must_check grant_pin(struct domain *granter,
                                                 grant_ref_t ref, domid_t user,
                                                 bool write, bool near,
                                                 struct grant_pin *pin)
{
    struct pv_space *pv = near ? NULL : granter->pv;
    struct grant_table *t = granter->grants;
    struct grant_pin full; /* so that *@pin may stay in registers */
    int16_t status;

    spin_lock(&t->lock);
    if (likely(grant_pin_usual(granter, t, pv, ref, user, write, pin))) {
        spin_unlock(&t->lock);
        return GNTST_okay;
    }
    status = grant_pin_locked(granter, ref, user, write, &full);
    *pin = full;
    spin_unlock(&t->lock);
    return status;
}

void __noreturn grant_not_pinned(const struct domain *granter);

/*
 * Undo it.  First the frame: who sees the entry free may discard the page.  A
 * frame that goes is freed without the lock.
 */
static __in_place void grant_unpin(const struct domain *granter,
                                   const struct grant_pin *pin, bool write)
{
    struct grant_table *t = granter->grants;
    struct spinlock *lock = &t->lock;
    struct grant_active *active = pin->active;
    uint32_t refs;

    spin_lock(lock);
    if (unlikely(!active->pins || (write && !active->writers)))
        grant_not_pinned(granter);
    active->pins--;
    active->writers -= write;
    if (write)
        frame_put_type(pin->frame);
    refs = atomic_sub(&pin->frame->refs, 1);
    grant_entry_unmark(pin);
    spin_unlock(lock);
    if (unlikely(!frame_refs_usual(refs)))
        memory_put_last(t->domain, pin->frame, refs);
}

/*
 * The frame of a page of @owner's, held as by memory_get().  GNTST_okay, or
 * bad_page, general_error or eagain as of grant_pin().
 */
int16_t __must_check grant_get_frame(struct domain *owner, uint64_t g,
                                     bool write, struct grant_pin *pin);
