/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the clocks. */

#ifndef RT_TIME_H
#define RT_TIME_H

#include <stdint.h>

#define RT_NS_PER_US 1000ULL
#define RT_NS_PER_MS 1000000ULL
#define RT_NS_PER_S  1000000000ULL

/* System time: nanoseconds since the host started; never goes back. */
uint64_t rt_now_ns(void);

/* System time when this domain started to run. */
uint64_t rt_start_ns(void);

/* Wall clock: nanoseconds since 1970, UTC. */
uint64_t rt_wall_ns(void);

#endif /* RT_TIME_H */
