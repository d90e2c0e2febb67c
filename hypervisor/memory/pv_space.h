/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a domain of class pv: the frames it owns, and its page tables
 * among them; docs/direct-paging.md.
 *
 * A frame it owns has one general reference for that, until pv_release(), and
 * more for what maps it.  So what pv_frame() finds stays while the lock is
 * held.  A frame that was released is nobody's (PV_LEAVING) and free with its
 * last reference; until then the domain pays for it.
 *
 * Translations of user pages are global: they survive a change between the two
 * tables of a vCPU, and leave with the space.
 *
 * Fields: (c) constant, (l) guarded by the lock.
 */

#pragma once

#include "arch/x86_64/paging.h"
#include "memory/frame.h"
#include "memory/space.h"

struct pv_space {
    struct space base;
    uint64_t max_pages;       /* (c) */
    uint64_t pages;           /* (l) that it owns or pays for */
    uint64_t promised;        /* (l) frames promised to it and not yet taken */
    uint64_t lowest, highest; /* (l) bounds of the mfns it has ever owned */
    struct ram_range ram;     /* (l) where one of its frames was last found */
    uint32_t dropping;        /* (l) mfn of the first in the drop queue */
    uint32_t destroy_range;   /* (l) the next to look for its frames in */
    bool stale;               /* (l) see pv_flush_all() */
    bool dying;               /* (l) it owns nothing any more */
};

/*
 * How much a call may still do: one unit is some 12 instructions; eight absent
 * entries or one, what a present one holds, a type that was not there before,
 * and a frame that may become free.
 * A fresh quantum keeps a call below the bound on instructions with interrupts
 * off.
 */
struct page_work {
    int left;
};
#define PAGE_WORK_QUANTUM 1200
#define PAGE_WORK_PRESENT 5
#define PAGE_WORK_TYPE    12
#define PAGE_WORK_FREE    16

/*
 * Promise @reserved of at most @max frames.  -ENOMEM; -EOPNOTSUPP: under
 * spec-ctrl=xpti, where guests run on other tables than the hypervisor.
 */
int __must_check pv_space_create(struct pv_space *s, domid_t owner,
                                 uint64_t reserved, uint64_t max);

/*
 * Give back all, a quantum a call; true when nothing is left but frames that
 * other domains have mapped, which go with their last reference.  Nobody runs
 * in it any more, base pointers and descriptor pages were dropped, and shared
 * frames taken back.
 */
bool pv_space_destroy(struct pv_space *s);

/*
 * One more zeroed frame, which becomes @pfn's in the M2P; its mfn.  MFN_NONE:
 * none left, or the domain has its maximum.  Takes the lock.
 */
mfn_t __must_check pv_populate(struct pv_space *s, uint64_t pfn);

/*
 * The domain gives @m up, mapped or not.  -EINVAL: it is not its own, or is
 * pinned.  Takes the lock.
 */
int __must_check pv_release(struct pv_space *s, mfn_t m);

/* Extents of 2^@order frames: a list of their first ones. */
#define PV_EXTENT_ORDER 4U
#define PV_EXTENT_PAGES (1U << PV_EXTENT_ORDER)
struct pv_extents {
    unsigned int order;
    uint64_t first[PV_EXTENT_PAGES];
};

/*
 * The domain gives the frames @in for as many zeroed ones below @mfn_end, for
 * the pfns @out, in whose place come their mfns: as many as the larger extents
 * have, all or none.  -EINVAL: one of @in is not its own, or used, or there
 * twice; -ENOMEM: there are no such extents; -EAGAIN: make the same call again,
 * with new @work, after letting go of the lock.  Takes the lock.
 *
 * What it costs is taken off @work: a caller with many stops when that is used
 * up.  What is idle is dropped first, with what is left of it.
 */
int __must_check pv_exchange(struct pv_space *s, const struct pv_extents *in,
                             struct pv_extents *out, uint64_t mfn_end,
                             struct page_work *work);

/*
 * A page of the hypervisor's (shared_info, grant table) that the guest may
 * map, writable: becomes the domain's but for the count of its pages, and of
 * type writable for good; the caller keeps its reference.  Takes the lock.
 */
void pv_share_frame(struct pv_space *s, struct frame *f);
void pv_unshare_frame(struct pv_space *s, struct frame *f);

/* frame.progress of such a page. */
#define PV_SHARED 0x7fffU

/* A bit of frame.owner: the domain gave the frame up. */
#define PV_LEAVING 0x8000U

/* The record of @m, which is this domain's; or NULL.  The lock is held. */
struct frame *pv_frame(struct pv_space *s, mfn_t m);

/*
 * Hold frame @m if it is this domain's: -EINVAL if not.  With @write, also as
 * FRAME_WRITABLE (-EBUSY: it has another type); frame_let_go() undoes it,
 * but for pv_frame_paid().  Takes the lock.
 */
int __must_check pv_get_frame(struct pv_space *s, mfn_t m, bool write,
                              struct frame **frame);

/*
 * Before frame @f goes with a last reference that no entry had: if the domain
 * gave it up it no longer pays for it.  Takes the lock.
 */
void pv_frame_paid(struct pv_space *s, const struct frame *f);

/*
 * Let go of a general reference that may be the last one of a frame that this
 * space may still have translations to: they are flushed before it is free.
 * The lock is held.
 */
void pv_drop_frame(struct pv_space *s, struct frame *f);

/*
 * For the files of this room: the new frame @m is the domain's, as its @pfn; @f
 * is the domain's no more, and free when nothing refers to it.
 */
void pv_frame_join(struct pv_space *s, mfn_t m, uint64_t pfn);
void pv_frame_leave(struct pv_space *s, struct frame *f);

/*
 * Load tables whose L4 is @l4 on this CPU, which then is live, and before the
 * reference to those it was on is dropped.  Between two tables of one space
 * that forgets kernel pages only: after a change of a base pointer,
 * pv_flush_cpus() has to follow.
 */
static inline void pv_load(struct pv_space *s, mfn_t l4)
{
    if (unlikely(&s->base != this_cpu(loaded_space))) {
        space_load(&s->base, l4, l4);
    } else if (!mfn_eq(l4, this_cpu(loaded_root))) {
        this_cpu(loaded_root) = l4;
        tables_load(mfn_to_maddr(l4));
    }
}

/*
 * Make all CPUs that may hold translations of @s forget them; @va: that page's
 * only; @cpus: those CPUs only.  The lock is held.
 *
 * Entries are changed without that, as the ABI says: then s->stale is true,
 * until all that is live was flushed.
 */
void pv_flush_all(struct pv_space *s);
void pv_flush_page(struct pv_space *s, vaddr_t va);
void pv_flush_cpus(struct pv_space *s, uint64_t cpus, const vaddr_t *va);

/*
 * Invariant 1 over all frames of the machine: no frame of any space is a table
 * or descriptor page and writable, every entry of every valid table points to
 * what it may, counts are not less than the entries say.  For tests and a
 * debug key; it stops the machine with what is wrong.  Only where nobody else
 * runs.
 */
void pv_check_frames(void);
