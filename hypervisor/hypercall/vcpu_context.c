/* SPDX-License-Identifier: BSD-2-Clause */
/* VCPUOP_initialise: the registers and handlers a further vCPU begins with. */

#include "hypercall/hypercall.h"

#include "memory/frame.h"
#include "pv/traps.h"

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

/*
 * As by iret: the flat selectors, only flags a guest may choose, and the way
 * there is IRET, not SYSRET.
 */
static void set_registers(struct vcpu *v, const struct cpu_user_regs *r)
{
    memcpy(&v->regs, r, sizeof(v->regs));
    v->regs.error_code = v->regs.entry_vector = 0;
    v->regs.cs = SELECTOR_CS64;
    v->regs.ss = SELECTOR_DS;
    v->regs.rflags = (r->rflags & RFLAGS_GUEST) | RFLAGS_FIXED | RFLAGS_IF;
    v->segments = (struct segments){r->ds, r->es, r->fs, r->gs};
}

/* It never ran, and cannot go up while its domain's lock is held. */
static int apply(struct vcpu *v, const struct vcpu_guest_context *c)
{
    int rc;

    SPIN_GUARD(&v->domain->lock);
    if (v->has_start)
        return -EEXIST;
    rc = check(c);
    if (!rc)
        rc = set_traps(v, c);
    if (rc)
        return rc;

    set_registers(v, &c->user_regs);
    if (c->flags & VGCF_i387_valid) {
        memcpy(v->fpu, c->fpu_ctxt.x, sizeof(v->fpu));
        fpu_make_valid(v->fpu);
    }
    v->fs_base = c->fs_base;
    v->gs_base = c->gs_base_kernel;
    v->event_callback = c->event_callback_eip;
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
    return up ? domain_vcpu_up(v) : rc;
}
