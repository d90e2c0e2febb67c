/* SPDX-License-Identifier: BSD-2-Clause */
/* The world of world.h. */

#include "hypervisor/grant/world.h"

#include <stdlib.h>
#include <string.h>

#include "domain/upcalls.h"
#include "domain/vcpu.h"
#include "doubles/machine.h"
#include "grant/grant.h"
#include "grant/table.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "memory/light_near.h"

#define FRAMES 2048U

struct domain *world_domain[DOMAINS];
unsigned int world_records;
static struct frame_totals whole;
static struct vcpu some_vcpu;

struct vcpu *percpu_current_vcpu = &some_vcpu;
bool percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
const uint8_t upcall_due[2];

struct domain *domain_get(domid_t domid)
{
    struct domain *d = domid < DOMAINS ? world_domain[domid] : NULL;

    if (d)
        d->refs++;
    return d;
}

struct domain *domain_get_or_self(domid_t domid, struct domain *self)
{
    if (domid == DOMID_SELF) {
        self->refs++;
        return self;
    }
    return domain_get(domid);
}

void domain_put(struct domain *d)
{
    if (d->refs == 0)
        abort();
    if (--d->refs)
        return;
    upcall_grants_free(d);
    free(d->space);
    free(d);
    world_records--;
}

/* What of domain/fault.c shows here. */
void fault_repeat_call(gfn_t g)
{
    const struct light_space *s = current->domain->space;

    frames_wanted = true;
    current->wants_memory =
        light_fault(current->domain->space, light_va(s, g), LIGHT_READ);
    vcpu_repeat(current);
}

void world_make(void)
{
    static bool made;

    if (!made) {
        machine_make(FRAMES);
        frames_add(mfn(MACHINE_FIRST), FRAMES);
        made = true;
    }
    whole = frame_totals();
    for (domid_t id = 1; id < DOMAINS; id++)
        world_create(id);
}

void world_create(domid_t id)
{
    struct domain *d = calloc(1, sizeof(*d));
    struct light_layout layout;

    d->domid = id;
    d->refs = 1;
    d->space = calloc(1, sizeof(*d->space));
    layout = (struct light_layout){.virt_base = id * 0x10000000UL,
                                   .ram_pages = RAM_PAGES,
                                   .grant_pages = WINDOW_PAGES};
    if (light_create(d->space, id, &layout, RAM_PAGES) ||
        upcall_grants_create(d, TABLE_FRAMES, MAPTRACK_SIZE) ||
        grant_grow(d, 1))
        abort();
    world_domain[id] = d;
    world_records++;
}

void world_kill(domid_t id)
{
    struct domain *d = world_domain[id];

    if (!d)
        return;
    world_domain[id] = NULL;
    while (!upcall_grants_destroy(d))
        ;
    while (!light_destroy(d->space))
        ;
    domain_put(d);
}

bool world_unmake(void)
{
    struct frame_totals now;

    for (domid_t id = 1; id < DOMAINS; id++)
        world_kill(id);
    now = frame_totals();
    return now.free == whole.free && now.unreserved == whole.unreserved &&
           world_records == 0;
}

struct grant_entry_v1 *world_entry(domid_t id, grant_ref_t ref)
{
    const struct grant_table *t = world_domain[id]->grants;

    return &t->frame[ref / GRANT_ENTRIES_PER_FRAME]
                ->entries[ref % GRANT_ENTRIES_PER_FRAME];
}

void world_give(domid_t id, grant_ref_t ref, domid_t to, uint32_t g,
                uint16_t flags)
{
    struct grant_entry_v1 *entry = world_entry(id, ref);

    entry->frame = g;
    entry->domid = to;
    entry->flags = flags;
}

static uint64_t leaf_of(domid_t id, uint64_t page)
{
    const uint64_t *leaf = light_leaf(world_domain[id]->space, page, false);

    return leaf && (*leaf & PTE_PRESENT) ? *leaf : 0;
}

char *world_page(domid_t id, uint64_t g)
{
    struct light_space *s = world_domain[id]->space;

    if (light_fault(s, light_va(s, gfn(g)), LIGHT_READ))
        abort();
    return mfn_to_virt(pte_mfn(leaf_of(id, g)));
}

uint32_t world_refs(domid_t id, uint64_t g)
{
    uint64_t leaf = leaf_of(id, g);

    return leaf ? mfn_to_frame(pte_mfn(leaf))->refs : 0;
}

static uint64_t window_page(domid_t id, uint64_t page)
{
    return world_domain[id]->space->layout.grant_gfn + page;
}

vaddr_t world_window(domid_t id, uint64_t page)
{
    return light_va(world_domain[id]->space, gfn(window_page(id, page)));
}

uint64_t world_window_leaf(domid_t id, uint64_t page)
{
    return leaf_of(id, window_page(id, page));
}

int16_t world_map(domid_t id, domid_t from, grant_ref_t ref, uint64_t page,
                  uint32_t flags, grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {
        .host_addr = world_window(id, page),
        .flags = flags,
        .ref = ref,
        .dom = from,
    };

    grant_map(world_domain[id], &op);
    *handle = op.handle;
    return op.status;
}

int16_t world_unmap(domid_t id, uint64_t page, grant_handle_t handle)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = world_window(id, page),
        .handle = handle,
    };

    grant_unmap(world_domain[id], &op, 1);
    return op.status;
}
