/* SPDX-License-Identifier: BSD-2-Clause */
/* A network frontend: see netfront.h. */

#include "attack/netfront.h"

#include <string.h>

#include "attack/attack.h"
#include "attack/store.h"
#include "framework/grants.h"
#include "framework/machine.h"
#include "framework/ports.h"

#define MS 1000000UL

/* The backend follows a hasty frontend at leisure. */
#define WAIT_MS 5000

PAGES(tx_page, 1);
PAGES(rx_page, 1);
PAGES(buffer_pages, BUFFERS);

struct netif_tx_ring *const tx = (void *)tx_page;
struct netif_rx_ring *const rx = (void *)rx_page;
uint8_t *const buffers = buffer_pages;
evtchn_port_t net_port;

static void number_text(char *text, uint32_t value)
{
    char digits[12];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
}

bool write_number(const char *path, uint32_t value)
{
    char text[12];

    number_text(text, value);
    return store_write(path, text);
}

bool front_wait_backend(char state)
{
    char path[256], value[16];
    uint64_t limit = now_ns() + WAIT_MS * MS;

    if (!store_read(FRONT "backend", path, sizeof(path) - 8))
        return false;
    strcat(path, "/state");
    while (now_ns() < limit) {
        if (store_read(path, value, sizeof(value)) && value[0] == state)
            return true;
        idle_ns(5 * MS);
    }
    return false;
}

bool front_prepare(void)
{
    memset(tx_page, 0, PAGE_SIZE);
    memset(rx_page, 0, PAGE_SIZE);
    tx->h.req_event = tx->h.rsp_event = 1;
    rx->h.req_event = rx->h.rsp_event = 1;
    if (!grants_init())
        return false;
    net_port = port_alloc_unbound(0);
    grant_give(TX_REF, 0, tx_page, 0);
    grant_give(RX_REF, 0, rx_page, 0);
    for (unsigned int i = 0; i < BUFFERS; i++)
        grant_give(DATA_REF + i, 0, buffers + i * PAGE_SIZE, 0);
    return write_number(FRONT "tx-ring-ref", TX_REF) &&
           write_number(FRONT "rx-ring-ref", RX_REF) &&
           write_number(FRONT "event-channel", net_port) &&
           store_write(FRONT "request-rx-copy", "1") &&
           store_write(FRONT "feature-rx-notify", "1");
}

bool front_connect(void)
{
    return front_wait_backend('2') && front_prepare() &&
           store_write(FRONT "state", "4") && front_wait_backend('4');
}

void front_disconnect(void)
{
    store_write(FRONT "state", "5");
    store_write(FRONT "state", "6");
    front_wait_backend('6');
    port_close(net_port);
    store_write(FRONT "state", "1");
}

bool front_send(unsigned int buffer, uint16_t size)
{
    uint32_t at = tx->h.req_prod;
    uint64_t limit = now_ns() + 1000 * MS;

    tx->slot[at % NETIF_TX_RING_SLOTS].req = (struct netif_tx_request){
        .gref = DATA_REF + buffer, .id = (uint16_t)buffer, .size = size};
    __atomic_store_n(&tx->h.req_prod, at + 1, __ATOMIC_SEQ_CST);
    port_send(net_port);
    while (__atomic_load_n(&tx->h.rsp_prod, __ATOMIC_SEQ_CST) != at + 1) {
        if (now_ns() > limit)
            return false;
        idle_ns(MS / 20);
    }
    return true;
}
