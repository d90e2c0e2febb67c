/* SPDX-License-Identifier: BSD-2-Clause */
/* VCPUOP_initialise: the registers and handlers a further vCPU begins with. */

#include "hypercall/hypercall.h"

#include "domain/pv_vcpu.h"
#include "pv/traps.h"

#define LDT_ENTRIES_MAX    8192U
#define PV_GDT_ENTRIES_MAX 7168U

static int check(const struct vcpu_guest_context *c)
{
    bool good =
        is_canonical(c->user_regs.rip) && is_canonical(c->user_regs.rsp) &&
        is_canonical(c->kernel_sp) && is_canonical(c->fs_base) &&
        is_canonical(c->gs_base_kernel) && is_canonical(c->gs_base_user) &&
        is_canonical(c->event_callback_eip) &&
        is_canonical(c->failsafe_callback_eip) &&
        is_canonical(c->syscall_callback_eip) && c->ldt_base % PAGE_SIZE == 0 &&
        is_canonical(c->ldt_base) && c->ldt_ents <= LDT_ENTRIES_MAX;

    for (unsigned int i = 0; i < TRAP_COUNT; i++)
        good = good && is_canonical(c->trap_ctxt[i].address);
    return good ? 0 : -EINVAL;
}

static int set_traps(struct vcpu *v, const struct vcpu_guest_context *c)
{
    for (unsigned int i = 0; i < TRAP_COUNT; i++) {
        const struct trap_info *t = &c->trap_ctxt[i];
        int rc;

        if (!t->address)
            continue;
        rc = trap_set(v, (uint8_t)i, t->flags, t->address);
        if (rc) {
            trap_clear_all(v);
            return rc;
        }
    }
    return 0;
}

static_assert(offsetof(struct cpu_user_regs, rip) ==
                      offsetof(struct cpu_regs, rip) &&
                  offsetof(struct cpu_user_regs, ss) ==
                      offsetof(struct cpu_regs, ss),
              "one begins like the other");

/*
 * As by iret: the flat selectors, of class pv any of ring 3, only flags a guest
 * may choose, and the way there is IRET, not SYSRET.
 */
static void set_registers(struct vcpu *v, const struct cpu_user_regs *r)
{
    memcpy(&v->regs, r, sizeof(v->regs));
    v->regs.error_code = v->regs.entry_vector = 0;
    v->regs.cs = v->pv ? r->cs | RPL_3 : SELECTOR_CS64;
    v->regs.ss = v->pv ? r->ss | RPL_3 : SELECTOR_DS;
    v->regs.rflags = (r->rflags & RFLAGS_GUEST) | RFLAGS_FIXED | RFLAGS_IF;
    v->segments = (struct segments){r->ds, r->es, r->fs, r->gs};
}

static bool is_user(const struct vcpu_guest_context *c)
{
    return !(c->flags & VGCF_in_kernel);
}

/* Class pv: what is refused before anything is taken. */
static int check_pv(const struct vcpu *v, const struct vcpu_guest_context *c)
{
    bool shown = v->info != &v->pv->info;
    bool has_user = maddr_to_mfn(c->ctrlreg[1]).raw != 0;

    return shown && c->gdt_ents <= PV_GDT_ENTRIES_MAX &&
                   (!is_user(c) || has_user)
               ? 0
               : -EINVAL;
}

/* Descriptors and tables; a call that is made again takes them again. */
static int take_tables(struct vcpu *v, const struct vcpu_guest_context *c,
                       struct page_work *work)
{
    mfn_t gdt[PV_GDT_FRAMES], user = maddr_to_mfn(c->ctrlreg[1]);
    int rc;

    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        gdt[i] = mfn(c->gdt_frames[i]);
    rc = pv_set_gdt(v, gdt, (uint32_t)c->gdt_ents, work);
    if (!rc)
        rc = pv_set_user_base(v, user.raw ? user : MFN_NONE, work);
    if (!rc)
        rc = pv_set_kernel_base(v, maddr_to_mfn(c->ctrlreg[3]), work);
    return rc == -EBUSY ? -EINVAL : rc;
}

/* Bad values of debug registers are as if there were none. */
static void set_pv(struct vcpu *v, const struct vcpu_guest_context *c)
{
    struct pv_vcpu *p = v->pv;

    for (unsigned int i = 0; i < PV_DEBUG_REGS; i++)
        if (i != 4 && i != 5)
            (void)!pv_set_debugreg(v, i, c->debugreg[i]);
    pv_set_ldt(v, c->ldt_base, (uint32_t)c->ldt_ents);
    p->entry.kernel_sp = c->kernel_sp;
    p->entry.syscall = (struct pv_callback){
        c->syscall_callback_eip, c->flags & VGCF_syscall_disables_events};
    pv_write_cr4(v, c->ctrlreg[4]);
    p->gs_base_inactive = c->gs_base_user;
    pv_set_iopl(v, c->user_regs.rflags >> RFLAGS_IOPL_SHIFT & 3);
    if (!is_user(c))
        return;
    p->mode = GUEST_USER;
    p->gs_base_inactive = c->gs_base_kernel;
    v->gs_base = c->gs_base_user;
}

/* It never ran, and cannot go up while its domain's lock is held. */
static int apply(struct vcpu *v, const struct vcpu_guest_context *c)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    int rc;

    SPIN_GUARD(&v->domain->lock);
    if (v->has_start)
        return -EEXIST;
    rc = check(c);
    if (!rc && v->pv)
        rc = check_pv(v, c) ?: take_tables(v, c, &work);
    if (!rc)
        rc = set_traps(v, c);
    if (rc)
        return rc;

    set_registers(v, &c->user_regs);
    if (c->flags & VGCF_i387_valid && v->pv) {
        pv_set_fpu(v, c->fpu_ctxt.x);
    } else if (c->flags & VGCF_i387_valid) {
        memcpy(v->fpu, c->fpu_ctxt.x, sizeof(v->fpu));
        fpu_make_valid(v->fpu);
    }
    v->fs_base = c->fs_base;
    v->gs_base = c->gs_base_kernel;
    v->event_callback = c->event_callback_eip;
    if (v->pv)
        set_pv(v, c);
    v->has_start = true;
    return 0;
}

long vcpu_initialise(struct vcpu *v, struct guest_ptr arg)
{
    struct vcpu_guest_context *c = pool_alloc(sizeof(*c));
    bool up;
    long rc;

    if (!c)
        return -ENOMEM;
    rc = copy_from_guest(c, arg, sizeof(*c));
    if (!rc)
        rc = apply(v, c);
    up = !rc && (c->flags & VGCF_online);
    pool_free(c, sizeof(*c));
    if (rc == -EAGAIN)
        return hypercall_continue();
    return up ? domain_vcpu_up(v) : rc;
}
