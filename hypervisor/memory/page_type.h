/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Types of a pv domain's frames: taking one validates the contents, dropping
 * the last reference undoes that; docs/direct-paging.md.  The space's lock is
 * held in all of these.
 *
 * -EAGAIN: @work is used up; make the same call again with a new one, after
 * letting go of the lock.
 */

#ifndef MEMORY_PAGE_TYPE_H
#define MEMORY_PAGE_TYPE_H

#include "memory/pv_space.h"

/*
 * Hold @f, which is this domain's, as @type (FRAME_L1 .. FRAME_L4,
 * FRAME_DESCRIPTORS, FRAME_WRITABLE): a general reference and a typed one.
 * -EINVAL: it is not the domain's, or its contents are not what they must be;
 * -EBUSY: it is in use as another type.
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

#endif /* MEMORY_PAGE_TYPE_H */
