/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three domains in ordinary memory, with the real event room between them:
 * locks that check balance and order, and a record of who was notified.
 */

#ifndef TESTS_UNIT_EVENT_WORLD_H
#define TESTS_UNIT_EVENT_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/domain.h"
#include "domain/vcpu.h"
#include "event/evtchn.h"

#define WORLD_DOMAINS  3U
#define WORLD_VCPUS    2U
#define WORLD_MAX_PORT 300U /* five buckets, the last one not whole */

extern struct domain world[WORLD_DOMAINS];

/* How often each vCPU was notified since world_make(). */
extern unsigned int world_notified[WORLD_DOMAINS][WORLD_VCPUS];

/* Called, once, when the lock of domain @domid is dropped next. */
extern void (*world_on_unlock)(void);
extern domid_t world_on_unlock_of;

/* The interrupt whose port was closed last; how many were. */
extern uint32_t world_pirq_closed;
extern unsigned int world_pirqs_closed;

/* Objects of the pool that are not freed, locks held, system time. */
extern int world_objects, world_locks;
extern uint64_t world_now;

void world_make(void);

/* End all domains and check that nothing is left. */
void world_end(void);

bool world_pending(domid_t domid, evtchn_port_t port);
uint8_t world_state(domid_t domid, evtchn_port_t port);

#endif /* TESTS_UNIT_EVENT_WORLD_H */
