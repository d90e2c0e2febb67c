/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading address spaces. */

#include "memory/space.h"

#include "arch/x86_64/paging.h"
#include "arch/x86_64/regs.h"
#include "core/spec_ctrl.h"

DEFINE_PER_CPU(struct space *, loaded_space);
DEFINE_PER_CPU(mfn_t, loaded_root);

void space_init(struct space *s, domid_t owner)
{
    *s = (struct space){.owner = owner};
    spin_lock_init(&s->lock, LOCK_space);
}

/* Another CR3 is loaded: @s is this CPU's, and what was is no longer. */
static void space_leave(struct space *s)
{
    struct space *old = this_cpu(loaded_space);

    this_cpu(loaded_space) = s;
    if (!old || old == s)
        return;
    if (old->global)
        tlb_flush_global();
    (void)__atomic_fetch_and(&old->live_cpus, ~(1UL << this_cpu(cpu_id)),
                             __ATOMIC_SEQ_CST);
}

void space_load(struct space *s, mfn_t root, mfn_t guest_root)
{
    /* Seen before the first translation is made, and after the last. */
    (void)__atomic_fetch_or(&s->live_cpus, 1UL << this_cpu(cpu_id),
                            __ATOMIC_SEQ_CST);
    this_cpu(loaded_root) = root;
    tables_load(mfn_to_maddr(root));
    xpti_load(root, guest_root);
    space_leave(s);
    spec_flush();
}

void space_unload(void)
{
    hv_tables_load();
    space_leave(NULL);
}
