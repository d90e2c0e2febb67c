/* SPDX-License-Identifier: BSD-2-Clause */
/* VCPUOP_initialise: the registers and handlers a further vCPU begins with. */

#include "hypercall/hypercall.h"

#include "domain/pv_vcpu.h"
#include "memory/direct_map.h"
#include "memory/pool.h"
#include "pv/trap_table.h"

#define LDT_ENTRIES_MAX 8192U

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

#define RPL_3      0x3U
#define IOPL_SHIFT 12

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

/* What can be refused of a vCPU of class pv; -EAGAIN: make the call again. */
static int take_tables(struct vcpu *v, const struct vcpu_guest_context *c)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    mfn_t user = MFN_NONE, gdt[PV_GDT_FRAMES];
    int rc;

    if (c->gdt_ents > PV_GDT_FRAMES * PAGE_SIZE / sizeof(uint64_t) ||
        (!(c->flags & VGCF_in_kernel) && !c->ctrlreg[1]) ||
        (v->id >= LEGACY_MAX_VCPUS && !v->info_frame))
        return -EINVAL;
    for (unsigned int i = 0; i < PV_GDT_FRAMES; i++)
        gdt[i] = mfn(c->gdt_frames[i]);
    if (c->ctrlreg[1])
        user = maddr_to_mfn(c->ctrlreg[1]);

    rc = pv_set_kernel_base(v, maddr_to_mfn(c->ctrlreg[3]), &work);
    if (!rc)
        rc = pv_set_user_base(v, user, &work);
    if (!rc)
        rc = pv_set_gdt(v, gdt, (uint32_t)c->gdt_ents, &work);
    for (unsigned int i = 0; !rc && i < PV_DEBUG_REGS; i++)
        if (i != 4 && i != 5)
            rc = pv_set_debugreg(v, i, c->debugreg[i]);
    return rc && rc != -EAGAIN ? -EINVAL : rc;
}

static void set_pv(struct vcpu *v, const struct vcpu_guest_context *c)
{
    bool kernel = c->flags & VGCF_in_kernel;
    struct pv_vcpu *p = v->pv;

    p->mode = kernel ? GUEST_KERNEL : GUEST_USER;
    v->gs_base = kernel ? c->gs_base_kernel : c->gs_base_user;
    p->gs_base_inactive = kernel ? c->gs_base_user : c->gs_base_kernel;
    p->kernel_sp = c->kernel_sp;
    p->iopl = c->user_regs.rflags >> IOPL_SHIFT & 3;
    p->syscall = (struct pv_callback){c->syscall_callback_eip,
                                      c->flags & VGCF_syscall_disables_events};
    pv_set_ldt(v, c->ldt_base, (uint32_t)c->ldt_ents);
    pv_write_cr4(v, c->ctrlreg[4]);
}

/* It never ran, and cannot go up while its domain's lock is held. */
static int apply(struct vcpu *v, const struct vcpu_guest_context *c)
    __must_hold(v->domain->lock)
{
    int rc;

    if (v->has_start)
        return -EEXIST;
    rc = check(c);
    if (!rc && v->pv)
        rc = take_tables(v, c);
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
    if (v->pv)
        set_pv(v, c);
    v->event_callback = c->event_callback_eip;
    v->has_start = true;
    return 0;
}

long vcpu_initialise(struct vcpu *v, struct guest_ptr arg)
{
    struct vcpu_guest_context *c = pool_alloc(sizeof(*c));
    bool up = false;
    long rc;

    if (!c)
        return -ENOMEM;
    rc = copy_from_guest(c, arg, sizeof(*c));
    if (!rc) {
        spin_lock(&v->domain->lock);
        rc = apply(v, c);
        up = !rc && (c->flags & VGCF_online);
        spin_unlock(&v->domain->lock);
    }
    pool_free(c, sizeof(*c));
    if (rc == -EAGAIN)
        return hypercall_continue();
    return up ? domain_vcpu_up(v) : rc;
}
