/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's memory, where the classes differ.  One of class pv has an address
 * space of class light too, without a page and dying from the beginning: what
 * looks for a page there finds none, and asks here.
 */

#include "domain/memory.h"

#include <abi/cpuid.h>

#include "domain/vcpu.h"
#include "domain/pv_vcpu.h"
#include "arch/x86_64/paging.h"
#include "memory/light.h"
#include "memory/page_entry.h"

/* vCPUs a call lets go of tables: each may hold sixteen. */
#define RELEASE_QUANTUM 8U

int memory_get(struct domain *d, uint64_t g, bool write, struct frame **frame)
{
    int rc;

    if (d->pv)
        return pv_get_frame(d->pv, mfn(g), write, frame);
    rc = light_get_frame(d->space, gfn(g), write ? LIGHT_WRITE : LIGHT_READ,
                         false, frame);
    return rc || frame_hold_too(*frame, write) ? rc : -EBUSY;
}

int memory_pin(struct domain *d, uint64_t g, void **page)
{
    struct frame *f;
    int rc = memory_get(d, g, true, &f);

    if (rc == -ENOMEM)
        fault_repeat_call(gfn(g));
    else if (!rc)
        *page = mfn_to_virt(frame_to_mfn(f));
    return rc;
}

void memory_put_last(const struct domain *d, struct frame *f, uint32_t refs)
{
    if (d->pv)
        pv_frame_paid(d->pv, f);
    frame_put_last(f, refs);
}

/* The frame that the current kernel, of class pv, has mapped at @va. */
static mfn_t mapped_at(struct pv_space *s, vaddr_t va)
{
    uint64_t entry = 0, *at;

    SPIN_GUARD(&s->base.lock);
    at = entry_find(current->pv->entry.kernel_l4, va);
    if (at)
        entry = *at;
    return entry & PTE_PRESENT ? pte_mfn(entry) : MFN_NONE;
}

int memory_pin_at(struct domain *d, vaddr_t va, void **at)
{
    uint64_t g = d->pv ? mapped_at(d->pv, va).raw
                       : (va - d->space->layout.virt_base) >> PAGE_SHIFT;
    int rc = memory_pin(d, g, at);

    if (!rc)
        *at = (char *)*at + va % PAGE_SIZE;
    return rc;
}

void memory_unpin(const struct domain *d, const void *at)
{
    if (at)
        memory_let_go(d, mfn_to_frame(virt_to_mfn(at)), true);
}

int memory_share(struct domain *d, struct frame *f, uint64_t g, uint64_t *name)
{
    *name = g;
    if (!d->pv)
        return light_map_special(d->space, gfn(g), frame_to_mfn(f), true);
    *name = frame_to_mfn(f).raw;
    pv_share_frame(d->pv, f);
    return 0;
}

void memory_unshare(struct domain *d, const void *page)
{
    if (d->pv)
        pv_unshare_frame(d->pv, mfn_to_frame(virt_to_mfn(page)));
}

uint64_t memory_used(const struct domain *d)
{
    return d->pv ? atomic_read(&d->pv->pages)
                 : atomic_read(&d->space->used_pages);
}

uint64_t memory_max(const struct domain *d)
{
    return d->pv ? d->pv->max_pages : d->space->layout.ram_pages;
}

static int create_light(struct domain *d, const struct domain_config *config)
{
    const struct control_create *c = &config->create;
    struct light_layout layout = {
        .virt_base = c->virt_base,
        .ram_pages = c->max_pages,
        .grant_pages = c->grant_window,
        .module_pages = config->module_pages,
        .mmio_pages = config->mmio_pages,
    };
    int rc = light_create(d->space, d->domid, &layout, c->reserved_pages);

    /* A null pointer of the guest shall fault, whatever its builder thinks. */
    if (!rc && c->virt_base == 0)
        rc = light_protect(d->space, gfn(0), 1, LIGHT_PROT_guard, true);
    return rc;
}

static int create_pv(struct domain *d, const struct control_create *c)
{
    struct pv_space *s;
    int rc;

    space_init(&d->space->base, d->domid);
    d->space->root = MFN_NONE;
    d->space->dying = true;
    s = pool_alloc(sizeof(*s));
    if (!s)
        return -ENOMEM;
    rc = pv_space_create(s, d->domid, c->reserved_pages, c->max_pages);
    if (rc)
        pool_free(s, sizeof(*s));
    else
        d->pv = s;
    return rc;
}

int memory_create(struct domain *d, const struct domain_config *config)
{
    d->space = pool_alloc(sizeof(*d->space));
    if (!d->space)
        return -ENOMEM;
    if (d->class == CAIRN_CLASS_PV)
        return create_pv(d, &config->create);
    return create_light(d, config);
}

static bool destroy_pv(struct domain *d)
{
    if (d->shared_info && !d->pv->dying && !d->vcpus_released)
        memory_unshare(d, d->shared_info);
    for (unsigned int n = 0; d->vcpus_released < d->vcpu_count; n++) {
        if (n == RELEASE_QUANTUM)
            return false;
        pv_vcpu_release(d->vcpu[d->vcpus_released++]);
    }
    return pv_space_destroy(d->pv);
}

bool memory_destroy(struct domain *d)
{
    if (d->pv)
        return destroy_pv(d);
    return !d->space || light_destroy(d->space);
}

void memory_free(struct domain *d)
{
    pool_free(d->pv, sizeof(*d->pv));
    pool_free(d->space, sizeof(*d->space));
}
