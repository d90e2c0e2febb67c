/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling a domain before its first start, and looking into it later. */

#include "control/control.h"

#include "arch/x86_64/cpu.h"
#include "domain/memory.h"
#include "memory/light.h"
#include "memory/page_type.h"

/*
 * Pages copied before pending work is looked at: 3,000 instructions each, if
 * both sides' are touched for the first time.
 */
#define COPY_QUANTUM_PAGES 8

/* Pages populated: each is cleared. */
#define POPULATE_QUANTUM 24

int control_set_region(struct domain *d, struct control_set_region *op)
{
    uint64_t count = op->count < LIGHT_QUANTUM ? op->count : LIGHT_QUANTUM;
    int rc;

    if (d->pv)
        return -EINVAL;
    if (d->started)
        return -EBUSY;
    rc = light_protect(d->space, gfn(op->gfn), count, op->prot, true);
    if (rc)
        return rc;
    op->gfn += count;
    op->count -= count;
    return op->count ? -EAGAIN : 0;
}

static int populate_page(struct domain *d, struct control_populate *op)
{
    mfn_t m = pv_populate(d->pv, op->pfn);

    if (mfn_eq(m, MFN_NONE))
        return -ENOMEM;
    if (copy_to_guest(guest_ptr(op->buffer), &m.raw, sizeof(m.raw)))
        return pv_release(d->pv, m) ?: -EFAULT;
    op->pfn++;
    op->count--;
    op->buffer += sizeof(m.raw);
    return 0;
}

int control_populate(struct domain *d, struct control_populate *op)
{
    int rc = 0;

    if (!d->pv)
        return -EINVAL;
    if (d->started)
        return -EBUSY;
    for (int n = 0; op->count && rc == 0; n++)
        rc = n < POPULATE_QUANTUM ? populate_page(d, op) : -EAGAIN;
    return rc;
}

/*
 * What of @op lies in one page: between a frame of the other domain and the
 * caller's memory.
 */
static int copy_page(struct domain *d, struct control_copy *op, bool to)
{
    uint32_t size = MIN(op->size, (uint32_t)PAGE_SIZE - op->offset);
    bool text_too = to && !d->started;
    struct frame *f;
    char *there;
    int rc;

    if (d->pv)
        rc = memory_get(d, op->gfn, to, &f);
    else
        rc = light_get_frame(d->space, gfn(op->gfn),
                             to ? LIGHT_WRITE : LIGHT_READ, text_too, &f);
    if (rc)
        return rc;
    there = (char *)mfn_to_virt(frame_to_mfn(f)) + op->offset;
    rc = to ? copy_from_guest(there, guest_ptr(op->buffer), size)
            : copy_to_guest(guest_ptr(op->buffer), there, size);
    memory_let_go(d, f, d->pv && to);
    if (rc)
        return rc;

    op->buffer += size;
    op->size -= size;
    op->offset += size;
    if (op->offset == PAGE_SIZE) {
        op->offset = 0;
        op->gfn++;
    }
    return 0;
}

int control_copy(struct domain *d, struct control_copy *op, bool to)
{
    int rc = 0;

    if (op->offset >= PAGE_SIZE || op->size > CONTROL_COPY_MAX)
        return -EINVAL;
    for (int n = 0; op->size && rc == 0; n++)
        rc = n < COPY_QUANTUM_PAGES ? copy_page(d, op, to) : -EAGAIN;
    return rc;
}

/* The tables that a vCPU of class pv starts with: checked and pinned. */
static int pin_tables(struct pv_space *s, mfn_t l4)
{
    struct page_work work = {PAGE_WORK_QUANTUM};
    int rc;

    spin_lock(&s->base.lock);
    rc = page_pin(s, l4, FRAME_L4, &work);
    spin_unlock(&s->base.lock);
    return rc;
}

int control_set_start(struct domain *d, const struct control_set_start *op)
{
    int rc = 0;

    if (!is_canonical(op->rip) || !is_canonical(op->rsp))
        return -EINVAL;
    if (d->pv)
        rc = d->started ? -EBUSY : pin_tables(d->pv, mfn(op->l4));
    return rc ?: domain_set_start(d, op);
}
