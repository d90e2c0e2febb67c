/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of a domain for other ones.  Those that it gives are marked as leaving
 * one by one, so that none is given twice, and are its own again if one of them
 * is refused or there is nothing to be had for them.
 */

#include "memory/page_type.h"

/* A turn is as much as the largest extent. */
#define WORK_A_PAGE (PAGE_WORK_QUANTUM / PV_EXTENT_PAGES)

static mfn_t frame_at(const struct pv_extents *e, unsigned int i)
{
    return mfn(e->first[i >> e->order] + i % (1U << e->order));
}

/*
 * Whoever uses a frame refers to it, and only with the lock held can somebody
 * begin: with one reference it is the domain's alone.  A table that is idle
 * refers to itself until it is dropped.
 */
static int frame_take(struct pv_space *s, mfn_t m, struct frame **frame)
{
    struct frame *f = pv_frame(s, m);

    *frame = f;
    if (!f || f->progress == PV_SHARED)
        return -EINVAL;
    page_queue_idle(s, f);
    if (s->dropping != DROP_END)
        return -EAGAIN;
    if (atomic_read(&f->refs) != 1)
        return -EINVAL;
    atomic_write(&f->owner, s->base.owner | PV_LEAVING);
    return 0;
}

/* An extent more of new frames, cleared; @got counts them. */
static int extent_get(struct pv_space *s, struct pv_extents *e,
                      unsigned int *got, uint64_t mfn_end)
{
    struct frame *f = frame_alloc_order(s->base.owner, e->order, FRAME_GUEST);

    if (!f)
        return -ENOMEM;
    e->first[*got >> e->order] = frame_to_mfn(f).raw;
    *got += 1U << e->order;
    return frame_at(e, *got - 1).raw < mfn_end ? 0 : -ENOMEM;
}

int pv_exchange(struct pv_space *s, const struct pv_extents *in,
                struct pv_extents *out, uint64_t mfn_end,
                struct page_work *work)
{
    unsigned int taken = 0, got = 0, pages = 1U << MAX(in->order, out->order);
    struct frame *old[PV_EXTENT_PAGES]; /* found once, by a masked number */
    struct pv_extents fresh = {.order = out->order};
    int rc = 0;

    SPIN_GUARD(&s->base.lock);

    if (s->dropping != DROP_END)
        return page_drop(s, work) ?: -EAGAIN;
    work->left -= (int)(pages * WORK_A_PAGE);

    while (!rc && taken < pages) {
        rc = frame_take(s, frame_at(in, taken), &old[taken]);
        taken += !rc;
    }
    while (!rc && got < pages)
        rc = extent_get(s, &fresh, &got, mfn_end);
    if (rc) {
        while (got--)
            frame_put(mfn_to_frame(frame_at(&fresh, got)));
        while (taken--)
            atomic_write(&old[taken]->owner, s->base.owner);
        return rc;
    }

    for (unsigned int i = 0; i < pages; i++) {
        pv_frame_leave(s, old[i]);
        pv_frame_join(s, frame_at(&fresh, i), frame_at(out, i).raw);
    }
    *out = fresh;
    return 0;
}
