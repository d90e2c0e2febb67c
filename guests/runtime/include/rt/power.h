/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ending at the administrator's wish: the store's control/shutdown.
 *
 * A wish is taken by emptying the node, as every guest does, so that whoever
 * wrote it sees that it was heard.
 */

#ifndef RT_POWER_H
#define RT_POWER_H

#include <rt/store.h>

/*
 * Heed "poweroff", "halt" and "reboot" in control/shutdown, and say so in
 * control/feature-poweroff and control/feature-reboot.  Other wishes are
 * logged and left alone.  Threads only; negative: no watch could be set.
 */
int rt_heed_shutdown(struct xs *xs);

#endif /* RT_POWER_H */
