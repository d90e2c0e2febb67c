/* SPDX-License-Identifier: BSD-2-Clause */
/* Weights, caps and reservations. */

#include "domain/sched.h"

/* Reserved by all domains, in percent of a CPU. */
static uint32_t reserved_percent;

/* vCPUs may run on several CPUs: no lock is common to them. */
static void meter_charge(struct meter *m, uint64_t earliest, uint64_t ran)
{
    uint32_t percent = atomic_read(&m->percent);
    uint64_t paid = atomic_read(&m->paid_until), next;

    if (!percent)
        return;
    do
        next = (paid > earliest ? paid : earliest) + ran * 100 / percent;
    while (!atomic_cmpxchg(&m->paid_until, &paid, next));
}

void share_charge(struct domain *d, uint64_t now, uint64_t ran)
{
    meter_charge(&d->cap, now - ran, ran);
    meter_charge(&d->reserved,
                 now > SHARE_WINDOW_NS ? now - SHARE_WINDOW_NS : 0, ran);
}

uint32_t share_divide(struct domain *d)
{
    uint32_t up = 0;

    for (uint32_t i = 0; i < d->vcpu_count; i++)
        up += d->vcpu[i]->state != VCPU_OFFLINE;
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        vcpu_set_weight(d->vcpu[i], d->weight, MAX(up, 1U));
    return up;
}

/* Take @more of what can be reserved, instead of @less. */
static int reserve(uint32_t less, uint32_t more)
{
    uint32_t all = atomic_read(&reserved_percent);

    do
        if (more > less && all - less + more > SHARE_RESERVABLE * cpu_count)
            return -ENOSPC;
    while (!atomic_cmpxchg(&reserved_percent, &all, all - less + more));
    return 0;
}

void share_give_back(struct domain *d)
{
    (void)reserve(d->reserved.percent, 0);
    d->reserved.percent = 0;
}

static uint32_t keep(uint32_t wanted, uint32_t is)
{
    return wanted == CONTROL_SCHED_KEEP ? is : wanted;
}

static int check(const struct domain *d, const struct control_set_sched *s)
{
    if (s->weight == 0 || s->weight > DOMAIN_WEIGHT_MAX ||
        s->cap > 100 * CPU_MAX || s->reserved > 100 * d->vcpu_count ||
        (s->cap && s->reserved > s->cap) ||
        (s->affinity && !(s->affinity & cpus_all())))
        return -EINVAL;
    if (s->vcpu != CONTROL_SCHED_KEEP && s->vcpu >= d->vcpu_count)
        return -ENOENT;
    return 0;
}

static void apply(struct domain *d, const struct control_set_sched *s)
{
    d->weight = s->weight;
    (void)share_divide(d); /* What ran until now is charged as it was. */
    d->cap.percent = s->cap;
    d->reserved.percent = s->reserved;
    d->metered = s->cap || s->reserved;
    for (uint32_t i = 0; i < d->vcpu_count; i++) {
        struct vcpu *v = d->vcpu[i];
        bool meant = s->vcpu == CONTROL_SCHED_KEEP || s->vcpu == i;

        vcpu_set_affinity(v, s->affinity && meant ? s->affinity : v->affinity);
    }
}

int domain_set_sched(struct domain *d, const struct control_set_sched *sched)
{
    struct control_set_sched s = *sched;
    int rc;

    SPIN_GUARD(&d->lock);
    s.weight = keep(s.weight, d->weight);
    s.cap = keep(s.cap, d->cap.percent);
    s.reserved = keep(s.reserved, d->reserved.percent);
    rc = d->dying ? -ESRCH : check(d, &s);
    if (!rc)
        rc = reserve(d->reserved.percent, s.reserved);
    if (!rc)
        apply(d, &s);
    return rc;
}
