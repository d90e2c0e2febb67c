/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How far a TCP connection has come, as seen from between its ends.
 *
 *              SYN            SYN|ACK, then the opener's ACK of it
 *      (none) -----> OPENING ------------------------------------> OPEN
 *                     |  ^                                        |   ^
 *                 RST |  | SYN of the opener             FIN from |   | the
 * side v  |                          both, or RST  v   | that got CLOSING
 * <------------------------------------'   | the RST
 *                       '---------------------------------------------' goes on
 *
 * Only the exact acknowledgement of the answer opens a connection, so forged
 * SYNs from outside never leave OPENING, where flows are short-lived and can
 * be displaced.  A RST is believed only as long as its receiver is silent:
 * a forged one costs the flow its long life until the next packet.
 */

#ifndef CONTROL_NET_NAT_TCP_H
#define CONTROL_NET_NAT_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nat_flow.h"

/* May a segment with these flags begin a connection? */
bool nat_tcp_begins(uint8_t flags);

/*
 * A segment of @flow passes, its whole TCP header at @tcp, sent from inside
 * or not.  Returns the life it has from now on.
 */
enum nat_life nat_tcp_step(struct nat_flow *flow, const uint8_t *tcp,
                           bool from_inside);

#endif /* CONTROL_NET_NAT_TCP_H */
