/* SPDX-License-Identifier: BSD-2-Clause */
/* Answering DHCP requests in place. */

#include "net/dhcp.h"

#include "net/checksum.h"

/* Fields of a message, RFC 2131 section 2. */
#define AT_OP      0
#define AT_HTYPE   1
#define AT_HLEN    2
#define AT_XID     4
#define AT_SECS    8
#define AT_CIADDR  12
#define AT_YIADDR  16
#define AT_CHADDR  28
#define AT_COOKIE  236
#define AT_OPTIONS 240

#define BOOTREQUEST 1
#define BOOTREPLY   2
#define COOKIE      0x63825363U

/* Options, RFC 2132. */
#define OPT_PAD       0
#define OPT_NETMASK   1
#define OPT_ROUTER    3
#define OPT_DNS       6
#define OPT_REQUESTED 50
#define OPT_LEASE     51
#define OPT_TYPE      53
#define OPT_SERVER    54
#define OPT_END       255

enum type {
    DISCOVER = 1,
    OFFER,
    REQUEST,
    DECLINE,
    ACK,
    NAK,
    RELEASE,
    INFORM,
};

/* Addresses never change while a domain runs; a client asks now and then. */
#define LEASE_SECONDS 86400U

/* A message no shorter than BOOTP's, which old clients insist on. */
#define MESSAGE_BYTES                                                          \
    (DHCP_FRAME_BYTES - ETH_HEADER_BYTES - IP4_HEADER_BYTES - UDP_HEADER_BYTES)

#define TTL 64

static const uint8_t everybody[ETH_ADDR_BYTES] = {255, 255, 255, 255, 255, 255};

struct request {
    uint8_t type;
    uint32_t requested, server; /* options; 0: absent */
    uint32_t ciaddr;
};

bool dhcp_is_request(const struct ip4_view *view, uint32_t server)
{
    return view->proto == PROTO_UDP && ip4_has_transport(view) &&
           wire_get16(view->payload + PORT_SRC) == DHCP_CLIENT_PORT &&
           wire_get16(view->payload + PORT_DST) == DHCP_SERVER_PORT &&
           (view->dst == server || view->dst == UINT32_MAX);
}

/* --- Reading -------------------------------------------------------------- */

static void read_option(struct request *r, uint8_t code, const uint8_t *value,
                        uint8_t bytes)
{
    if (code == OPT_TYPE && bytes == 1)
        r->type = value[0];
    else if (code == OPT_REQUESTED && bytes == 4)
        r->requested = wire_get32(value);
    else if (code == OPT_SERVER && bytes == 4)
        r->server = wire_get32(value);
}

/* What goes beyond the message ends the list. */
static void read_options(struct request *r, const uint8_t *at, size_t left)
{
    while (left >= 2 && at[0] != OPT_END) {
        size_t bytes = at[0] == OPT_PAD ? 1 : 2U + at[1];

        if (bytes > left)
            return;
        if (at[0] != OPT_PAD)
            read_option(r, at[0], at + 2, at[1]);
        at += bytes;
        left -= bytes;
    }
}

static bool read_message(struct request *r, const uint8_t *m, size_t bytes,
                         const struct dhcp_lease *lease)
{
    if (bytes < AT_OPTIONS || m[AT_OP] != BOOTREQUEST || m[AT_HTYPE] != 1 ||
        m[AT_HLEN] != ETH_ADDR_BYTES || wire_get32(m + AT_COOKIE) != COOKIE ||
        !eth_same(m + AT_CHADDR, lease->client_mac))
        return false;
    *r = (struct request){.ciaddr = wire_get32(m + AT_CIADDR)};
    read_options(r, m + AT_OPTIONS, bytes - AT_OPTIONS);

    return true;
}

/* 0: nothing. */
static uint8_t answer_type(const struct request *r,
                           const struct dhcp_lease *lease)
{
    uint32_t wanted = r->requested ? r->requested : r->ciaddr;

    switch (r->type) {
    case DISCOVER:
        return OFFER;
    case REQUEST:
        if (r->server && r->server != lease->server)
            return 0; /* It has chosen another server. */
        return wanted == lease->address ? ACK : NAK;
    case INFORM:
        return ACK;
    default:
        return 0;
    }
}

