/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ICMP errors about translated flows.
 *
 * An error quotes the packet that it is about, so both the outer header and
 * the quotation are rewritten, and only if the quotation names a known flow.
 */

#ifndef CONTROL_NET_NAT_ICMP_H
#define CONTROL_NET_NAT_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "net/nat.h"

/*
 * Unreachable, time exceeded, parameter problem.  Redirects and source quench
 * do not count: nothing good can come of them through a NAT.
 */
bool nat_icmp_is_error(uint8_t type);

/* False: to be dropped for *reason. */
bool nat_icmp_outward(struct nat *nat, struct nat_guest *guest,
                      struct ip4_view *view, enum nat_drop *reason);

/* NAT_NOT_OURS: about a packet of no flow, maybe of our own stack. */
enum nat_verdict nat_icmp_inward(struct nat *nat, struct ip4_view *view,
                                 struct nat_guest **guest,
                                 enum nat_drop *reason);

#endif /* CONTROL_NET_NAT_ICMP_H */
