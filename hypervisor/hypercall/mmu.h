/* SPDX-License-Identifier: BSD-2-Clause */
/* What the calls about page tables have in common. */

#ifndef HYPERCALL_MMU_H
#define HYPERCALL_MMU_H

#include <abi/mmu.h>

#include "hypercall/hypercall.h"
#include "memory/page_type.h"

/*
 * A list of requests, and how far it is: a call does what its work allows, and
 * the next one goes on.  Between two requests nothing is in the drop queue, so
 * every table that has its type is valid.
 */
struct mmu_list {
    struct pv_space *space;
    uint64_t at;      /* address of the next request */
    uint64_t size;    /* of each */
    uint32_t count;   /* left */
    uint32_t done;    /* by this call and those before */
    uint64_t done_at; /* where the guest wants that number; 0: not */
    struct page_work work;
    bool flush; /* a present entry above level 1 was changed */
};

/*
 * The arguments of a list.  0; or the call's result: -ENOSYS, it is of class
 * light; -ESRCH, -EPERM, a subject other than the caller.
 */
long __must_check mmu_begin(struct mmu_list *l, uint64_t size, uint64_t a1,
                            uint64_t a2, uint64_t a3, uint64_t a4);

/* One more is done. */
static inline void mmu_advance(struct mmu_list *l)
{
    l->at += l->size;
    l->count--;
    l->done++;
}

/* Before each request, with the lock held: -EAGAIN, no work is left. */
int __must_check mmu_may_go_on(struct mmu_list *l);

/* The result of a list that ended with @rc; -EAGAIN: it goes on. */
long __must_check mmu_end(struct mmu_list *l, long rc);

/*
 * Flush page @va, NULL all, where the vCPUs in the bitmap at @vcpus are.
 * -EFAULT.
 */
int __must_check mmu_flush_vcpus(struct pv_space *s, uint64_t vcpus,
                                 const uint64_t *va);

/* The same on this CPU, or on all that run the caller's domain. */
void mmu_flush(struct pv_space *s, bool all, const uint64_t *va);

#endif /* HYPERCALL_MMU_H */
