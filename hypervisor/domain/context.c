/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching the processor's state between vCPUs. */

#include "domain/context.h"

#include "arch/x86_64/fpu.h"
#include "arch/x86_64/msr.h"
#include "arch/x86_64/segment.h"
#include "arch/x86_64/smp.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "lib/assert.h"
#include "lib/compiler.h"
#include "memory/light.h"

/* Whose registers guest_regs() and the processor hold; NULL: nobody's. */
static DEFINE_PER_CPU(struct vcpu *, loaded_vcpu);

static void save(struct vcpu *v)
{
    assert(v->loaded && v->cpu == this_cpu(cpu_id));
    v->regs = *guest_regs();
    v->segments = segments_read();
    fpu_save(v->fpu);
    /* From here on another CPU may load it. */
    __atomic_store_n(&v->loaded, false, __ATOMIC_RELEASE);
}

/*
 * FS and GS bases are what set_segment_base said: a guest that loads those
 * registers itself loses the base, here or at once.
 */
static void load(struct vcpu *v)
{
    *guest_regs() = v->regs;
    fpu_restore(v->fpu);
    segments_load(v->segments);
    wrmsr(MSR_FS_BASE, v->fs_base);
    wrmsr(MSR_GS_BASE, v->gs_base);
}

void context_load(struct vcpu *v)
{
    struct vcpu *loaded = this_cpu(loaded_vcpu);

    /* Even if it is this vCPU's: an idle CPU may have dropped the space. */
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

static void forget(uintptr_t vcpu)
{
    if ((uintptr_t)this_cpu(loaded_vcpu) == vcpu)
        this_cpu(loaded_vcpu) = NULL;
}

void context_forget(struct vcpu *v)
{
    if (v->loaded)
        cpus_run(1ULL << v->cpu, forget, (uintptr_t)v);
    v->loaded = false;
}