/* --- Writing -------------------------------------------------------------- */

static uint8_t *put_option(uint8_t *at, uint8_t code, uint32_t value)
{
    at[0] = code;
    at[1] = 4;
    wire_put32(at + 2, value);

    return at + 6;
}

/* Of the request these stay: hlen, xid, flags, chaddr. */
static void write_message(uint8_t *m, uint8_t type, bool inform,
                          const struct dhcp_lease *lease)
{
    uint8_t *at = m + AT_OPTIONS;

    m[AT_OP] = BOOTREPLY;
    memset(m + AT_SECS, 0, 2);
    if (type == NAK)
        memset(m + AT_CIADDR, 0, 4);
    memset(m + AT_YIADDR, 0, AT_CHADDR - AT_YIADDR);
    memset(m + AT_CHADDR + ETH_ADDR_BYTES, 0,
           AT_COOKIE - AT_CHADDR - ETH_ADDR_BYTES);
    memset(m + AT_OPTIONS, 0, MESSAGE_BYTES - AT_OPTIONS);

    *at++ = OPT_TYPE;
    *at++ = 1;
    *at++ = type;
    at = put_option(at, OPT_SERVER, lease->server);
    if (type != NAK) {
        if (!inform) {
            wire_put32(m + AT_YIADDR, lease->address);
            at = put_option(at, OPT_LEASE, LEASE_SECONDS);
        }
        at = put_option(at, OPT_NETMASK, lease->netmask);
        at = put_option(at, OPT_ROUTER, lease->server);
        if (lease->dns)
            at = put_option(at, OPT_DNS, lease->dns);
    }
    *at = OPT_END;
}

/* To everybody: a client without an address hears nothing else for sure. */
static void write_headers(uint8_t *frame, const struct dhcp_lease *lease)
{
    uint8_t *ip = frame + ETH_HEADER_BYTES, *udp = ip + IP4_HEADER_BYTES;

    eth_header(frame, everybody, lease->server_mac, ETH_TYPE_IP4);
    memset(ip, 0, IP4_HEADER_BYTES + UDP_HEADER_BYTES);
    ip[IP4_VERSION_IHL] = 0x45;
    wire_put16(ip + IP4_TOTAL, DHCP_FRAME_BYTES - ETH_HEADER_BYTES);
    ip[IP4_TTL] = TTL;
    ip[IP4_PROTO] = PROTO_UDP;
    wire_put32(ip + IP4_SRC, lease->server);
    wire_put32(ip + IP4_DST, UINT32_MAX);
    wire_put16(ip + IP4_CHECKSUM, checksum(ip, IP4_HEADER_BYTES));
    wire_put16(udp + PORT_SRC, DHCP_SERVER_PORT);
    wire_put16(udp + PORT_DST, DHCP_CLIENT_PORT);
    wire_put16(udp + UDP_LENGTH, UDP_HEADER_BYTES + MESSAGE_BYTES);
}

size_t dhcp_answer(uint8_t *frame, const struct ip4_view *view,
                   const struct dhcp_lease *lease)
{
    uint8_t *m = frame + ETH_HEADER_BYTES + IP4_HEADER_BYTES + UDP_HEADER_BYTES;
    struct ip4_view reply;
    struct request r;
    uint8_t type;

    if (view->fragment || view->payload_here != view->payload_bytes ||
        view->payload_bytes < UDP_HEADER_BYTES ||
        !read_message(&r, view->payload + UDP_HEADER_BYTES,
                      view->payload_bytes - UDP_HEADER_BYTES, lease))
        return 0;
    type = answer_type(&r, lease);
    if (!type)
        return 0;

    /* IP options of the request's are not in the answer. */
    memmove(m, view->payload + UDP_HEADER_BYTES, AT_OPTIONS);
    write_message(m, type, r.type == INFORM, lease);
    write_headers(frame, lease);
    if (!ip4_parse(&reply, frame + ETH_HEADER_BYTES,
                   DHCP_FRAME_BYTES - ETH_HEADER_BYTES,
                   DHCP_FRAME_BYTES - ETH_HEADER_BYTES) ||
        !checksum_complete(&reply))
        return 0;

    return DHCP_FRAME_BYTES;
}
