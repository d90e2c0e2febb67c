/* SPDX-License-Identifier: BSD-2-Clause */
/* The FIFO ABI's pages: registering them, and letting go of them. */

#include "event/table.h"

#include "domain/memory.h"

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
    int rc = memory_pin(d, g, page);

    return rc == 0 || rc == -ENOMEM ? rc : -EINVAL;
}

/*
 * What is pending stays so: it waits for its event word.  A sender that still
 * sets a bit of 2-level looks at the ABI again after it, evtchn_deliver(); so
 * no bit may be left that would tell it that another has done so.
 */
static int switch_to_fifo(struct evtchn_table *t) __must_hold(t->lock)
{
    uint32_t words = MIN(EVTCHN_2L_PORTS / BUCKET_PORTS, bucket_count(t));
    uint64_t *pending = t->pending;

    if (t->fifo)
        return 0;
    if (atomic_read(&t->domain->dying))
        return -EINVAL;
    t->fifo = pool_alloc(fifo_bytes(t));
    if (!t->fifo)
        return -ENOMEM;
    spin_lock_init(&t->fifo->lock, LOCK_event_queue);
    (void)atomic_exchange(&t->pending, NULL);
    for (uint32_t i = 0; i < words; i++)
        (void)atomic_or(&t->waiting[i],
                        atomic_exchange(&pending[i], 0) & t->used[i]);
    return 0;
}

int evtchn_init_control(struct domain *d, struct evtchn_init_control *op)
{
    struct evtchn_table *t = d->events;
    struct evtchn_fifo_control *control;
    uint64_t vcpu;
    void *page;
    int rc;

    op->link_bits = EVTCHN_FIFO_LINK_BITS;
    if (op->vcpu >= d->vcpu_count)
        return -ENOENT;
    if (op->offset % sizeof(uint64_t) ||
        op->offset > PAGE_SIZE - sizeof(struct evtchn_fifo_control))
        return -EINVAL;
    vcpu = index_nospec(op->vcpu, d->vcpu_count);

    SPIN_GUARD(&t->lock);
    if (t->fifo && t->fifo->control[vcpu])
        return -EINVAL;
    rc = pin(d, op->control_gfn, &page);
    if (rc)
        return rc;
    control = (void *)((char *)page + op->offset);
    rc = switch_to_fifo(t);
    if (rc)
        memory_unpin(d, page);
    else
        atomic_write(&t->fifo->control[vcpu], control);
    return rc;
}

static int add_page(struct domain *d, uint64_t g)
{
    struct evtchn_table *t = d->events;
    struct fifo *f;
    void *page;
    int rc;

    SPIN_GUARD(&t->lock);
    f = t->fifo;
    if (!f)
        return -EOPNOTSUPP;
    if (f->port_end == EVTCHN_FIFO_PORTS)
        return -ENOSPC;
    rc = pin(d, g, &page);
    if (rc)
        return rc;
    f->page[f->port_end / EVTCHN_FIFO_PAGE_PORTS] = page;
    (void)atomic_add(&f->port_end, EVTCHN_FIFO_PAGE_PORTS);
    return 0;
}

int evtchn_expand_array(struct domain *d, uint64_t g)
{
    int rc = add_page(d, g);

    return rc ? rc : evtchn_raise_waiting(d);
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
        memory_unpin(t->domain, f->page[i]);
    for (uint32_t i = 0; i < t->domain->vcpu_count; i++)
        memory_unpin(t->domain, f->control[i]);
    memset(s->evtchn_pending, 0, sizeof(s->evtchn_pending));
    atomic_write(&t->pending, s->evtchn_pending);
    t->fifo = NULL;
    pool_free(f, fifo_bytes(t));
}
