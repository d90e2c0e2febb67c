/* SPDX-License-Identifier: MIT */
/*
 * Network rings: transmit and receive, one page each.
 *
 * A transmit packet's first slot carries the packet's whole size, the
 * following fragments their own.  Every slot gets one response; the grant is
 * free before the response is published.  A receive response uses the slot of
 * the request whose buffer it fills.
 */

#ifndef ABI_IO_NETIF_H
#define ABI_IO_NETIF_H

#include <stdint.h>

#include <abi/grant_table.h>
#include <abi/io/ring.h>

#define NETIF_TX_RING_SLOTS 256U
#define NETIF_RX_RING_SLOTS 256U

/* Most slots a well-behaved frontend uses for one packet. */
#define NETIF_NR_SLOTS_MIN 18U

#define NETTXF_csum_blank     0x01U
#define NETTXF_data_validated 0x02U
#define NETTXF_more_data      0x04U
#define NETTXF_extra_info     0x08U

struct netif_tx_request {
    grant_ref_t gref;
    uint16_t offset; /* bytes in the page */
    uint16_t flags;  /* NETTXF_* */
    uint16_t id;
    uint16_t size; /* bytes; in the first slot those of the whole packet */
};

#define NETIF_EXTRA_TYPE_GSO  1U
#define NETIF_EXTRA_TYPE_MAX  6U
#define NETIF_EXTRA_FLAG_MORE 0x01U

#define NETIF_GSO_TYPE_TCPV4 1U

struct netif_extra_info {
    uint8_t type;
    uint8_t flags;
    union {
        struct {
            uint16_t size; /* bytes of data in each segment but the last */
            uint8_t type;  /* NETIF_GSO_TYPE_* */
            uint8_t pad;
            uint16_t features; /* 0 */
        } gso;
        uint8_t payload[6];
    } u;
};

#define NETIF_RSP_DROPPED (-2)
#define NETIF_RSP_ERROR   (-1)
#define NETIF_RSP_OKAY    0
#define NETIF_RSP_NULL    1 /* answers a slot of extra info */

struct netif_tx_response {
    uint16_t id;
    int16_t status; /* NETIF_RSP_* */
};

struct netif_rx_request {
    uint16_t id;
    uint16_t pad;
    grant_ref_t gref;
};

#define NETRXF_data_validated 0x01U
#define NETRXF_csum_blank     0x02U
#define NETRXF_more_data      0x04U
#define NETRXF_extra_info     0x08U

struct netif_rx_response {
    uint16_t id;
    uint16_t offset;
    uint16_t flags; /* NETRXF_* */
    int16_t status; /* bytes, or NETIF_RSP_* if negative */
};

struct netif_tx_ring {
    struct ring_header h;
    union netif_tx_slot {
        struct netif_tx_request req;
        struct netif_tx_response rsp;
        struct netif_extra_info extra;
    } slot[NETIF_TX_RING_SLOTS];
};

struct netif_rx_ring {
    struct ring_header h;
    union netif_rx_slot {
        struct netif_rx_request req;
        struct netif_rx_response rsp;
        struct netif_extra_info extra; /* behind a response */
    } slot[NETIF_RX_RING_SLOTS];
};

_Static_assert(sizeof(struct netif_tx_request) == 12, "ABI");
_Static_assert(sizeof(struct netif_extra_info) == 8, "ABI");
_Static_assert(sizeof(union netif_tx_slot) == 12, "ABI");
_Static_assert(sizeof(union netif_rx_slot) == 8, "ABI");
_Static_assert(sizeof(struct netif_tx_ring) <= 4096, "one page");
_Static_assert(sizeof(struct netif_rx_ring) <= 4096, "one page");

#endif /* ABI_IO_NETIF_H */
