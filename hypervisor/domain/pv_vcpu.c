/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU of class pv has besides, at its beginning and its end. */

#include "domain/pv_vcpu.h"

#include "memory/page_type.h"
#include "memory/pool.h"

struct pv_vcpu *pv_vcpu_create(void)
{
    struct pv_vcpu *p = pool_alloc(sizeof(*p));

    if (!p)
        return NULL;
    p->kernel_l4 = p->user_l4 = MFN_NONE;
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        p->gdt_frame[i] = MFN_NONE;
    p->kernel_ss = SELECTOR_DS;
    p->xcr0 = 1;
    p->debugreg[6] = 0xffff0ff0;
    p->debugreg[7] = 0x400;
    return p;
}

static void drop(struct pv_space *s, mfn_t *m)
{
    if (!mfn_eq(*m, MFN_NONE))
        page_put_type(s, mfn_to_frame(*m));
    *m = MFN_NONE;
}

void pv_vcpu_release(struct vcpu *v)
{
    struct pv_space *s = v->domain->pv;
    struct pv_vcpu *p = v->pv;

    spin_lock(&s->base.lock);
    drop(s, &p->kernel_l4);
    drop(s, &p->user_l4);
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        drop(s, &p->gdt_frame[i]);
    spin_unlock(&s->base.lock);
}
