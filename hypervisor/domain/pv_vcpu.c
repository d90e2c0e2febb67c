/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU of class pv has besides: at its beginning, at its end, and while
 * the processor has it. */

#include "domain/pv_vcpu.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/segment.h"
#include "memory/pool.h"

/* Of CR4, what a guest may choose, and what it sees of the hypervisor's own. */
#define CR4_CHOICE (CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE)
#define CR4_SHOWN  (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

struct pv_vcpu *pv_vcpu_create(void)
{
    struct pv_vcpu *p = pool_alloc(sizeof(*p));

    if (!p)
        return NULL;
    p->kernel_l4 = p->user_l4 = MFN_NONE;
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        p->gdt_frame[i] = MFN_NONE;
    for (unsigned int i = 0; i < LDT_PAGES; i++)
        p->ldt_frame[i] = MFN_NONE;
    p->mode = GUEST_KERNEL;
    p->kernel_ss = SELECTOR_DS;
    p->xcr0 = 1;
    p->debugreg[6] = DR6_NONE;
    p->debugreg[7] = DR7_NONE;
    return p;
}

void pv_drop_type(struct pv_space *s, mfn_t *m)
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
    pv_drop_type(s, &p->kernel_l4);
    pv_drop_type(s, &p->user_l4);
    pv_drop_descriptors(s, p);
    spin_unlock(&s->base.lock);
}

void pv_load_tables(struct vcpu *v, bool loaded)
{
    const struct pv_vcpu *p = v->pv;
    uint8_t mode = loaded ? this_cpu(guest_mode) : p->mode;

    pv_load(v->domain->pv, mode == GUEST_USER ? p->user_l4 : p->kernel_l4);
    if (!loaded)
        tlb_flush_global();
}

/* The space is live here; its user pages are global, and stay. */
static void change_mode(uint8_t mode, mfn_t l4)
{
    this_cpu(guest_mode) = mode;
    swapgs();
    this_cpu(loaded_root) = l4;
    tables_load(mfn_to_maddr(l4));
}

void pv_to_kernel(struct vcpu *v)
{
    change_mode(GUEST_KERNEL, v->pv->kernel_l4);
}

bool pv_to_user(struct vcpu *v)
{
    if (mfn_eq(v->pv->user_l4, MFN_NONE))
        return false;
    change_mode(GUEST_USER, v->pv->user_l4);
    return true;
}

/* A guest without UMIP: its programs may execute SGDT and the like. */
static uint64_t real_cr4(const struct vcpu *v)
{
    return (this_cpu(own_cr4) & ~CR4_UMIP) |
           (v->pv->cr4 & (CR4_TSD | CR4_FSGSBASE));
}

uint64_t pv_visible_cr4(const struct vcpu *v)
{
    return (this_cpu(own_cr4) & CR4_SHOWN) | v->pv->cr4;
}

void pv_write_cr4(struct vcpu *v, uint64_t value)
{
    uint64_t offered = CR4_CHOICE & ~CR4_OSXSAVE;

    if (!cpu_features.fsgsbase)
        offered &= ~CR4_FSGSBASE;
    v->pv->cr4 = value & offered;
    cr4_load(real_cr4(v));
}

/* A guest changes its bases without telling. */
void pv_save(struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;

    p->mode = this_cpu(guest_mode);
    v->fs_base = rdmsr(MSR_FS_BASE);
    v->gs_base = rdmsr(MSR_GS_BASE);
    p->gs_base_inactive = rdmsr(MSR_GS_INACTIVE);
    pv_unload_descriptors(p);
    pv_unload_debug(p);
    if (p->tsc_aux)
        wrmsr(MSR_TSC_AUX, 0);
    if (p->task_switched)
        clts();
}

void pv_restore(struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;

    this_cpu(guest_mode) = p->mode;
    cr4_load(real_cr4(v));
    wrmsr(MSR_GS_INACTIVE, p->gs_base_inactive);
    pv_load_descriptors(p);
    pv_load_debug(p);
    if (p->tsc_aux)
        wrmsr(MSR_TSC_AUX, p->tsc_aux);
    if (p->task_switched)
        write_cr0(read_cr0() | CR0_TS);
}

void pv_set_task_switched(struct vcpu *v, bool set)
{
    v->pv->task_switched = set;
    if (set)
        write_cr0(read_cr0() | CR0_TS);
    else
        clts();
}

bool pv_write_xcr0(struct vcpu *v, uint64_t value)
{
    (void)v, (void)value;
    return false;
}
