/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DHCP for the inside network (RFC 2131): each port already has its one
 * address, so the server is a function from a request to the answer and keeps
 * nothing.
 */

#ifndef CONTROL_NET_DHCP_H
#define CONTROL_NET_DHCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/ip4.h"
#include "net/wire.h"

#define DHCP_SERVER_PORT 67U
#define DHCP_CLIENT_PORT 68U

/* What is told to a client. */
struct dhcp_lease {
    const uint8_t *client_mac, *server_mac;
    uint32_t address; /* the client's */
    uint32_t server, netmask;
    uint32_t dns; /* 0: none */
};

/* Whether an IPv4 packet asks a DHCP server, here @server. */
bool dhcp_is_request(const struct ip4_view *view, uint32_t server);

/*
 * Turn the frame, whose packet is wholly present in @view, into the answer;
 * there is room for DHCP_FRAME_BYTES.  Its size; 0: nothing is to be answered.
 */
#define DHCP_FRAME_BYTES 342U
size_t dhcp_answer(uint8_t *frame, const struct ip4_view *view,
                   const struct dhcp_lease *lease);

#endif /* CONTROL_NET_DHCP_H */
