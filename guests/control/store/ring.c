/* SPDX-License-Identifier: BSD-2-Clause */
/* One guest's connection to the store. */

#include "store/ring.h"

#include <stdlib.h>
#include <string.h>

#include "store/quota.h"
#include "store/request.h"

struct ring_output {
    TAILQ_ENTRY(ring_output) next;
    size_t bytes;
    char data[]; /* header and payload */
};

static uint32_t load(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void publish(uint32_t *p, uint32_t value)
{
    __atomic_store_n(p, value, __ATOMIC_RELEASE);
}

static void fail(struct ring *ring, enum ring_error error)
{
    ring->error = error;
    publish(&ring->page->error, error);
}

/* --- Opening and closing -------------------------------------------------- */

static void drop_input(struct ring *ring)
{
    free(ring->in_payload);
    ring->in_payload = NULL;
    ring->in_bytes = 0;
}

static void drop_first_output(struct ring *ring)
{
    struct ring_output *o = TAILQ_FIRST(&ring->output);

    TAILQ_REMOVE(&ring->output, o, next);
    ring->output_count--;
    ring->output_bytes -= o->bytes;
    ring->output_sent = 0;
    free(o);
}

static void reset_page(struct xenstore_domain_interface *page)
{
    publish(&page->req_cons, 0);
    publish(&page->req_prod, 0);
    publish(&page->rsp_cons, 0);
    publish(&page->rsp_prod, 0);
    publish(&page->error, RING_ERROR_NONE);
    publish(&page->connection, 0); /* last: "reconnected" */
}

void ring_open(struct ring *ring, struct store *store, domid_t domid,
               struct xenstore_domain_interface *page,
               void (*wake)(struct store_client *))
{
    memset(ring, 0, sizeof(*ring));
    store_client_init(&ring->client, store, domid, false, wake);
    TAILQ_INIT(&ring->output);
    ring->page = page;
    reset_page(page);
}

void ring_close(struct ring *ring)
{
    drop_input(ring);
    while (!TAILQ_EMPTY(&ring->output))
        drop_first_output(ring);
    store_client_reset(&ring->client);
}

/* --- Taking in ------------------------------------------------------------ */

/* Up to @size bytes from the request ring; how many came is the result. */
static size_t take(struct ring *ring, void *data, size_t size,
                   struct ring_pass *pass)
{
    struct xenstore_domain_interface *page = ring->page;
    uint32_t cons = load(&page->req_cons), prod = load(&page->req_prod);
    uint32_t filled = prod - cons, at = cons % XENSTORE_RING_BYTES, run;

    if (filled > XENSTORE_RING_BYTES) {
        fail(ring, RING_ERROR_INDEX);
        return 0;
    }
    if (size > filled)
        size = filled;
    run = XENSTORE_RING_BYTES - at;
    if (run > size)
        run = (uint32_t)size;
    memcpy(data, page->req + at, run);
    memcpy((char *)data + run, page->req, size - run);
    if (size) {
        publish(&page->req_cons, cons + (uint32_t)size);
        pass->notify = true;
    }

    return size;
}

/* Bytes of the header; true when it is complete and acceptable. */
static bool take_header(struct ring *ring, struct ring_pass *pass)
{
    const size_t whole = sizeof(ring->in_header);

    if (ring->in_bytes < whole)
        ring->in_bytes += take(ring, (char *)&ring->in_header + ring->in_bytes,
                               whole - ring->in_bytes, pass);
    if (ring->error || ring->in_bytes < whole)
        return false;
    if (ring->in_header.len > XENSTORE_PAYLOAD_MAX) {
        fail(ring, RING_ERROR_PROTOCOL);
        return false;
    }

    return true;
}

/* True when a whole request is there. */
static bool take_request(struct ring *ring, struct ring_pass *pass)
{
    size_t have, whole;

    if (!take_header(ring, pass))
        return false;
    whole = ring->in_header.len;
    if (!ring->in_payload && whole) {
        ring->in_payload = malloc(whole);
        if (!ring->in_payload) {
            fail(ring, RING_ERROR_COMMUNICATION);
            return false;
        }
    }
    /* A long payload comes in several pieces, also within one pass. */
    have = ring->in_bytes - sizeof(ring->in_header);
    if (have < whole) {
        ring->in_bytes +=
            take(ring, ring->in_payload + have, whole - have, pass);
        have = ring->in_bytes - sizeof(ring->in_header);
    }

    return !ring->error && have == whole;
}

/* --- Giving out ----------------------------------------------------------- */

static void give(struct ring *ring, const struct store_message *message)
{
    size_t bytes = sizeof(message->header) + message->header.len;
    struct ring_output *o = malloc(sizeof(*o) + bytes);

    if (!o) {
        fail(ring, RING_ERROR_COMMUNICATION); /* An answer would be lost. */
        return;
    }
    o->bytes = bytes;
    memcpy(o->data, &message->header, sizeof(message->header));
    memcpy(o->data + sizeof(message->header), message->payload,
           message->header.len);
    TAILQ_INSERT_TAIL(&ring->output, o, next);
    ring->output_count++;
    ring->output_bytes += bytes;
}

/* Put what fits of the first message into the response ring. */
static size_t put(struct ring *ring, struct ring_pass *pass)
{
    const struct ring_output *o = TAILQ_FIRST(&ring->output);
    struct xenstore_domain_interface *page = ring->page;
    uint32_t cons = load(&page->rsp_cons), prod = load(&page->rsp_prod);
    uint32_t filled = prod - cons, at = prod % XENSTORE_RING_BYTES, run;
    const char *from = o->data + ring->output_sent;
    size_t size = o->bytes - ring->output_sent;

    if (filled > XENSTORE_RING_BYTES) {
        fail(ring, RING_ERROR_INDEX);
        return 0;
    }
    if (size > XENSTORE_RING_BYTES - filled)
        size = XENSTORE_RING_BYTES - filled;
    run = XENSTORE_RING_BYTES - at;
    if (run > size)
        run = (uint32_t)size;
    memcpy(page->rsp + at, from, run);
    memcpy(page->rsp, from + run, size - run);
    if (size) {
        publish(&page->rsp_prod, prod + (uint32_t)size);
        pass->notify = true;
    }

    return size;
}

/* True when all that waited has gone out. */
static bool flush(struct ring *ring, struct ring_pass *pass)
{
    while (!ring->error && !TAILQ_EMPTY(&ring->output)) {
        const struct ring_output *o = TAILQ_FIRST(&ring->output);
        size_t bytes = put(ring, pass);

        ring->output_sent += bytes;
        if (ring->output_sent == o->bytes)
            drop_first_output(ring);
        else
            return false;
    }

    return !ring->error;
}

/* A guest that does not fetch its answers is not asked for more requests. */
static bool may_answer(const struct ring *ring)
{
    return ring->output_count < STORE_QUOTA_OUTSTANDING &&
           ring->output_bytes < STORE_QUOTA_OUTPUT_BYTES;
}

/* Answers first, then events, as long as there is room in the ring. */
static void flush_all(struct ring *ring, struct ring_pass *pass,
                      struct store_message *message)
{
    while (flush(ring, pass) && store_next_event(&ring->client, message))
        give(ring, message);
}

static void answer(struct ring *ring, struct store_message *message)
{
    store_request(&ring->client, &ring->in_header, ring->in_payload, message);
    drop_input(ring);
    give(ring, message);
}

static bool has_output(const struct ring *ring)
{
    return !TAILQ_EMPTY(&ring->output) || !TAILQ_EMPTY(&ring->client.events);
}

static bool has_input(const struct ring *ring)
{
    return load(&ring->page->req_prod) != load(&ring->page->req_cons);
}

struct ring_pass ring_serve(struct ring *ring, unsigned int budget)
{
    struct ring_pass pass = {false, false};
    struct store_message message;

    flush_all(ring, &pass, &message);
    while (!ring->error && may_answer(ring) && budget &&
           take_request(ring, &pass)) {
        answer(ring, &message);
        flush_all(ring, &pass, &message);
        budget--;
    }
    pass.again =
        !ring->error && budget == 0 && has_input(ring) && !has_output(ring);

    return pass;
}
