/* SPDX-License-Identifier: BSD-2-Clause */
/* Light address spaces: making, loading and unmaking them. */

#include "memory/light.h"

#include "arch/x86_64/xpti.h"
#include "core/panic.h"
#include "core/spec_ctrl.h"
#include "memory/light_leaf.h"
#include "memory/tlb_batch.h"

/*
 * The page below the non-canonical hole stays empty: a SYSCALL at its very
 * end would return to an address at which SYSRET faults in ring 0.
 */
#define LOWER_END ((1UL << 47) - PAGE_SIZE)

/* Beyond any address space, and so little that sums of such do not wrap. */
#define LAYOUT_PAGES_END (1UL << 40)

DEFINE_PER_CPU(struct light_space *, loaded_space);

/* Put the windows behind RAM, one after the other; how many gfns there are. */
static uint64_t layout_place(struct light_layout *l)
{
    l->special_gfn = l->ram_pages;
    l->grant_gfn = l->special_gfn + LIGHT_SPECIAL_PAGES;
    l->module_gfn = l->grant_gfn + l->grant_pages;
    l->mmio_gfn = l->module_gfn + l->module_pages;
    return l->mmio_gfn + l->mmio_pages;
}

/* Whether @pages from @base on are addresses that may be a guest's. */
static bool range_is_guests(vaddr_t base, uint64_t pages)
{
    vaddr_t end;

    if (base & ~PAGE_MASK ||
        __builtin_add_overflow(base, pages << PAGE_SHIFT, &end))
        return false;
    return end <= LOWER_END || base >= HV_VIRT_END;
}

int light_create(struct light_space *s, domid_t owner,
                 const struct light_layout *layout, uint64_t reserved_pages)
{
    int rc;

    *s = (struct light_space){
        .owner = owner,
        .root = MFN_NONE,
        .layout = *layout,
    };
    spin_lock_init(&s->lock, LOCK_space);
    s->pages = layout_place(&s->layout);

    if ((layout->ram_pages | layout->grant_pages | layout->module_pages |
         layout->mmio_pages) >= LAYOUT_PAGES_END ||
        !range_is_guests(layout->virt_base, s->pages) ||
        layout->ram_pages == 0 || reserved_pages > layout->ram_pages)
        return -EINVAL;

    s->tables_left = light_tables_needed(s);
    rc = frame_reserve(reserved_pages + s->tables_left);
    if (rc)
        return rc;
    s->reserved_pages = reserved_pages;
    s->reserve_left = reserved_pages;
    light_root_make(s);
    return 0;
}

/* Another CR3 is loaded: @s is this CPU's, and what was is no longer. */
static void space_leave(struct light_space *s)
{
    struct light_space *old = this_cpu(loaded_space);

    this_cpu(loaded_space) = s;
    if (old)
        (void)__atomic_fetch_and(&old->live_cpus, ~(1UL << this_cpu(cpu_id)),
                                 __ATOMIC_SEQ_CST);
}

void light_switch(struct light_space *s)
{
    /* Seen before the first translation is made, and after the last. */
    (void)__atomic_fetch_or(&s->live_cpus, 1UL << this_cpu(cpu_id),
                            __ATOMIC_SEQ_CST);
    tables_load(mfn_to_maddr(s->root));
    xpti_load(s->root, s->guest_root);
    space_leave(s);
    spec_flush();
}

void light_unload(void)
{
    hv_tables_load();
    space_leave(NULL);
}

bool light_destroy(struct light_space *s)
{
    struct tlb_batch batch;
    bool done;

    if (mfn_eq(s->root, MFN_NONE))
        return true;
    tlb_batch_init(&batch, s);
    tlb_batch_add_all(&batch);
    tlb_batch_flush(&batch);
    if (atomic_read(&s->live_cpus))
        panic("the space of domain %u goes while CPUs %#lx use it", s->owner,
              s->live_cpus);

    spin_lock(&s->lock);
    s->dying = true;
    done = light_tables_destroy(s);
    if (done) {
        frame_unreserve(s->reserve_left + s->tables_left);
        s->reserve_left = 0;
        s->tables_left = 0;
    }
    spin_unlock(&s->lock);
    return done;
}
