/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching the processor's state between vCPUs. */

#include "domain/context.h"

#include "arch/x86_64/fpu.h"
#include "arch/x86_64/segment.h"
#include "domain/domain.h"
#include "domain/vcpu.h"
#include "lib/compiler.h"
#include "memory/light.h"

/* Whose registers guest_regs() and the processor hold; NULL: nobody's. */
static DEFINE_PER_CPU(struct vcpu *, loaded_vcpu);

static void save(struct vcpu *v)
{
    v->regs = *guest_regs();
    v->segments = segments_read();
    fpu_save(v->fpu);
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
    fs_base_write(v->fs_base);
    gs_base_write(v->gs_base);
}

void context_load(struct vcpu *v)
{
    struct vcpu *loaded = this_cpu(loaded_vcpu);

    /* Even if it is this vCPU's: an idle CPU may have dropped the space. */
    light_load(v->domain->space);
    if (likely(loaded == v))
        return;
    if (loaded)
        save(loaded);
    this_cpu(loaded_vcpu) = v;
    load(v);
}

void context_forget(struct vcpu *v)
{
    if (this_cpu(loaded_vcpu) == v)
        this_cpu(loaded_vcpu) = NULL;
}
