/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading and answering netif rings. */

#include "net/netback_ring.h"

#include <string.h>

#include "net/wire.h"

#define RING_PAGE_BYTES 4096U

/*
 * Words are copied one by one through a volatile pointer: the compiler may
 * then neither read one twice nor look back at the page later.
 */
static void copy_slot(void *to, const void *slot, size_t bytes)
{
    const volatile uint32_t *from = slot;

    for (size_t i = 0; i < bytes / sizeof(uint32_t); i++) {
        uint32_t word = from[i];

        memcpy((uint8_t *)to + i * sizeof(word), &word, sizeof(word));
    }
}

/*
 * Requests between @cons and the guest's index; more than @slots is a lie.
 * Slots are read after the index that covers them.
 */
static uint32_t request_count(const struct ring_header *h, uint32_t cons)
{
    return __atomic_load_n(&h->req_prod, __ATOMIC_ACQUIRE) - cons;
}

/* Ask for an event at the next request, and look once more. */
static bool request_wait(struct ring_header *h, uint32_t cons)
{
    if (request_count(h, cons) != 0)
        return true;
    __atomic_store_n(&h->req_event, cons + 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return request_count(h, cons) != 0;
}

static bool publish(struct ring_header *h, uint32_t *published, uint32_t prod)
{
    uint32_t old = *published;

    if (old == prod)
        return false;
    __atomic_store_n(&h->rsp_prod, prod, __ATOMIC_RELEASE);
    *published = prod;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return ring_must_notify(prod, old,
                            __atomic_load_n(&h->rsp_event, __ATOMIC_RELAXED));
}

/* --- Transmit --------------------------------------------------------------
 */

void tx_ring_attach(struct tx_ring *ring, struct netif_tx_ring *page)
{
    uint32_t at = __atomic_load_n(&page->h.rsp_prod, __ATOMIC_RELAXED);

    *ring = (struct tx_ring){
        .page = page, .req_cons = at, .rsp_prod = at, .rsp_published = at};
}

static union netif_tx_slot *tx_slot(struct tx_ring *ring, uint32_t index)
{
    return &ring->page->slot[index % NETIF_TX_RING_SLOTS];
}

static enum ring_take tx_break(struct tx_ring *ring)
{
    ring->broken = true;
    return RING_BROKEN;
}

static bool is_gso(const struct netif_extra_info *extra)
{
    return extra->type == NETIF_EXTRA_TYPE_GSO &&
           extra->u.gso.type == NETIF_GSO_TYPE_TCPV4 &&
           extra->u.gso.size >= TX_GSO_MIN && extra->u.gso.size <= TX_GSO_MAX;
}

/* False: the ring is broken. */
static bool take_extras(struct tx_ring *ring, struct tx_packet *packet,
                        uint32_t *left)
{
    struct netif_extra_info extra;
    uint32_t slot[sizeof(struct netif_tx_request) / sizeof(uint32_t)];

    do {
        if (*left == 0 || packet->extra_count == TX_EXTRAS_MAX)
            return false;
        copy_slot(slot, tx_slot(ring, ring->req_cons), sizeof(slot));
        memcpy(&extra, slot, sizeof(extra));
        ring->req_cons++;
        --*left;
        packet->extra_count++;
        if (extra.type == 0 || extra.type >= NETIF_EXTRA_TYPE_MAX)
            return false;
        if (is_gso(&extra))
            packet->gso_bytes = extra.u.gso.size;
        else /* No other was offered. */
            packet->status = NETIF_RSP_ERROR;
    } while ((extra.flags & NETIF_EXTRA_FLAG_MORE) != 0);
    return true;
}

/* False: the ring is broken. */
static bool take_slot(struct tx_ring *ring, struct tx_packet *packet,
                      struct netif_tx_request *request, uint32_t *left)
{
    uint8_t n = packet->slot_count;

    if (*left == 0 || n == TX_SLOTS_FATAL - 1)
        return false;
    copy_slot(request, tx_slot(ring, ring->req_cons), sizeof(*request));
    ring->req_cons++;
    --*left;

    packet->id[n] = request->id;
    packet->slot_count++;
    if (n < TX_SLOTS_MAX) {
        packet->part[n].ref = request->gref;
        packet->part[n].offset = request->offset;
        packet->part[n].bytes = request->size;
    } else {
        packet->status = NETIF_RSP_ERROR; /* More than any frontend needs. */
    }
    return true;
}

static bool crosses_page(uint32_t offset, uint32_t bytes)
{
    return offset + bytes > RING_PAGE_BYTES;
}

/* The slots behind the first.  False: the ring is broken. */
static bool take_fragments(struct tx_ring *ring, struct tx_packet *packet,
                           uint32_t *left)
{
    struct netif_tx_request request;
    uint32_t sum = 0;

    do {
        if (!take_slot(ring, packet, &request, left) ||
            crosses_page(request.offset, request.size))
            return false;
        sum += request.size;
    } while ((request.flags & NETTXF_more_data) != 0);

    /* What the fragments do not hold is in the first slot. */
    if (sum >= packet->bytes) {
        packet->status = NETIF_RSP_ERROR;
        packet->part[0].bytes = 0;
    } else {
        packet->part[0].bytes = (uint16_t)(packet->bytes - sum);
    }
    return true;
}

/* What is to be cut may be as large as can be said; its sums are made then. */
static bool has_size(const struct tx_packet *packet)
{
    if (packet->gso_bytes != 0 && !(packet->flags & NETTXF_csum_blank))
        return false;
    return packet->bytes >= ETH_HEADER_BYTES &&
           (packet->gso_bytes != 0 || packet->bytes <= ETH_FRAME_MAX);
}

enum ring_take tx_ring_take(struct tx_ring *ring, struct tx_packet *packet)
{
    struct netif_tx_request first;
    uint32_t left;

    if (ring->broken)
        return RING_BROKEN;
    left = request_count(&ring->page->h, ring->req_cons);
    if (left == 0)
        return RING_EMPTY;
    if (left > NETIF_TX_RING_SLOTS)
        return tx_break(ring);

    packet->status = NETIF_RSP_OKAY;
    packet->slot_count = 0;
    packet->extra_count = 0;
    packet->gso_bytes = 0;
    take_slot(ring, packet, &first, &left);
    packet->bytes = first.size;
    packet->flags = first.flags;

    if ((first.flags & NETTXF_extra_info) != 0 &&
        !take_extras(ring, packet, &left))
        return tx_break(ring);
    if ((first.flags & NETTXF_more_data) != 0 &&
        !take_fragments(ring, packet, &left))
        return tx_break(ring);
    /* An error was found already if the fragments left it nothing. */
    if (crosses_page(first.offset, packet->part[0].bytes))
        return tx_break(ring);

    if (!has_size(packet))
        packet->status = NETIF_RSP_ERROR;
    return RING_TAKEN;
}

bool tx_ring_wait(struct tx_ring *ring)
{
    return !ring->broken && request_wait(&ring->page->h, ring->req_cons);
}

static void tx_respond(struct tx_ring *ring, uint16_t id, int16_t status)
{
    tx_slot(ring, ring->rsp_prod)->rsp =
        (struct netif_tx_response){.id = id, .status = status};
    ring->rsp_prod++;
}

void tx_ring_answer(struct tx_ring *ring, const struct tx_packet *packet)
{
    if (ring->broken)
        return;

    tx_respond(ring, packet->id[0], packet->status);
    for (uint8_t i = 0; i < packet->extra_count; i++)
        tx_respond(ring, 0, NETIF_RSP_NULL);
    for (uint8_t i = 1; i < packet->slot_count; i++)
        tx_respond(ring, packet->id[i], packet->status);
}

bool tx_ring_publish(struct tx_ring *ring)
{
    return !ring->broken &&
           publish(&ring->page->h, &ring->rsp_published, ring->rsp_prod);
}

/* --- Receive ---------------------------------------------------------------
 */

void rx_ring_attach(struct rx_ring *ring, struct netif_rx_ring *page)
{
    uint32_t at = __atomic_load_n(&page->h.rsp_prod, __ATOMIC_RELAXED);

    *ring = (struct rx_ring){
        .page = page, .req_cons = at, .rsp_prod = at, .rsp_published = at};
}

enum ring_take rx_ring_take(struct rx_ring *ring,
                            struct netif_rx_request *request)
{
    uint32_t left;

    if (ring->broken)
        return RING_BROKEN;
    left = request_count(&ring->page->h, ring->req_cons);
    if (left == 0)
        return RING_EMPTY;
    if (left > NETIF_RX_RING_SLOTS) {
        ring->broken = true;
        return RING_BROKEN;
    }

    copy_slot(request, &ring->page->slot[ring->req_cons % NETIF_RX_RING_SLOTS],
              sizeof(*request));
    ring->req_cons++;
    return RING_TAKEN;
}

bool rx_ring_wait(struct rx_ring *ring)
{
    return !ring->broken && request_wait(&ring->page->h, ring->req_cons);
}

bool rx_ring_has(const struct rx_ring *ring, uint32_t count)
{
    uint32_t left;

    if (ring->broken)
        return false;
    left = request_count(&ring->page->h, ring->req_cons);
    return left >= count && left <= NETIF_RX_RING_SLOTS;
}

void rx_ring_answer_gso(struct rx_ring *ring, uint16_t gso_bytes)
{
    if (ring->broken)
        return;
    ring->page->slot[ring->rsp_prod % NETIF_RX_RING_SLOTS].extra =
        (struct netif_extra_info){
            .type = NETIF_EXTRA_TYPE_GSO,
            .u.gso = {.size = gso_bytes, .type = NETIF_GSO_TYPE_TCPV4},
        };
    ring->rsp_prod++;
}

void rx_ring_answer(struct rx_ring *ring,
                    const struct netif_rx_response *response)
{
    if (ring->broken)
        return;
    ring->page->slot[ring->rsp_prod % NETIF_RX_RING_SLOTS].rsp = *response;
    ring->rsp_prod++;
}

bool rx_ring_publish(struct rx_ring *ring)
{
    return !ring->broken &&
           publish(&ring->page->h, &ring->rsp_published, ring->rsp_prod);
}
