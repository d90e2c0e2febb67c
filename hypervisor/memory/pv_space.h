/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of a domain of class pv: the frames it owns, and its page tables
 * among them; docs/direct-paging.md.
 *
 * A frame it owns has one general reference for that (its allocation), which
 * decrease_reservation gives up, and more for what maps it.
 *
 * Fields: (c) constant, (l) guarded by the lock, (a) atomic.
 */

#ifndef MEMORY_PV_SPACE_H
#define MEMORY_PV_SPACE_H

#include <abi/domid.h>

#include "core/lock.h"
#include "memory/frame.h"

struct pv_space {
    struct spinlock lock; /* of rank space */
    domid_t owner;        /* (c) */
    uint64_t max_pages;   /* (c) */
    uint64_t pages;       /* (l) that it owns */
    uint64_t promised;    /* (l) frames promised to it and not yet taken */
    uint32_t owned;       /* (l) mfn of one of them, a list; 0: none */
    uint32_t dropping;    /* (l) mfn of the first in the drop queue; 0: none */
    bool stale;           /* (l) entries were changed since all were flushed */
    bool dying;           /* (l) */
    uint64_t live_cpus;   /* (a) CPUs that may hold translations */
};

/*
 * How much a call may still do: one unit is an entry looked at (some 12
 * instructions), a present one costs PAGE_WORK_PRESENT.  A fresh quantum keeps
 * a call below the bound on instructions with interrupts off.
 */
struct page_work {
    int left;
};
#define PAGE_WORK_QUANTUM 1200
#define PAGE_WORK_PRESENT 4

/* Promise @reserved of at most @max frames.  -ENOMEM. */
int __must_check pv_space_create(struct pv_space *s, domid_t owner,
                                 uint64_t reserved, uint64_t max);

/*
 * Give back all, a quantum a call; true when nothing is left but frames that
 * other domains have mapped, which go with their last reference.  Nobody runs
 * in it any more, and base pointers were dropped.
 */
bool pv_space_destroy(struct pv_space *s);

/*
 * One more zeroed frame, which becomes @pfn's in the M2P; its mfn.  MFN_NONE:
 * none left, or the domain has its maximum.
 */
mfn_t __must_check pv_populate(struct pv_space *s, uint64_t pfn);

/* The domain gives @m up.  -EINVAL: it is not its own. */
int __must_check pv_release(struct pv_space *s, mfn_t m);

/*
 * A page of the hypervisor's (shared_info, grant table) that the guest may
 * map, writable: becomes the domain's but for the count of its pages; the
 * caller keeps its reference, and with it the type writable.
 */
void pv_share_frame(struct pv_space *s, struct frame *f);
void pv_unshare_frame(struct pv_space *s, struct frame *f);

/*
 * Hold frame @m if it is this domain's: -EINVAL if not.  With @write, also as
 * FRAME_WRITABLE (-EBUSY: it has another type); pv_put_frame() undoes it.
 */
int __must_check pv_get_frame(struct pv_space *s, mfn_t m, bool write,
                              struct frame **frame);
void pv_put_frame(struct frame *f, bool write);

/*
 * Let go of a general reference that may be the last one of a frame that this
 * space may still have translations to: they are flushed before it is free.
 * The lock is held.
 */
void pv_drop_frame(struct pv_space *s, struct frame *f);

/* Load tables whose L4 is @l4 on this CPU, which then is live; and leave. */
void pv_load(struct pv_space *s, mfn_t l4);

/*
 * Make all CPUs that may hold translations of @s forget them; @va: that page's
 * only.  The first clears stale; the lock is held.
 */
void pv_flush_all(struct pv_space *s);
void pv_flush_page(struct pv_space *s, vaddr_t va);

/* The same on the CPUs in @cpus only. */
void pv_flush_cpus(struct pv_space *s, uint64_t cpus, const vaddr_t *va);

/*
 * Invariant 1 over all frames of the machine: no frame of any space is a table
 * or descriptor page and writable, every entry of every valid table points to
 * what it may, counts are what the entries say.  For tests and a debug key; it
 * stops the machine with what is wrong.  Only where nobody else runs.
 */
void pv_check_frames(void);

#endif /* MEMORY_PV_SPACE_H */
