/* SPDX-License-Identifier: BSD-2-Clause */
/* The rings of a network frontend; see netfront_ring.h. */

#include "netfront_ring.h"

#include <string.h>

#define PAGE_BYTES 4096U

static uint32_t load(const uint32_t *shared)
{
    return __atomic_load_n(shared, __ATOMIC_ACQUIRE);
}

/* Publish a producer index; true: the other side wants to hear of it. */
static bool publish(uint32_t *prod, const uint32_t *event, uint32_t *published,
                    uint32_t now)
{
    uint32_t before = *published;

    if (now == before)
        return false;
    __atomic_store_n(prod, now, __ATOMIC_SEQ_CST);
    *published = now;
    return ring_must_notify(now, before,
                            __atomic_load_n(event, __ATOMIC_SEQ_CST));
}

static void ask_event(uint32_t *event, uint32_t at)
{
    __atomic_store_n(event, at, __ATOMIC_SEQ_CST);
}

/* --- Transmit ------------------------------------------------------------- */

void front_tx_init(struct front_tx *tx, struct netif_tx_ring *shared)
{
    memset(shared, 0, PAGE_BYTES);
    shared->h.req_event = 1;
    shared->h.rsp_event = 1;
    memset(tx, 0, sizeof(*tx));
    tx->shared = shared;
}

void front_tx_add_page(struct front_tx *tx, struct lent_page page)
{
    uint32_t first = tx->page_count * TX_BUFFERS_PER_PAGE;

    tx->pages[tx->page_count++] = page;
    for (uint32_t id = first + TX_BUFFERS_PER_PAGE; id-- > first;)
        tx->free_ids[tx->free_count++] = (uint16_t)id;
}

static void tx_response(struct front_tx *tx, struct netif_tx_response rsp)
{
    if (rsp.id >= TX_BUFFERS_MAX || !tx->in_flight[rsp.id]) {
        tx->broken = true;
        return;
    }
    tx->in_flight[rsp.id] = false;
    tx->free_ids[tx->free_count++] = rsp.id;
    if (rsp.status != NETIF_RSP_OKAY)
        tx->errors++;
}

void front_tx_reap(struct front_tx *tx)
{
    uint32_t prod = load(&tx->shared->h.rsp_prod);

    if (prod - tx->rsp_cons > tx->published - tx->rsp_cons)
        tx->broken = true;
    while (!tx->broken && tx->rsp_cons != prod) {
        const volatile union netif_tx_slot *slot =
            &tx->shared->slot[tx->rsp_cons % NETIF_TX_RING_SLOTS];
        struct netif_tx_response rsp = {
            .id = slot->rsp.id,
            .status = slot->rsp.status,
        };

        tx_response(tx, rsp);
        tx->rsp_cons++;
    }
}

bool front_tx_ask_event(struct front_tx *tx)
{
    ask_event(&tx->shared->h.rsp_event, tx->rsp_cons + 1);
    return load(&tx->shared->h.rsp_prod) != tx->rsp_cons;
}

uint8_t *front_tx_buffer(struct front_tx *tx)
{
    uint16_t id;

    if (tx->broken || tx->free_count == 0)
        return NULL;
    id = tx->free_ids[tx->free_count - 1];
    return tx->pages[id / TX_BUFFERS_PER_PAGE].va +
           id % TX_BUFFERS_PER_PAGE * TX_BUFFER_BYTES;
}

void front_tx_push(struct front_tx *tx, uint16_t size)
{
    uint16_t id = tx->free_ids[--tx->free_count];

    /* Buffers are no more than slots, so there is always a free slot. */
    tx->shared->slot[tx->req_prod++ % NETIF_TX_RING_SLOTS].req =
        (struct netif_tx_request){
            .gref = tx->pages[id / TX_BUFFERS_PER_PAGE].ref,
            .offset = (uint16_t)(id % TX_BUFFERS_PER_PAGE * TX_BUFFER_BYTES),
            .id = id,
            .size = size,
        };
    tx->in_flight[id] = true;
}

bool front_tx_publish(struct front_tx *tx)
{
    return publish(&tx->shared->h.req_prod, &tx->shared->h.req_event,
                   &tx->published, tx->req_prod);
}

bool front_tx_idle(const struct front_tx *tx)
{
    return tx->free_count == tx->page_count * TX_BUFFERS_PER_PAGE;
}

/* --- Receive -------------------------------------------------------------- */

void front_rx_init(struct front_rx *rx, struct netif_rx_ring *shared)
{
    memset(shared, 0, PAGE_BYTES);
    shared->h.req_event = 1;
    shared->h.rsp_event = 1;
    memset(rx, 0, sizeof(*rx));
    rx->shared = shared;
}

static void post(struct front_rx *rx, uint8_t page)
{
    uint32_t slot = rx->req_prod++ % NETIF_RX_RING_SLOTS;

    rx->page_of_slot[slot] = page;
    rx->shared->slot[slot].req = (struct netif_rx_request){
        .id = (uint16_t)slot,
        .gref = rx->pages[page].ref,
    };
}

void front_rx_add_page(struct front_rx *rx, struct lent_page page)
{
    rx->pages[rx->page_count] = page;
    post(rx, (uint8_t)rx->page_count++);
}

uint32_t front_rx_posted(const struct front_rx *rx)
{
    return rx->req_prod - rx->rsp_cons;
}

/* The response in the next slot, which there is; true: a frame to use. */
static bool rx_response(struct front_rx *rx, const uint8_t **data, size_t *size)
{
    uint32_t slot = rx->rsp_cons % NETIF_RX_RING_SLOTS;
    const volatile struct netif_rx_response *shared =
        &rx->shared->slot[slot].rsp;
    uint16_t offset = shared->offset;
    uint16_t flags = shared->flags;
    int16_t status = shared->status;
    bool part =
        rx->skipping || (flags & (NETRXF_more_data | NETRXF_extra_info)) != 0;

    /* We never offered to take packets in several parts. */
    rx->skipping = (flags & (NETRXF_more_data | NETRXF_extra_info)) != 0;
    if (part || status <= 0 || offset > PAGE_BYTES ||
        status > (int)(PAGE_BYTES - offset)) {
        rx->errors++;
        return false;
    }
    *data = rx->pages[rx->page_of_slot[slot]].va + offset;
    *size = (size_t)status;
    return true;
}

bool front_rx_next(struct front_rx *rx, const uint8_t **data, size_t *size)
{
    uint32_t prod = load(&rx->shared->h.rsp_prod);

    if (prod - rx->rsp_cons > rx->published - rx->rsp_cons)
        rx->broken = true;
    while (!rx->broken && rx->rsp_cons != prod) {
        if (rx_response(rx, data, size))
            return true;
        front_rx_repost(rx);
    }
    return false;
}

void front_rx_repost(struct front_rx *rx)
{
    uint32_t slot = rx->rsp_cons++ % NETIF_RX_RING_SLOTS;

    post(rx, rx->page_of_slot[slot]);
}

bool front_rx_publish(struct front_rx *rx)
{
    return publish(&rx->shared->h.req_prod, &rx->shared->h.req_event,
                   &rx->published, rx->req_prod);
}

bool front_rx_waiting(const struct front_rx *rx)
{
    return !rx->broken && load(&rx->shared->h.rsp_prod) != rx->rsp_cons;
}

bool front_rx_ask_event(struct front_rx *rx)
{
    ask_event(&rx->shared->h.rsp_event, rx->rsp_cons + 1);
    return front_rx_waiting(rx);
}
