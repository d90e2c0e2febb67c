/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving the CPU, and the processor's state, to whom the scheduler chose, or
 * idling until there is one.
 */

#include "arch/x86_64/cpu.h"
#include "domain/pv_vcpu.h"
#include "domain/sched.h"
#include "domain/upcalls.h"
#include "memory/light.h"

/* Whose registers guest_regs() and the processor hold; NULL: nobody's. */
static DEFINE_PER_CPU(struct vcpu *, loaded_vcpu);

static void save(struct vcpu *v)
{
    assert(v->loaded && v->cpu == this_cpu(cpu_id));
    v->regs = *guest_regs();
    v->segments = segments_read();
    if (unlikely(v->pv))
        pv_save(v);
    else
        fpu_save(v->fpu);
    /* From here on another CPU may load it. */
    __atomic_store_n(&v->loaded, false, __ATOMIC_RELEASE);
}

/*
 * FS and GS bases are what set_segment_base said: a guest of class light that
 * loads those registers itself loses the base, here or at once.
 */
static void load(struct vcpu *v)
{
    *guest_regs() = v->regs;
    if (unlikely(v->pv)) {
        pv_restore(v);
    } else {
        this_cpu(guest_mode) = GUEST_LIGHT;
        cr4_load(this_cpu(own_cr4));
        fpu_restore(v->fpu);
    }
    segments_load(v->segments);
    wrmsr(MSR_FS_BASE, v->fs_base);
    wrmsr(MSR_GS_BASE, v->gs_base);
}

/*
 * Make the processor hold the state of @v, which sched_choose() has marked as
 * loaded, saving what it holds.
 */
static void context_load(struct vcpu *v)
{
    struct vcpu *loaded = this_cpu(loaded_vcpu);

    /* Even if it is this vCPU's: an idle CPU may have dropped the space. */
    if (unlikely(v->pv))
        pv_load_tables(v, loaded == v);
    else
        light_load(v->domain->space);
    assert(v->loaded && v->cpu == this_cpu(cpu_id));
    if (likely(loaded == v))
        return;
    if (loaded)
        save(loaded);
    this_cpu(loaded_vcpu) = v;
    load(v);
}

void context_drop(void)
{
    save(this_cpu(loaded_vcpu));
    this_cpu(loaded_vcpu) = NULL;
}

/* Saved for nobody: so that the processor keeps nothing of it, CR0.TS least. */
static void forget(uintptr_t vcpu)
{
    if ((uintptr_t)this_cpu(loaded_vcpu) == vcpu)
        context_drop();
}

void context_forget(struct vcpu *v)
{
    if (v->loaded)
        cpus_run(1ULL << v->cpu, forget, (uintptr_t)v);
    v->loaded = false;
}

static struct vcpu *choose_or_idle(void)
{
    struct vcpu *v;

    for (;;) {
        this_cpu(need_resched) = false;
        fault_wake_waiters();
        upcall_raise_late();
        v = sched_choose();
        if (v)
            return v;

        /* Interrupts, and the timers they run, come in here only. */
        while (!sched_steal() && !atomic_read(&this_cpu(need_resched)))
            cpu_idle();
    }
}

void schedule(void)
{
    while (this_cpu(need_resched)) {
        context_load(choose_or_idle());
        if (sched_evict())
            continue;
        sched_balance();
        vcpu_tick(current);
    }
}

void sched_start(void)
{
    cpu_resched(this_cpu(cpu_id));
    enter_guest();
}
