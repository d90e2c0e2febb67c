/* SPDX-License-Identifier: BSD-2-Clause */
/* What the calls about page tables have in common. */

#pragma once

#include <abi/mmu.h>

#include "hypercall/hypercall.h"
#include "memory/page_type.h"

/*
 * A list of requests, and how far it is: a call does what its work allows, and
 * the next one goes on.
 */
struct mmu_list {
    struct pv_space *space;
    uint64_t at;      /* address of the next request */
    uint64_t done_at; /* where the guest wants done to be; 0: nowhere */
    uint32_t count;   /* left */
    uint32_t done;    /* by this call and those before */
    struct page_work work;
    bool flush; /* a present entry above level 1 was changed */
};

/* What is rare of the two below. */
long __must_check mmu_begin_rare(struct mmu_list *l, uint32_t subject);
long __must_check mmu_end_rare(struct mmu_list *l, long rc);

/*
 * The arguments of a list.  0; or the call's result: -ENOSYS, it is of class
 * light; -ESRCH, -EPERM, a subject other than the caller.
 */
static __in_place long __must_check mmu_begin(struct mmu_list *l, uint64_t a1,
                                              uint64_t a2, uint64_t a3,
                                              uint64_t a4)
{
    l->space = current->domain->pv;
    l->at = a1;
    l->done_at = a3;
    l->count = (uint32_t)a2;
    l->done = 0;
    l->work.left = PAGE_WORK_QUANTUM;
    l->flush = false;
    if (likely(l->space) && likely((uint32_t)a4 == DOMID_SELF) &&
        likely(!(l->count & MMU_UPDATE_PREEMPTED)))
        return 0;
    return mmu_begin_rare(l, (uint32_t)a4);
}

/* @n more are done, of @size bytes. */
static __in_place void mmu_advance(struct mmu_list *l, uint32_t n, size_t size)
{
    l->at += n * size;
    l->count -= n;
    l->done += n;
}

/* The result of a list that ended with @rc; -EAGAIN: it goes on. */
static __in_place long __must_check mmu_end(struct mmu_list *l, long rc)
{
    if (likely(l->space) && likely(rc != -EAGAIN) && !l->flush && !l->done_at &&
        likely(atomic_read(&l->space->dropping) == DROP_END))
        return rc;
    return mmu_end_rare(l, rc);
}

/*
 * Undo what was dropped on the way, before the guest goes on or wants such a
 * frame for writing.  False: the work is used up.
 */
bool __must_check mmu_drain(struct mmu_list *l);

/* On this CPU, or on all that run the caller's domain: page @va, NULL all. */
void mmu_flush(struct pv_space *s, bool all, const uint64_t *va);

/* The same where the vCPUs in the bitmap at @vcpus are.  -EFAULT. */
int __must_check mmu_flush_vcpus(struct pv_space *s, uint64_t vcpus,
                                 const uint64_t *va);
