/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests are told about time.
 *
 * A writer makes the version odd, writes, and makes it even again; a reader
 * that saw it odd or changed tries again.
 */

#include "domain/vcpu.h"

/* The page is the guest's too, so the version is what it left there. */
static uint32_t begin(uint32_t *version)
{
    uint32_t odd = atomic_read(version) | 1;

    atomic_write(version, odd);
    barrier(); /* x86 does not reorder stores; the compiler must not. */
    return odd;
}

static void end(uint32_t *version, uint32_t odd)
{
    barrier();
    atomic_write(version, odd + 1);
}

void time_info_write(struct vcpu_time_info *t)
{
    uint32_t odd = begin(&t->version);

    t->tsc_timestamp = tsc_at_boot;
    t->system_time = 0;
    t->tsc_to_system_mul = tsc_scale.mul;
    t->tsc_shift = tsc_scale.shift;
    t->flags = VCPU_TIME_TSC_STABLE;
    end(&t->version, odd);
}

void domain_update_wallclock(struct domain *d)
{
    struct shared_info *s = d->shared_info;
    uint32_t odd = begin(&s->wc_version);

    s->wc_sec = (uint32_t)wallclock_at_boot;
    s->wc_sec_hi = (uint32_t)(wallclock_at_boot >> 32);
    s->wc_nsec = 0;
    end(&s->wc_version, odd);
}
