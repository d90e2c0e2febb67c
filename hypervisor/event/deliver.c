/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making a port pending, 2-level ABI.
 *
 * It goes down levels of one bit each, and stops at the first that is set
 * already:
 *
 *     pending[port] -> pending_sel[port / 64] -> upcall_pending -> the vCPU
 *
 * The guest comes up the same levels and clears each before it reads the
 * next.  So whoever turns a bit from 0 to 1 owns the step below it: no event
 * is lost, and a burst of events costs one upcall.
 *
 * All of it lies in pages that the guest writes too.  Nothing read from there
 * is used as an index or an address; a guest that scribbles there loses or
 * invents events of its own, and that is all.
 */

#include "domain/vcpu.h"
#include "event/table.h"
#include "lib/bitops.h"
#include "lib/errno.h"

static void mark_vcpu(struct vcpu *v, evtchn_port_t port)
{
    struct vcpu_info *info = v->info;

    if (bit_test_and_set(&info->evtchn_pending_sel, port / 64))
        return;
    if (atomic_exchange(&info->evtchn_upcall_pending, 1) == 0)
        vcpu_notify(v);
}

/* Those who poll sleep whatever the mask says: each looks for itself. */
static void wake_pollers(struct domain *d, evtchn_port_t port)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        uint32_t polled = atomic_read(&v->poll_port);

        if (polled == port || polled == POLL_ANY)
            vcpu_notify(v);
    }
}

static struct vcpu *vcpu_of(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chn = table_at(d->events, port);

    /* A port may be moved to another vCPU meanwhile; either is then right. */
    return d->vcpu[atomic_read(&chn->notify_vcpu)];
}

void evtchn_deliver(struct domain *d, evtchn_port_t port)
{
    const struct shared_info *s = d->shared_info;

    /* A guest looks at pending again after it unmasks, so that one waits. */
    if (!bit_test(s->evtchn_mask, port))
        mark_vcpu(vcpu_of(d, port), port);
    if (unlikely(atomic_read(&d->events->pollers)))
        wake_pollers(d, port);
}

void evtchn_clear_pending(struct domain *d, evtchn_port_t port)
{
    (void)bit_test_and_clear(d->shared_info->evtchn_pending, port);
}

int evtchn_unmask(struct domain *d, evtchn_port_t port)
{
    struct evtchn_table *t = d->events;
    struct shared_info *s = d->shared_info;
    const struct evtchn *chn;
    int rc = -EINVAL;

    spin_lock(&t->lock);
    chn = table_find(t, port);
    if (chn && chn->state != EVTCHN_FREE) {
        rc = 0;
        if (bit_test_and_clear(s->evtchn_mask, port) &&
            bit_test(s->evtchn_pending, port))
            mark_vcpu(vcpu_of(d, port), port);
    }
    spin_unlock(&t->lock);
    return rc;
}
