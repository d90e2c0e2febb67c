/* SPDX-License-Identifier: MIT */
/* sched_op: giving up the processor, and ending. */

#ifndef ABI_SCHED_H
#define ABI_SCHED_H

#include <stddef.h>
#include <stdint.h>

#include <abi/domid.h>

#define SCHEDOP_yield           0
#define SCHEDOP_block           1 /* clears the upcall mask, then sleeps */
#define SCHEDOP_shutdown        2
#define SCHEDOP_poll            3
#define SCHEDOP_remote_shutdown 4
#define SCHEDOP_shutdown_code   5
#define SCHEDOP_watchdog        6
#define SCHEDOP_pin_override    7 /* -EPERM */

#define SHUTDOWN_poweroff   0U
#define SHUTDOWN_reboot     1U
#define SHUTDOWN_suspend    2U
#define SHUTDOWN_crash      3U
#define SHUTDOWN_watchdog   4U
#define SHUTDOWN_soft_reset 5U

struct sched_shutdown {
    uint32_t reason; /* IN: SHUTDOWN_* */
};

#define SCHED_POLL_MAX_PORTS 128U

/*
 * Sleep until one of @ports is pending, masked or not, or until system time
 * @timeout (nanoseconds, 0 = never); pending bits are left as they are.
 * -EINVAL: too many ports, or one out of range.
 */
struct sched_poll {
    uint64_t ports;    /* IN: address of evtchn_port_t[nr_ports] */
    uint32_t nr_ports; /* IN */
    uint64_t timeout;  /* IN */
};

struct sched_remote_shutdown {
    domid_t domain_id; /* IN */
    uint32_t reason;   /* IN */
};

/*
 * The domain is shut down with SHUTDOWN_watchdog after @timeout seconds, unless
 * it sets them anew.  @id 0 starts one and returns its id; a timeout of 0 for
 * another stops it.  -ENOSPC: all run; -EINVAL: it does not.
 */
#define SCHED_WATCHDOGS 2U
struct sched_watchdog {
    uint32_t id;      /* IN: 0, or 1 .. SCHED_WATCHDOGS */
    uint32_t timeout; /* IN: seconds */
};

_Static_assert(sizeof(struct sched_watchdog) == 8, "ABI");
_Static_assert(sizeof(struct sched_poll) == 24, "ABI");
_Static_assert(sizeof(struct sched_remote_shutdown) == 8, "ABI");

#endif /* ABI_SCHED_H */
