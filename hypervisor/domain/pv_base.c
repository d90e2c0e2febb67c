/* SPDX-License-Identifier: BSD-2-Clause */
/* Base pointers: the tables a vCPU's kernel and its programs run on. */

#include "domain/pv_vcpu.h"

/* What leaves a base pointer may still be in a CR3 until another is loaded. */
static void replace(struct pv_space *s, mfn_t *base, mfn_t l4)
    __must_hold(s->base.lock)
{
    mfn_t old = *base;

    *base = l4;
    if (!mfn_eq(old, MFN_NONE))
        page_put_type(s, mfn_to_frame(old));
}

int pv_set_kernel_base(struct vcpu *v, mfn_t l4, struct page_work *work)
{
    struct pv_space *s = v->domain->pv;
    int rc;

    spin_lock(&s->base.lock);
    rc = page_get_type(s, l4, FRAME_L4, work);
    if (!rc) {
        if (v == current) {
            pv_load(s, l4);
            pv_flush_cpus(s, 1ULL << this_cpu(cpu_id), NULL);
        }
        replace(s, &v->pv->kernel_l4, l4);
    }
    spin_unlock(&s->base.lock);
    return rc;
}

int pv_set_user_base(struct vcpu *v, mfn_t l4, struct page_work *work)
{
    struct pv_space *s = v->domain->pv;
    int rc = 0;

    if (mfn_eq(l4, v->pv->user_l4))
        return 0;
    spin_lock(&s->base.lock);
    if (!mfn_eq(l4, MFN_NONE))
        rc = page_get_type(s, l4, FRAME_L4, work);
    if (!rc)
        replace(s, &v->pv->user_l4, l4);
    spin_unlock(&s->base.lock);
    return rc;
}
