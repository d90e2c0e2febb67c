/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of requests about page tables: where they stand, and how they end. */

#include "arch/x86_64/paging.h"
#include "hypercall/mmu.h"

/* Tables of others, by their id and one. */
#define TABLES_SHIFT 16

/*
 * Class pv's builders and back ends are domains of class light, which map
 * nothing of others this way: only the caller itself can be meant, and not by
 * its number.
 */
static int check_subject(domid_t domid)
{
    struct domain *d;

    if (domid == DOMID_SELF)
        return 0;
    if (domid == DOMID_IO || domid == DOMID_XEN)
        return -EPERM;
    d = domid == current->domain->domid ? NULL : domain_get(domid);
    if (!d)
        return -ESRCH;
    domain_put(d);
    return -EPERM;
}

static int check_tables(uint32_t owner)
{
    if (owner == 0 || owner - 1 == current->domain->domid)
        return 0;
    return check_subject((domid_t)(owner - 1));
}

long mmu_begin_rare(struct mmu_list *l, uint32_t subject)
{
    long rc;

    if (!l->space)
        return -ENOSYS;

    /* The rest of a call that failed: see mmu_end_rare(). */
    if (l->count == MMU_UPDATE_PREEMPTED && !l->at) {
        l->count = 0;
        l->done_at = 0;
        return (int32_t)subject;
    }
    rc = check_tables(subject >> TABLES_SHIFT);
    if (!rc)
        rc = check_subject((domid_t)subject);
    if (!rc && l->count & MMU_UPDATE_PREEMPTED) {
        l->count &= ~MMU_UPDATE_PREEMPTED;
        if (l->done_at)
            rc = copy_from_guest(&l->done, guest_ptr(l->done_at),
                                 sizeof(l->done));
    }
    if (rc)
        l->space = NULL;
    return rc;
}

bool mmu_drain(struct mmu_list *l)
{
    struct pv_space *s = l->space;
    int rc;

    if (likely(atomic_read(&s->dropping) == DROP_END))
        return true;
    spin_lock(&s->base.lock);
    rc = page_drop(s, &l->work);
    spin_unlock(&s->base.lock);
    return rc == 0;
}

long mmu_end_rare(struct mmu_list *l, long rc)
{
    bool drained;

    if (unlikely(!l->space)) /* It did not begin. */
        return rc;
    if (unlikely(l->flush))
        mmu_flush(l->space, true, NULL);
    if (l->done_at &&
        copy_to_guest(guest_ptr(l->done_at), &l->done, sizeof(l->done)))
        l->done_at = 0; /* It is the guest's loss: Xen says nothing either. */
    drained = mmu_drain(l);
    if (likely(drained && rc != -EAGAIN))
        return rc;

    if (rc && rc != -EAGAIN) {
        hypercall_set_arg(1, 0);
        hypercall_set_arg(4, (uint64_t)rc);
        l->count = 0;
    } else {
        hypercall_set_arg(1, l->at);
    }
    hypercall_set_arg(2, l->count | MMU_UPDATE_PREEMPTED);
    return hypercall_continue();
}

void mmu_flush(struct pv_space *s, bool all, const uint64_t *va)
{
    if (!all && va) { /* Its tables are loaded here. */
        tlb_flush_page(*va);
        return;
    }
    spin_lock(&s->base.lock);
    if (!all)
        pv_flush_cpus(s, 1ULL << this_cpu(cpu_id), va);
    else if (va)
        pv_flush_page(s, *va);
    else
        pv_flush_all(s);
    spin_unlock(&s->base.lock);
}

#define WORD_BITS 64U

/*
 * Wherever the domain runs, whichever vCPUs are meant: one that runs nowhere
 * now may come to a CPU that still holds translations.
 */
int mmu_flush_vcpus(struct pv_space *s, uint64_t vcpus, const uint64_t *va)
{
    uint64_t word, any = 0;

    for (uint32_t i = 0; i * WORD_BITS < current->domain->vcpu_count; i++) {
        if (copy_from_guest(&word,
                            guest_ptr_at(guest_ptr(vcpus), i, sizeof(word)),
                            sizeof(word)))
            return -EFAULT;
        any |= word;
    }
    if (any)
        mmu_flush(s, true, va);
    return 0;
}
