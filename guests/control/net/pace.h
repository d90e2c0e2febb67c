/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How often something may happen that a guest brings about: so often at once,
 * then once in so long.  All zero is a pace that has not been used.
 */

#ifndef CONTROL_NET_PACE_H
#define CONTROL_NET_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace_limit {
    uint64_t every_ns;
    uint32_t at_once;
};

struct pace {
    uint64_t spent_ns; /* every_ns for each use: paid off by then */
};

/* When the next use is allowed. */
static inline uint64_t pace_next(const struct pace *pace,
                                 const struct pace_limit *limit)
{
    uint64_t debt_max = limit->every_ns * (limit->at_once - 1);

    return pace->spent_ns > debt_max ? pace->spent_ns - debt_max : 0;
}

/* True: it may happen now, and is counted. */
static inline bool pace_take(struct pace *pace, const struct pace_limit *limit,
                             uint64_t now_ns)
{
    if (now_ns < pace_next(pace, limit))
        return false;
    if (pace->spent_ns < now_ns)
        pace->spent_ns = now_ns;
    pace->spent_ns += limit->every_ns;
    return true;
}

#endif /* CONTROL_NET_PACE_H */
