/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states of a split driver's two halves: each half writes its own "state"
 * node and watches the other's.
 */

#ifndef RT_XENBUS_H
#define RT_XENBUS_H

#include <stdint.h>

#include <abi/io/xenbus.h>

#include <rt/store.h>

/* XenbusStateUnknown for NULL, or for text that is no state. */
enum xenbus_state xenbus_state_parse(const char *text);

const char *xenbus_state_name(enum xenbus_state state);

/* Below @dir, the directory of one half (threads only). */
int xenbus_read_state(struct xs *xs, xs_tx_t tx, const char *dir,
                      enum xenbus_state *state);
int xenbus_write_state(struct xs *xs, xs_tx_t tx, const char *dir,
                       enum xenbus_state state);

/*
 * Wait until the half at @dir has one of the states in @mask (1 << state);
 * a missing node counts as XenbusStateUnknown.  -ABI_EAGAIN: system time
 * @deadline_ns came first.  Threads only.
 */
int xenbus_wait_state(struct xs *xs, const char *dir, unsigned int mask,
                      uint64_t deadline_ns, enum xenbus_state *state);

/*
 * Follow the state of the half at @dir: @fn is called from the loop's context
 * with the present state, and after each change.
 */
struct xenbus_follow;
typedef void (*xenbus_follow_fn)(void *arg, enum xenbus_state state);
int xenbus_follow(struct xs *xs, const char *dir, xenbus_follow_fn fn,
                  void *arg, struct xenbus_follow **follow);
void xenbus_unfollow(struct xenbus_follow *follow);

#endif /* RT_XENBUS_H */
