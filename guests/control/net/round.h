/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The network's round: what is done when anything has happened.
 *
 *   card -> packets in, routed        -> guests' buffers
 *   guests, in turn -> batch -> copy in -> routed -> guests, card, own stack
 *   copy out; answer; tell the guests and the card
 *
 * A round is bounded; while there is more to do it queues itself behind the
 * loop's other work.  Guests take turns, TX_GUEST_TURN frames each, so the
 * one that sends most delays the others by one turn at most.  A guest whose
 * packets wait for the uplink is left out until they have gone.
 */

#ifndef CONTROL_NET_ROUND_H
#define CONTROL_NET_ROUND_H

struct vif;

/* Once, before all else. */
void round_init(void);

/* Something can go on: run a round soon. */
void round_wake(void);

/* The guest has sent an event, or has just connected. */
void round_activate(struct vif *vif);

/* It has answers that it was not told of yet. */
void round_dirty(struct vif *vif);

/* It is about to go: it is in no chain any more. */
void round_forget(struct vif *vif);

#endif /* CONTROL_NET_ROUND_H */
