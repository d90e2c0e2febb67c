/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real rounds for tests: rings, batches, switch, NAT.  Around them are a
 * machine of a few pages that carries out grant copies, guests in short words,
 * and a card and a stack that only take down what they get.
 */

#ifndef TESTS_UNIT_CONTROL_NET_DATAPATH_H
#define TESTS_UNIT_CONTROL_NET_DATAPATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/vif.h"
#include "packets.h"

#define ROUTER IP4(10, 64, 0, 1)
#define UPLINK IP4(10, 0, 2, 15)
#define REMOTE IP4(192, 0, 2, 7)

#define GUESTS      5
#define GUEST_PAGES 600U
#define RX_PAGES    256U /* references below are receive buffers */

struct guest {
    struct vif vif;
    struct netif_tx_ring tx;
    struct netif_rx_ring rx;
    uint8_t page[GUEST_PAGES][4096];
    uint32_t rx_seen, events;
    uint16_t next_page;
};
extern struct guest guest[GUESTS];

/* Connect all guests; take them away, and see that no packet is lost. */
void datapath_make(void);
void datapath_end(void);

/* --- The machine ---------------------------------------------------------- */

extern uint64_t clock_ns;

/* Grant copies that were carried out, and the calls that did. */
extern uint32_t copies, copy_calls;

/* Called, once, before the copies of the second call. */
extern void (*on_second_call)(void);

/* The next round, if one is queued. */
extern bool work_queued;
extern void (*work_fn)(void *arg);

/* Rounds until none is queued. */
void run(void);

/* --- Card and stack --------------------------------------------------------
 */

#define CARD_MAX 4096

extern struct packet *card_out[CARD_MAX];
extern uint32_t card_out_count;
extern uint32_t card_holds; /* not 0: what it gets waits for it */
extern uint32_t stack_count, uplink_stack_count;

/* It has sent all that it got. */
void card_done(void);
void from_card(const struct test_packet *p);

/* --- Guests, from 0 ---------------------------------------------------------
 */

uint32_t address_of(int g);
void mac_of(int g, uint8_t *mac);

/* Post @count receive buffers. */
void post(int g, uint32_t count);

/* Send a frame in pieces of at most @piece bytes. */
void to_router(int g, const struct test_packet *p, uint16_t flags,
               size_t piece);
void to_guest(int g, int to, const struct test_packet *p, uint16_t flags,
              size_t piece);

/* The next frame guest @g has got; NULL: none.  Its response is in *rsp. */
const uint8_t *got(int g, struct netif_rx_response *rsp);

/* What its transmit request number @index was answered with. */
int tx_status(int g, uint32_t index);

#endif /* TESTS_UNIT_CONTROL_NET_DATAPATH_H */
