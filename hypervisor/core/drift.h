/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether the TSC keeps time: it is compared with ACPI's PM timer, where there
 * is one, when the CPU is in the hypervisor anyway and some time has passed.
 * What is too far off is reported, and not corrected.
 */

#pragma once

#include "arch/x86_64/cpu.h"

struct drift {
    uint32_t ticks; /* of the PM timer, at the last comparison */
    uint64_t ns;    /* compared so far */
    int64_t ahead;  /* the PM timer's lead over the TSC, in its ticks */
};

/* After the TSC's @ns since the last comparison the PM timer shows @ticks. */
void drift_add(struct drift *d, uint64_t ns, uint32_t ticks);

/* Millionths by which the TSC is too slow. */
int64_t drift_ppm(const struct drift *d);

extern uint64_t drift_due; /* the TSC at the next comparison */
void drift_compare(void);

/* Compare if it is time to; takes the log's lock.  The first one only begins.
 */
static inline void drift_check(void)
{
    if (unlikely((int64_t)(rdtsc() - atomic_read(&drift_due)) >= 0))
        drift_compare();
}
