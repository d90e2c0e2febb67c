/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a domain's processor time is bounded by: its weight among the others, a
 * cap above and a reservation below.
 *
 * A meter knows until when the time a domain has used is paid for, at so many
 * percent of one CPU: for the cap, it must wait until then; for the
 * reservation, it is owed time from then on, and goes before those that are
 * not.
 */

#ifndef DOMAIN_SHARE_H
#define DOMAIN_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/domain.h"
#include "domain/sched.h"

/* A capped domain runs for its percentage of this at a time. */
#define SHARE_PERIOD_NS 10000000ULL

/* What it was owed and could not be given, or did not want, is kept so long. */
#define SHARE_WINDOW_NS 100000000ULL

/* Of each CPU, at most so many percent are reserved: the rest is weight's. */
#define SHARE_RESERVABLE 90U

/* @d has run for @ran ns up to @now. */
void share_charge(struct domain *d, uint64_t now, uint64_t ran);

/* Until when its cap keeps it off the CPUs; 0 or a past time: it does not. */
static inline uint64_t share_capped_until(const struct domain *d)
{
    return d->cap.percent ? atomic_read(&d->cap.paid_until) : 0;
}

static inline bool share_owed(const struct domain *d, uint64_t now)
{
    return d->reserved.percent && atomic_read(&d->reserved.paid_until) <= now;
}

/* How long it may run at once, at most SCHED_SLICE_NS. */
static inline uint64_t share_slice(const struct domain *d)
{
    uint64_t slice = d->cap.percent * (SHARE_PERIOD_NS / 100);

    return slice && slice < SCHED_SLICE_NS ? slice : SCHED_SLICE_NS;
}

/* Its vCPUs that are up share its weight; its lock is held. */
void share_divide(struct domain *d);

/* It ends: what was reserved for it is others'. */
void share_give_back(struct domain *d);

#endif /* DOMAIN_SHARE_H */
