/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mmu_update and update_va_mapping: changing entries of the guest's tables.
 *
 * What a request does depends on what the frame it names is: an entry of a
 * table is checked, a word of an ordinary page is just stored.
 */

#include "arch/x86_64/paging.h"
#include "domain/pv_vcpu.h"
#include "hypercall/mmu.h"
#include "memory/m2p.h"
#include "memory/page_entry.h"

/* Requests fetched before the lock is taken for them. */
#define CHUNK 8U

/* A frame that may be written by its owner: as the guest could by itself. */
static int store_word(struct frame *f, unsigned int index, uint64_t value)
{
    uint64_t *words = mfn_to_virt(frame_to_mfn(f));

    if (!frame_get_type(f, FRAME_WRITABLE))
        return -EINVAL;
    atomic_write(&words[index], value);
    frame_put_type(f);
    return 0;
}

/* Level of the table that @f is, 0: it is none. */
static unsigned int level_of(const struct frame *f)
{
    enum frame_type type = frame_type(f);

    if (type < FRAME_L1 || type > FRAME_L4 || !frame_type_count(f))
        return 0;
    return type - FRAME_L1 + 1;
}

static int update_entry(struct mmu_list *l, const struct mmu_update *r)
    __must_hold(l->space->base.lock)
{
    mfn_t m = maddr_to_mfn(r->ptr);
    struct frame *f = pv_frame(l->space, m);
    unsigned int index = r->ptr % PAGE_SIZE / sizeof(uint64_t), level;
    bool keep_ad = (r->ptr & MMU_COMMAND_MASK) == MMU_PT_UPDATE_PRESERVE_AD;

    if (unlikely(!f))
        return -EINVAL;
    level = level_of(f);
    if (unlikely(level == 0))
        return store_word(f, index, r->val);
    if (level > 1)
        l->flush |= ((uint64_t *)mfn_to_virt(m))[index] & PTE_PRESENT;
    return entry_set(l->space, m, level, index, r->val, keep_ad, NULL,
                     &l->work);
}

/* What a frame of the caller's is called. */
static int update_m2p(struct mmu_list *l, const struct mmu_update *r)
    __must_hold(l->space->base.lock)
{
    mfn_t m = maddr_to_mfn(r->ptr);

    if (!pv_frame(l->space, m))
        return -EINVAL;
    m2p_set(m, r->val);
    return 0;
}

static int update_one(struct mmu_list *l, const struct mmu_update *r)
    __must_hold(l->space->base.lock)
{
    switch (r->ptr & MMU_COMMAND_MASK) {
    case MMU_NORMAL_PT_UPDATE:
    case MMU_PT_UPDATE_PRESERVE_AD:
    case MMU_PT_UPDATE_NO_TRANSLATE:
        return update_entry(l, r);
    case MMU_MACHPHYS_UPDATE:
        return update_m2p(l, r);
    default:
        return -ENOSYS;
    }
}

static int update_chunk(struct mmu_list *l, const struct mmu_update *r,
                        unsigned int count)
{
    int rc = 0;

    spin_lock(&l->space->base.lock);
    for (unsigned int i = 0; i < count && !rc; i++) {
        rc = mmu_may_go_on(l);
        if (likely(!rc))
            rc = update_one(l, &r[i]);
        if (likely(!rc))
            mmu_advance(l);
    }
    spin_unlock(&l->space->base.lock);
    return rc;
}

long hypercall_mmu_update(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct mmu_update r[CHUNK];
    struct mmu_list l;
    long rc = mmu_begin(&l, sizeof(r[0]), a1, a2, a3, a4);

    while (!rc && l.count) {
        unsigned int wanted = MIN(l.count, CHUNK), n = 0;

        while (n < wanted &&
               !copy_from_guest(&r[n],
                                guest_ptr_at(guest_ptr(l.at), n, sizeof(r[0])),
                                sizeof(r[0])))
            n++;
        rc = n ? update_chunk(&l, r, n) : -EFAULT;
    }
    return mmu_end(&l, rc);
}

static long flush_va(struct pv_space *s, uint64_t va, uint64_t flags)
{
    uint64_t where = flags & ~(uint64_t)UVMF_TYPE_MASK;
    const uint64_t *page = (flags & UVMF_TYPE_MASK) == UVMF_INVLPG ? &va : NULL;

    switch (flags & UVMF_TYPE_MASK) {
    case UVMF_TLB_FLUSH:
    case UVMF_INVLPG:
        if (where != UVMF_LOCAL && where != UVMF_ALL)
            return mmu_flush_vcpus(s, where, page);
        mmu_flush(s, where == UVMF_ALL, page);
        return 0;
    default:
        return 0;
    }
}

long hypercall_update_va_mapping(uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    struct pv_space *s = current->domain->pv;
    unsigned int index;
    mfn_t table;
    int rc = -EINVAL;

    if (!s)
        return -ENOSYS;
    spin_lock(&s->base.lock);
    if (entry_find(current->pv->kernel_l4, a1, &table, &index))
        rc = entry_set(s, table, 1, index, a2, false, NULL, &work);
    spin_unlock(&s->base.lock);
    if (unlikely(rc == -EAGAIN))
        return hypercall_continue();
    return rc ? rc : flush_va(s, a1, a3);
}

long hypercall_update_va_mapping_otherdomain(uint64_t a1, uint64_t a2,
                                             uint64_t a3, uint64_t a4)
{
    struct mmu_list l;
    long rc = mmu_begin(&l, 0, 0, 0, 0, (domid_t)a4);

    return rc ? rc : hypercall_update_va_mapping(a1, a2, a3);
}
