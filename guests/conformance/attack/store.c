/* SPDX-License-Identifier: BSD-2-Clause */
/* A client of the store: see store.h. */

#include "attack/store.h"

#include <string.h>

#include "framework/machine.h"
#include "framework/ports.h"

#define WAIT_NS 1000000000UL

struct xenstore_domain_interface *store_page(void)
{
    return (void *)(uintptr_t)(layout.virt_base +
                               start_info->store_mfn * PAGE_SIZE);
}

void store_notify(void)
{
    port_send(start_info->store_evtchn);
}

static uint32_t load(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

size_t store_put(const void *data, size_t size)
{
    struct xenstore_domain_interface *ring = store_page();
    uint32_t prod = ring->req_prod;
    size_t room = XENSTORE_RING_BYTES - (prod - load(&ring->req_cons));
    const char *bytes = data;

    if (room > XENSTORE_RING_BYTES)
        room = 0;
    if (size > room)
        size = room;
    for (size_t i = 0; i < size; i++)
        ring->req[(prod + i) % XENSTORE_RING_BYTES] = bytes[i];
    __atomic_store_n(&ring->req_prod, prod + (uint32_t)size, __ATOMIC_SEQ_CST);
    return size;
}

static bool put_all(const void *data, size_t size)
{
    uint64_t limit = now_ns() + WAIT_NS;
    const char *bytes = data;

    while (size > 0) {
        size_t part = store_put(bytes, size);

        bytes += part;
        size -= part;
        store_notify();
        if (size > 0)
            sleep_until(now_ns() + 100000);
        if (now_ns() > limit)
            return false;
    }
    return true;
}

static bool get_all(void *data, size_t size)
{
    struct xenstore_domain_interface *ring = store_page();
    uint64_t limit = now_ns() + WAIT_NS;
    char *bytes = data;

    while (size > 0) {
        uint32_t cons = ring->rsp_cons;

        if (load(&ring->rsp_prod) == cons) {
            if (now_ns() > limit)
                return false;
            sleep_until(now_ns() + 100000);
            continue;
        }
        *bytes++ = ring->rsp[cons % XENSTORE_RING_BYTES];
        size--;
        __atomic_store_n(&ring->rsp_cons, cons + 1, __ATOMIC_SEQ_CST);
    }
    store_notify();
    return true;
}

int store_ask(uint32_t type, const void *data, size_t size, char *reply,
              size_t room)
{
    struct xsd_sockmsg header = {.type = type, .len = (uint32_t)size};
    static char text[XENSTORE_PAYLOAD_MAX + 1];

    if (!put_all(&header, sizeof(header)) || !put_all(data, size))
        return -1;
    do {
        if (!get_all(&header, sizeof(header)) ||
            header.len > XENSTORE_PAYLOAD_MAX || !get_all(text, header.len))
            return -1;
    } while (header.type == XS_WATCH_EVENT);
    if (header.type == XS_ERROR)
        return -1;
    text[header.len] = '\0';
    if (reply && room > 0) {
        size_t part = header.len < room - 1 ? header.len : room - 1;

        memcpy(reply, text, part);
        reply[part] = '\0';
    }
    return (int)header.len;
}

bool store_read(const char *path, char *value, size_t room)
{
    return store_ask(XS_READ, path, strlen(path) + 1, value, room) >= 0;
}

bool store_write(const char *path, const char *value)
{
    char data[512];
    size_t path_size = strlen(path) + 1, size = strlen(value);

    if (path_size + size > sizeof(data))
        return false;
    memcpy(data, path, path_size);
    memcpy(data + path_size, value, size);
    return store_ask(XS_WRITE, data, path_size + size, NULL, 0) >= 0;
}
