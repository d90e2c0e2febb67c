/* SPDX-License-Identifier: BSD-2-Clause */
/* How long a vCPU has been running, runnable, blocked and offline. */

#ifndef DOMAIN_RUNSTATE_H
#define DOMAIN_RUNSTATE_H

#include <stdint.h>

struct vcpu;

/* @v is in @runstate (RUNSTATE_*) from @now on; its run queue's lock is held.
 */
void runstate_set(struct vcpu *v, uint8_t runstate, uint64_t now);

#endif /* DOMAIN_RUNSTATE_H */
