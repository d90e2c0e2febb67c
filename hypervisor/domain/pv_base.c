/* SPDX-License-Identifier: BSD-2-Clause */
/* Base pointers: the tables a vCPU's kernel and its programs run on. */

#include "domain/pv_vcpu.h"
#include "memory/entry_near.h"

static __in_place int take(struct pv_space *s, mfn_t l4, struct page_work *work)
    __must_hold(s->base.lock)
{
    if (likely(page_near_get(s, l4, FRAME_L4)))
        return 0;
    return page_get_type(s, l4, FRAME_L4, work);
}

/* What leaves a base pointer may still be in a CR3 until another is loaded. */
static __in_place void replace(struct pv_space *s, mfn_t *base, mfn_t l4)
    __must_hold(s->base.lock)
{
    mfn_t old = *base;

    *base = l4;
    if (!mfn_eq(old, MFN_NONE) && unlikely(!page_near_put(mfn_to_frame(old))))
        page_put_type(s, mfn_to_frame(old));
}

/* In place of the kernel's of the same vCPU, with user pages, which are global.
 */
static void load(mfn_t l4)
{
    this_cpu(loaded_root) = l4;
    tables_load_all(mfn_to_maddr(l4));
}

/* A kernel reads the M2P by its tables; tables only for programs do not. */
static void show_m2p(mfn_t l4)
{
    uint64_t *entry = (uint64_t *)mfn_to_virt(l4) + pt_index(M2P_BASE, 4);

    if (unlikely(!(atomic_read(entry) & PTE_USER)))
        (void)atomic_or(entry, PTE_USER);
}

int pv_set_kernel_base(struct vcpu *v, mfn_t l4, struct page_work *work)
{
    struct pv_space *s = v->domain->pv;
    int rc;

    spin_lock(&s->base.lock);
    rc = take(s, l4, work);
    if (likely(!rc)) {
        show_m2p(l4);
        if (likely(v == current))
            load(l4);
        replace(s, &v->pv->entry.kernel_l4, l4);
    }
    spin_unlock(&s->base.lock);
    return rc;
}

int pv_set_user_base(struct vcpu *v, mfn_t l4, struct page_work *work)
{
    struct pv_space *s = v->domain->pv;
    int rc = 0;

    if (mfn_eq(l4, v->pv->entry.user_l4))
        return 0;
    spin_lock(&s->base.lock);
    if (!mfn_eq(l4, MFN_NONE))
        rc = take(s, l4, work);
    if (likely(!rc))
        replace(s, &v->pv->entry.user_l4, l4);
    spin_unlock(&s->base.lock);
    return rc;
}
