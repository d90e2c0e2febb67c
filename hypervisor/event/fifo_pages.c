/* SPDX-License-Identifier: BSD-2-Clause */
/* The FIFO ABI's pages: registering them, and letting go of them. */

#include "event/table.h"

#include "domain/memory.h"
#include "memory/frame.h"
#include "memory/light.h"

/* Words of 64 waiting ports that one call looks at. */
#define RAISE_QUANTUM 4U

static size_t fifo_bytes(const struct evtchn_table *t)
{
    return sizeof(struct fifo) + t->domain->vcpu_count *
                                     EVTCHN_FIFO_PRIORITIES *
                                     sizeof(evtchn_port_t);
}

/* RAM page @g of the current domain, pinned for as long as we write to it. */
static int pin(struct domain *d, uint64_t g, void **page)
{
    struct frame *frame;
    int rc = memory_get_own(d, g, &frame);

    if (rc)
        return rc == -ENOMEM ? rc : -EINVAL;
    *page = mfn_to_virt(frame_to_mfn(frame));
    return 0;
}

static void unpin(const void *page)
{
    if (page)
        frame_let_go(mfn_to_frame(virt_to_mfn(page)), true);
}

/*
 * What is pending stays so: it waits for its event word.  A sender that still
 * sets a bit of 2-level looks at the ABI again after it, evtchn_deliver(); so
 * no bit may be left that would tell it that another has done so.
 */
static int switch_to_fifo(struct evtchn_table *t) __must_hold(t->lock)
{
    uint64_t *pending = t->pending;

    if (t->fifo || t->dying)
        return t->fifo ? 0 : -EINVAL;
    t->fifo = pool_alloc(fifo_bytes(t));
    if (!t->fifo)
        return -ENOMEM;
    spin_lock_init(&t->fifo->lock, LOCK_event_queue);
    (void)atomic_exchange(&t->pending, NULL);
    for (uint32_t i = 0; i < EVTCHN_2L_PORTS / BUCKET_PORTS; i++)
        if (i < bucket_count(t))
            (void)atomic_or(&t->waiting[i],
                            atomic_exchange(&pending[i], 0) & t->used[i]);
    return 0;
}

int evtchn_init_control(struct domain *d, struct evtchn_init_control *op)
{
    struct evtchn_table *t = d->events;
    struct evtchn_fifo_control **control;
    void *page;
    int rc;

    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    if (op->vcpu >= d->vcpu_count)
        return -ENOENT;
    if (op->offset % sizeof(uint64_t) ||
        op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control))
        return -EINVAL;
    rc = pin(d, op->control_gfn, &page);
    if (rc)
        return rc;

    spin_lock(&t->lock);
    rc = switch_to_fifo(t);
    if (rc == 0) {
        control = &t->fifo->control[index_nospec(op->vcpu, d->vcpu_count)];
        if (*control)
            rc = -EINVAL;
        else
            atomic_write(control, (void *)((char *)page + op->offset));
    }
    spin_unlock(&t->lock);
    if (rc)
        unpin(page);
    return rc;
}

int evtchn_expand_array(struct domain *d, uint64_t g)
{
    struct evtchn_table *t = d->events;
    struct fifo *f;
    void *page;
    int rc;

    if (!atomic_read(&t->fifo))
        return -EOPNOTSUPP;
    rc = pin(d, g, &page);
    if (rc)
        return rc;

    spin_lock(&t->lock);
    f = t->fifo;
    if (!f) {
        rc = -EOPNOTSUPP;
    } else if (f->port_end == EVTCHN_FIFO_PORTS) {
        rc = -ENOSPC;
    } else {
        f->page[f->port_end / EVTCHN_FIFO_PAGE_PORTS] = page;
        (void)atomic_add(&f->port_end, EVTCHN_FIFO_PAGE_PORTS);
    }
    spin_unlock(&t->lock);
    if (rc == 0)
        return evtchn_raise_waiting(d);
    unpin(page);
    return rc;
}

/* Ports that waited for their event word and have it now. */
int evtchn_raise_waiting(struct domain *d)
{
    struct evtchn_table *t = d->events;
    struct fifo *f;
    uint32_t n = 0;

    SPIN_GUARD(&t->lock);
    f = t->fifo;
    for (; f && f->raised < f->port_end && f->raised < t->port_end &&
           n < RAISE_QUANTUM;
         n++, f->raised += BUCKET_PORTS) {
        uint32_t i = f->raised / BUCKET_PORTS;
        uint64_t waiting = atomic_exchange(&t->waiting[i], 0) & t->used[i];

        for (; waiting; waiting &= waiting - 1)
            evtchn_set_pending(t,
                               f->raised + (uint32_t)__builtin_ctzll(waiting));
    }
    return n == RAISE_QUANTUM ? -EAGAIN : 0;
}

int evtchn_set_priority(struct domain *d, evtchn_port_t port, uint32_t priority)
{
    struct evtchn_table *t = d->events;
    struct evtchn *chn;

    SPIN_GUARD(&t->lock);
    chn = table_find(t, port);
    if (chn && !t->fifo)
        return -ENOSYS;
    if (!chn || priority >= EVTCHN_FIFO_PRIORITIES)
        return -EINVAL;
    atomic_write(&chn->queue, fifo_queue(evtchn_vcpu(chn), priority));
    return 0;
}

/* What 2-level left pending is nothing to the ports to come. */
void fifo_end(struct evtchn_table *t)
{
    struct shared_info *s = t->domain->shared_info;
    struct fifo *f = t->fifo;

    if (!f)
        return;
    for (uint32_t i = 0; i < FIFO_PAGES; i++)
        unpin(f->page[i]);
    for (uint32_t i = 0; i < t->domain->vcpu_count; i++)
        unpin(f->control[i]);
    memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
    atomic_write(&t->pending, s->evtchn_pending);
    t->fifo = NULL;
    pool_free(f, fifo_bytes(t));
}
