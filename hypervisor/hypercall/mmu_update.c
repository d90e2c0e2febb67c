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
#include "memory/entry_near.h"
#include "memory/m2p.h"

/* Requests fetched before the lock is taken for them. */
#define CHUNK 8U

/* A request, in entries looked at. */
#define REQUEST_WORK 12

/* Level of the table that @f is, 0: it is none. */
static unsigned int level_of(const struct frame *f)
{
    enum frame_type type = frame_type(f);

    if (type < FRAME_L1 || type > FRAME_L4 || !frame_type_count(f))
        return 0;
    return type - FRAME_L1 + 1;
}

/* A frame that may be written by its owner: as the guest could by itself. */
static int store_word(struct frame *f, uint64_t *word, uint64_t value)
{
    if (!frame_get_type(f, FRAME_WRITABLE))
        return -EINVAL;
    atomic_write(word, value);
    frame_put_type(f);
    return 0;
}

/* What a frame of the caller's is called. */
static int update_m2p(struct pv_space *s, const struct mmu_update *r)
    __must_hold(s->base.lock)
{
    mfn_t m = maddr_to_mfn(r->ptr);

    if (!pv_frame(s, m))
        return -EINVAL;
    m2p_set(m, r->val);
    return 0;
}

/* Any request, in full. */
static __noinline int update_any(struct pv_space *s, struct mmu_list *l,
                                 const struct mmu_update *r)
    __must_hold(s->base.lock)
{
    unsigned int index = r->ptr % PAGE_SIZE / sizeof(uint64_t), level;
    uint64_t cmd = r->ptr & MMU_COMMAND_MASK, *at;
    mfn_t m = maddr_to_mfn(r->ptr);
    struct frame *f;

    if (cmd == MMU_MACHPHYS_UPDATE)
        return update_m2p(s, r);
    if (cmd > MMU_PT_UPDATE_NO_TRANSLATE)
        return -ENOSYS;
    f = pv_frame(s, m);
    if (!f)
        return -EINVAL;
    at = (uint64_t *)mfn_to_virt(m) + index;
    level = level_of(f);
    if (level == 0) {
        int rc = page_drop(l->space, &l->work);

        return rc ? rc : store_word(f, at, r->val);
    }
    if (level > 1)
        l->flush |= atomic_read(at) & PTE_PRESENT;
    return entry_set(s, m, level, index, r->val,
                     cmd == MMU_PT_UPDATE_PRESERVE_AD, NULL, &l->work);
}

/* An entry of level 1, as most are.  False: nothing has changed. */
static __in_place bool update_near(struct pv_space *s,
                                   const struct mmu_update *r)
    __must_hold(s->base.lock)
{
    uint64_t cmd = r->ptr & MMU_COMMAND_MASK;
    mfn_t m = maddr_to_mfn(r->ptr);

    if (unlikely(!table_is_near(s, m)) ||
        unlikely(cmd & ~(uint64_t)MMU_PT_UPDATE_PRESERVE_AD))
        return false;
    return entry_near_set(
        s, (uint64_t *)mfn_to_virt(m) + r->ptr % PAGE_SIZE / sizeof(uint64_t),
        r->val, cmd == MMU_PT_UPDATE_PRESERVE_AD, NULL);
}

static __in_place int
update_chunk(struct mmu_list *l, const struct mmu_update *r, unsigned int count)
{
    struct pv_space *s = l->space;
    unsigned int i = 0;
    int rc = 0;

    spin_lock(&s->base.lock);
    for (; i < count; i++) {
        if (unlikely(!update_near(s, &r[i]))) {
            rc = update_any(s, l, &r[i]);
            if (rc)
                break;
        }
    }
    spin_unlock(&s->base.lock);
    mmu_advance(l, i, sizeof(*r));
    l->work.left -= (int)i * REQUEST_WORK;
    return rc;
}

static __in_place unsigned int fetch_chunk(const struct mmu_list *l,
                                           struct mmu_update *r)
{
    unsigned int count = MIN(l->count, CHUNK), i = 0;
    uint64_t va = guest_address_upper(l->at);

    /* What follows a guest's address closely is no one's else, or nowhere. */
    for (; i < count; i++, va += sizeof(*r))
        if (unlikely(!guest_load_words(&r[i], va, sizeof(*r))))
            break;
    return i;
}

long hypercall_mmu_update(uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4)
{
    struct mmu_update r[CHUNK];
    struct mmu_list l;
    long rc = mmu_begin(&l, a1, a2, a3, a4);

    while (likely(!rc) && l.count) {
        unsigned int count = fetch_chunk(&l, r);

        if (unlikely(l.work.left <= 0))
            rc = -EAGAIN;
        else
            rc = likely(count) ? update_chunk(&l, r, count) : -EFAULT;
    }
    return mmu_end(&l, rc);
}

static __noinline long flush_rare(struct pv_space *s, uint64_t va,
                                  uint64_t flags)
{
    uint64_t where = flags & ~(uint64_t)UVMF_TYPE_MASK, what = flags - where;
    const uint64_t *page = what == UVMF_INVLPG ? &va : NULL;

    if (what != UVMF_TLB_FLUSH && what != UVMF_INVLPG)
        return 0;
    if (where != UVMF_LOCAL && where != UVMF_ALL)
        return mmu_flush_vcpus(s, where, page);
    mmu_flush(s, where == UVMF_ALL, page);
    return 0;
}

static __in_place long flush_va(struct pv_space *s, uint64_t va, uint64_t flags)
{
    if (flags == UVMF_NONE)
        return 0;
    if (unlikely(flags != (UVMF_INVLPG | UVMF_LOCAL)))
        return flush_rare(s, va, flags);
    tlb_flush_page(va); /* Its tables are loaded here. */
    return 0;
}

long hypercall_update_va_mapping(uint64_t a1, uint64_t a2, uint64_t a3)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    struct pv_space *s = current->domain->pv;
    uint64_t *at;
    int rc = -EINVAL;

    if (!s)
        return -ENOSYS;
    spin_lock(&s->base.lock);
    at = entry_find(current->pv->entry.kernel_l4, a1);
    if (likely(at)) {
        rc = 0;
        if (unlikely(s->dropping != DROP_END) ||
            unlikely(!entry_near_set(s, at, a2, false, NULL)))
            rc = entry_set(s, virt_to_mfn(at), 1, pt_index(a1, 1), a2, false,
                           NULL, &work);
    }
    spin_unlock(&s->base.lock);
    if (unlikely(rc == -EAGAIN))
        return hypercall_continue();
    return rc ? rc : flush_va(s, a1, a3);
}

long hypercall_update_va_mapping_otherdomain(uint64_t a1, uint64_t a2,
                                             uint64_t a3, uint64_t a4)
{
    struct mmu_list l;
    long rc = mmu_begin(&l, 0, 0, 0, (domid_t)a4);

    return rc ? rc : hypercall_update_va_mapping(a1, a2, a3);
}
