/* SPDX-License-Identifier: BSD-2-Clause */
/* Light address spaces: making, loading and unmaking them. */

#include "memory/light.h"

#include "core/panic.h"
#include "memory/light_leaf.h"
#include "memory/tlb_batch.h"

/*
 * The page below the non-canonical hole stays empty: a SYSCALL at its very
 * end would return to an address at which SYSRET faults in ring 0.
 */
#define LOWER_END ((1UL << 47) - PAGE_SIZE)

/* Beyond any address space, and so little that sums of such do not wrap. */
#define LAYOUT_PAGES_END (1UL << 40)

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
        .root = MFN_NONE,
        .layout = *layout,
    };
    space_init(&s->base, owner);
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

bool light_destroy(struct light_space *s)
{
    struct tlb_batch batch;
    bool done;

    if (mfn_eq(s->root, MFN_NONE))
        return true;
    tlb_batch_init(&batch, &s->base);
    tlb_batch_add_all(&batch);
    tlb_batch_flush(&batch);
    if (atomic_read(&s->base.live_cpus))
        panic("the space of domain %u goes while CPUs %#lx use it",
              s->base.owner, s->base.live_cpus);

    spin_lock(&s->base.lock);
    s->dying = true;
    done = light_tables_destroy(s);
    if (done) {
        frame_unreserve(s->reserve_left + s->tables_left);
        s->reserve_left = 0;
        s->tables_left = 0;
    }
    spin_unlock(&s->base.lock);
    return done;
}
