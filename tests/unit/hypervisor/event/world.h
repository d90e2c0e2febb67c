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

#define WORLD_PAGES 8U /* that a domain can register for FIFO */

/* Pages that are refused: read-only, and for lack of memory. */
#define WORLD_PAGE_READ_ONLY 100U
#define WORLD_PAGE_NO_MEMORY 101U

extern struct domain world[WORLD_DOMAINS];

/* Of all domains made next; world_end() sets it back to WORLD_MAX_PORT. */
extern uint32_t world_max_port;

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

/* While true, a lock that is merely tried is never free. */
extern bool world_contended;

/* Calls that are to be repeated for want of memory. */
extern unsigned int world_repeats;

/* Pins that page @page of a domain has. */
unsigned int world_pins(domid_t domid, uint32_t page);

/*
 * FIFO: control blocks of all vCPUs in page 0, event words from page 1 on,
 * all of which are registered.
 */
void world_fifo(domid_t domid);
struct evtchn_fifo_control *world_control(domid_t domid, uint32_t vcpu);
uint32_t *world_word(domid_t domid, evtchn_port_t port);

/*
 * Take all queues as a guest does, highest priority first: @handle of each
 * port that is pending and not masked, which is not pending any more.
 */
void world_fifo_take(domid_t domid, uint32_t vcpu,
                     void (*handle)(domid_t domid, evtchn_port_t port));

bool world_pending(domid_t domid, evtchn_port_t port);
uint8_t world_state(domid_t domid, evtchn_port_t port);

#endif /* TESTS_UNIT_EVENT_WORLD_H */
