/* SPDX-License-Identifier: BSD-2-Clause */
/* What a vCPU of class pv has besides: at its beginning, at its end, and while
 * the processor has it. */

#include "domain/pv_vcpu.h"

#include <abi/assist.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/paging.h"
#include "arch/x86_64/segment.h"
#include "memory/frame.h"

/* Of CR4, what a guest may choose, and what it sees of the hypervisor's own. */
#define CR4_CHOICE (CR4_TSD | CR4_DE | CR4_FSGSBASE | CR4_OSXSAVE)
#define CR4_SHOWN  (CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

/* FXSAVE's, where there is no XSAVE. */
#define XSTATE_SIZE MAX(cpu_features.xstate_size, XSTATE_LEGACY_SIZE)

struct pv_vcpu *pv_vcpu_create(void)
{
    struct pv_vcpu *p = pool_alloc(sizeof(*p));

    if (!p)
        return NULL;
    p->xstate = pool_alloc(XSTATE_SIZE);
    if (!p->xstate) {
        pool_free(p, sizeof(*p));
        return NULL;
    }
    fpu_init_state(p->xstate);
    p->entry.kernel_l4 = p->entry.user_l4 = MFN_NONE;
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        p->gdt_frame[i] = MFN_NONE;
    for (unsigned int i = 0; i < LDT_PAGES; i++)
        p->ldt_frame[i] = MFN_NONE;
    p->mode = GUEST_KERNEL;
    p->xcr0 = XCR0_X87;
    p->debugreg[6] = DR6_NONE;
    p->debugreg[7] = DR7_NONE;
    return p;
}

void pv_vcpu_free(struct pv_vcpu *p)
{
    pool_free(p->xstate, XSTATE_SIZE);
    pool_free(p, sizeof(*p));
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
    pv_drop_type(s, &p->entry.kernel_l4);
    pv_drop_type(s, &p->entry.user_l4);
    pv_drop_descriptors(s, p);
    spin_unlock(&s->base.lock);
}

void pv_load_tables(struct vcpu *v, bool loaded)
{
    const struct pv_vcpu *p = v->pv;
    uint8_t mode = loaded ? this_cpu(guest_mode) : p->mode;

    pv_load(v->domain->pv,
            mode == GUEST_USER ? p->entry.user_l4 : p->entry.kernel_l4);
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
    change_mode(GUEST_KERNEL, v->pv->entry.kernel_l4);
}

bool pv_to_user(struct vcpu *v)
{
    if (mfn_eq(v->pv->entry.user_l4, MFN_NONE))
        return false;
    change_mode(GUEST_USER, v->pv->entry.user_l4);
    return true;
}

/* A guest without UMIP: its programs may execute SGDT and the like. */
static uint64_t real_cr4(const struct vcpu *v)
{
    return (this_cpu(own_cr4) & ~CR4_UMIP) |
           (v->pv->cr4 & (CR4_TSD | CR4_FSGSBASE)) |
           (cpu_features.xcr0 ? CR4_OSXSAVE : 0);
}

uint64_t pv_visible_cr4(const struct vcpu *v)
{
    return (this_cpu(own_cr4) & CR4_SHOWN) | v->pv->cr4;
}

void pv_write_cr4(struct vcpu *v, uint64_t value)
{
    uint64_t offered = CR4_CHOICE;

    if (!cpu_features.fsgsbase)
        offered &= ~CR4_FSGSBASE;
    if (!cpu_features.xcr0)
        offered &= ~CR4_OSXSAVE;
    v->pv->cr4 = value & offered;
    if (v == current)
        cr4_load(real_cr4(v));
}

/*
 * With all states on, whatever the guest has switched off: those have their
 * initial values then, and not another's.
 */
static void save_fpu(const struct pv_vcpu *p)
{
    if (!cpu_features.xcr0) {
        fpu_save(p->xstate);
        return;
    }
    xcr0_load(cpu_features.xcr0);
    xstate_save(p->xstate);
}

static void restore_fpu(const struct pv_vcpu *p)
{
    if (!cpu_features.xcr0) {
        fpu_restore(p->xstate);
        return;
    }
    xcr0_load(cpu_features.xcr0);
    xstate_restore(p->xstate);
    xcr0_load(p->xcr0);
}

/* The caller's own processor may have its FPU switched off. */
void pv_set_fpu(struct vcpu *v, const void *state)
{
    bool off = current->pv->task_switched;

    memcpy(v->pv->xstate, state, FPU_STATE_SIZE);
    pv_set_task_switched(current, false);
    fpu_make_valid(v->pv->xstate);
    pv_set_task_switched(current, off);
    if (cpu_features.xcr0)
        xstate_set_legacy(v->pv->xstate);
}

/* A guest changes its bases without telling. */
void pv_save(struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;

    if (p->task_switched)
        clts();
    save_fpu(p);
    p->mode = this_cpu(guest_mode);
    v->fs_base = rdmsr(MSR_FS_BASE);
    v->gs_base = rdmsr(MSR_GS_BASE);
    p->gs_base_inactive = rdmsr(MSR_GS_INACTIVE);
    pv_unload_descriptors(p);
    pv_unload_debug(p);
    if (p->tsc_aux)
        wrmsr(MSR_TSC_AUX, 0);
}

void pv_restore(struct vcpu *v)
{
    struct pv_vcpu *p = v->pv;

    this_cpu(guest_mode) = p->mode;
    this_cpu(pv_entry) = &p->entry;
    cr4_load(real_cr4(v));
    restore_fpu(p);
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
    uint64_t with_avx512 = value & XCR0_AVX512;

    if (!(value & XCR0_X87) || value & ~cpu_features.xcr0 ||
        (value & XCR0_AVX && !(value & XCR0_SSE)) ||
        (with_avx512 && (with_avx512 != XCR0_AVX512 || !(value & XCR0_AVX))))
        return false;
    v->pv->xcr0 = value;
    xcr0_load(value);
    return true;
}

void pv_set_iopl(struct vcpu *v, uint8_t iopl)
{
    uint64_t assists = atomic_read(&v->domain->assists);
    bool shown = assists >> VMASST_TYPE_architectural_iopl & 1;

    v->pv->iopl = iopl;
    v->pv->entry.shows_iopl = shown;
    v->pv->entry.shown_iopl = shown ? (uint64_t)iopl << RFLAGS_IOPL_SHIFT : 0;
}
