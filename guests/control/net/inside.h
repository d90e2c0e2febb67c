/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The router's own port on the inside network: the control domain's stack as
 * guests see it.  It asks no ARP: the switch knows every neighbour.
 */

#ifndef CONTROL_NET_INSIDE_H
#define CONTROL_NET_INSIDE_H

#include <stdint.h>

struct packet;

void inside_open(void);

/* A guest's packet for the router itself; it stays the caller's. */
void inside_input(const struct packet *packet);

#endif /* CONTROL_NET_INSIDE_H */
