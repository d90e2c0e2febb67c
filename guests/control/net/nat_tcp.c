/* SPDX-License-Identifier: BSD-2-Clause */
/* Following TCP connections by their flags; see the drawing in the header. */

#include "net/nat_tcp.h"

#include "net/wire.h"

#define FLAGS_THAT_COUNT (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)
#define BOTH_FINISHED    (NAT_TCP_FIN_INSIDE | NAT_TCP_FIN_OUTSIDE)

bool nat_tcp_begins(uint8_t flags)
{
    return (flags & FLAGS_THAT_COUNT) == TCP_SYN;
}

static enum nat_life opening_step(struct nat_flow *flow, const uint8_t *tcp,
                                  uint8_t flags, bool from_opener)
{
    if (!from_opener && flags == (TCP_SYN | TCP_ACK)) {
        flow->expected = wire_get32(tcp + TCP_SEQUENCE) + 1;
        flow->tcp |= NAT_TCP_SYN_ACK;
        return NAT_TCP_OPENING;
    }

    if (from_opener && (flow->tcp & NAT_TCP_SYN_ACK) != 0 &&
        (flags & (TCP_ACK | TCP_SYN)) == TCP_ACK &&
        wire_get32(tcp + TCP_ACKNOWLEDGE) == flow->expected)
        return NAT_TCP_OPEN;

    return NAT_TCP_OPENING;
}

static enum nat_life closing_step(struct nat_flow *flow, uint8_t flags,
                                  bool from_inside, bool from_opener)
{
    uint8_t reset_by_peer =
        from_inside ? NAT_TCP_RST_OUTSIDE : NAT_TCP_RST_INSIDE;

    if (from_opener && nat_tcp_begins(flags)) {
        flow->tcp &= NAT_TCP_FROM_OUTSIDE; /* The ports are used again. */
        return NAT_TCP_OPENING;
    }

    if ((flow->tcp & reset_by_peer) != 0 && flags == TCP_ACK) {
        flow->tcp &= (uint8_t)~reset_by_peer;
        /* It never was open if the answer to its SYN was not seen. */
        if ((flow->tcp & BOTH_FINISHED) != BOTH_FINISHED)
            return (flow->tcp & NAT_TCP_OPENED) != 0 ? NAT_TCP_OPEN
                                                     : NAT_TCP_OPENING;
    }
    return NAT_TCP_CLOSING;
}

enum nat_life nat_tcp_step(struct nat_flow *flow, const uint8_t *tcp,
                           bool from_inside)
{
    uint8_t flags = tcp[TCP_FLAGS] & FLAGS_THAT_COUNT;
    bool from_opener = from_inside != ((flow->tcp & NAT_TCP_FROM_OUTSIDE) != 0);
    enum nat_life life = flow->life;

    if (life == NAT_TCP_CLOSING)
        life = closing_step(flow, flags, from_inside, from_opener);
    else if (life == NAT_TCP_OPENING)
        life = opening_step(flow, tcp, flags, from_opener);

    if (life == NAT_TCP_OPEN)
        flow->tcp |= NAT_TCP_OPENED;

    if ((flags & TCP_FIN) != 0)
        flow->tcp |= from_inside ? NAT_TCP_FIN_INSIDE : NAT_TCP_FIN_OUTSIDE;
    if ((flags & TCP_RST) != 0) {
        flow->tcp |= from_inside ? NAT_TCP_RST_INSIDE : NAT_TCP_RST_OUTSIDE;
        return NAT_TCP_CLOSING;
    }
    if (life == NAT_TCP_OPEN && (flow->tcp & BOTH_FINISHED) == BOTH_FINISHED)
        return NAT_TCP_CLOSING;
    return life;
}
