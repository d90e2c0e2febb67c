/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of a pv domain's frames: taking one validates the contents, dropping
 * the last reference undoes that; docs/direct-paging.md.  The space's lock is
 * held in all of these.
 *
 * A table or descriptor page, as frame.type_info and frame.progress say:
 *
 *     HELD  count  progress
 *      no      0       -       not one
 *     yes     >0      512      valid; its entries hold what they refer to
 *     yes      0      any      entries below progress do: it is being dropped
 *                              (frame.next links it in the drop queue), or its
 *                              validation ran out of work
 *
 * HELD goes with a general reference of its own.  While it is set the frame
 * has the type, whatever the count is, so nobody can write to it; it is
 * cleared when no entry holds anything and no CPU may know the table.
 *
 * -EAGAIN: @work is used up, or something has to be dropped first; make the
 * same call again with a new one, after letting go of the lock.
 */

#pragma once

#include "memory/pv_space.h"

/* pv_space.dropping and frame.next: the end of the drop queue. */
#define DROP_END UINT32_MAX

/*
 * Hold @m, which is this domain's, as @type (FRAME_L1 .. FRAME_L4,
 * FRAME_DESCRIPTORS, FRAME_WRITABLE): a general reference and a typed one.
 * -EINVAL: it is not the domain's, or in use as another type, or a table's
 * contents are not what they must be; -EBUSY: it cannot be had for writing, or a
 * leaf's page cannot; -EPERM: a leaf's page is no RAM.
 */
int __must_check page_get_type(struct pv_space *s, mfn_t m,
                               enum frame_type type, struct page_work *work);

/* Let go of both; the last one is handed to the drop queue. */
void page_put_type(struct pv_space *s, struct frame *f);

/* Work on the drop queue.  0: it is empty; -EAGAIN. */
int __must_check page_drop(struct pv_space *s, struct page_work *work);

/* -EINVAL: it is pinned already; or else as page_get_type(). */
int __must_check page_pin(struct pv_space *s, mfn_t m, enum frame_type level,
                          struct page_work *work);

/* -EINVAL: it is not pinned. */
int __must_check page_unpin(struct pv_space *s, mfn_t m);

/*
 * For the files of this room.  page_type_get() is page_get_type() that does not
 * work on the drop queue; page_queue_idle() makes a table that nobody refers to
 * go; page_unpin_frame() is page_unpin() of any frame.
 */
int __must_check page_type_get(struct pv_space *s, mfn_t m,
                               enum frame_type type, struct page_work *work);
void page_queue_idle(struct pv_space *s, struct frame *f);
int page_unpin_frame(struct pv_space *s, struct frame *f);
