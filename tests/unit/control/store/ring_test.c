/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's ring: whole messages out of pieces, and guests that misbehave. */
/* LINK: guests/control/lib/table.c guests/control/store/path.c */
/* LINK: guests/control/store/perms.c guests/control/store/tree.c */
/* LINK: guests/control/store/transaction.c guests/control/store/watch.c */
/* LINK: guests/control/store/view.c guests/control/store/ops.c */
/* LINK: guests/control/store/store.c guests/control/store/request.c */
/* LINK: guests/control/store/ring.c */

#include "test.h"

#include "store/quota.h"
#include "store/request.h"
#include "store/ring.h"

static struct store store;
static struct xenstore_domain_interface *page;
static struct ring ring;

void setup(void)
{
    store_init(&store, 0);
    page = aligned_alloc(4096, 4096);
    memset(page, 0xaa, 4096);
    page->connection = 1;
    ring_open(&ring, &store, 1, page, NULL);
}

void teardown(void)
{
    ring_close(&ring);
    free(page);
    store_destroy(&store);
}

/* The guest's side. */
static void guest_send(const void *data, uint32_t bytes)
{
    for (uint32_t i = 0; i < bytes; i++)
        page->req[page->req_prod++ % XENSTORE_RING_BYTES] =
            ((const char *)data)[i];
}

static uint32_t guest_receive(void *data, uint32_t room)
{
    uint32_t count = 0;

    while (count < room && page->rsp_cons != page->rsp_prod)
        ((char *)data)[count++] =
            page->rsp[page->rsp_cons++ % XENSTORE_RING_BYTES];

    return count;
}

static void guest_ask(uint32_t type, uint32_t id, const void *payload,
                      uint32_t bytes)
{
    struct xsd_sockmsg header = {type, id, 0, bytes};

    guest_send(&header, sizeof(header));
    guest_send(payload, bytes);
}

static uint32_t guest_answer(char *payload)
{
    struct xsd_sockmsg header;

    REQUIRE(guest_receive(&header, sizeof(header)) == sizeof(header));
    REQUIRE(guest_receive(payload, header.len) == header.len);

    return header.req_id;
}

TEST("opening resets the page and says that the connection stands")
{
    EXPECT_EQ(page->req_prod, 0);
    EXPECT_EQ(page->rsp_cons, 0);
    EXPECT_EQ(page->connection, 0);
    EXPECT_EQ(page->error, 0);
}

TEST("a request is answered, and the guest notified once for both")
{
    char text[64];
    struct ring_pass pass;

    guest_ask(XS_GET_DOMAIN_PATH, 5, "3", 2);
    pass = ring_serve(&ring, 8);
    EXPECT_TRUE(pass.notify);
    EXPECT_FALSE(pass.again);
    EXPECT_EQ(guest_answer(text), 5);
    EXPECT_STR(text, "/local/domain/3");
    pass = ring_serve(&ring, 8);
    EXPECT_FALSE(pass.notify);
}

TEST("a message in single bytes, round the end of the ring, is whole")
{
    char text[64];

    for (unsigned int i = 0; i < 300; i++) {
        struct xsd_sockmsg header = {XS_GET_DOMAIN_PATH, i, 0, 3};

        for (unsigned int k = 0; k < sizeof(header); k++) {
            guest_send((char *)&header + k, 1);
            ring_serve(&ring, 8);
        }
        guest_send("12", 3);
        ring_serve(&ring, 8);
        EXPECT_EQ(guest_answer(text), i);
        EXPECT_STR(text, "/local/domain/12");
    }
    EXPECT_TRUE(page->req_prod > 4 * XENSTORE_RING_BYTES);
}

TEST("a payload longer than the ring passes through it")
{
    struct xsd_sockmsg header = {XS_WRITE, 9, 0, XENSTORE_PAYLOAD_MAX};
    char byte = 'a', text[64];

    guest_send(&header, sizeof(header));
    for (unsigned int i = 0; i < XENSTORE_PAYLOAD_MAX; i++) {
        guest_send(&byte, 1);
        if (i % 700 == 0)
            ring_serve(&ring, 8);
    }
    ring_serve(&ring, 8);
    EXPECT_EQ(guest_answer(text), 9);
    EXPECT_STR(text, "EINVAL");
}

TEST("indices that make no sense end the service, and nothing is touched")
{
    page->req_prod = 5000;
    ring_serve(&ring, 8);
    EXPECT_EQ(ring.error, RING_ERROR_INDEX);
    EXPECT_EQ(page->error, RING_ERROR_INDEX);
    page->req_prod = 0;
    guest_ask(XS_READ, 1, "/", 2);
    EXPECT_FALSE(ring_serve(&ring, 8).notify);
    EXPECT_EQ(page->rsp_prod, 0);
}

TEST("a response index that makes no sense ends the service too")
{
    page->rsp_cons = 1; /* ahead of the producer */
    guest_ask(XS_READ, 1, "/", 2);
    ring_serve(&ring, 8);
    EXPECT_EQ(ring.error, RING_ERROR_INDEX);
}

TEST("a length above 4096 ends the service before anything is allocated")
{
    struct xsd_sockmsg header = {XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1};

    guest_send(&header, sizeof(header));
    ring_serve(&ring, 8);
    EXPECT_EQ(ring.error, RING_ERROR_PROTOCOL);
    EXPECT_PTR(ring.in_payload, NULL);
}

TEST("a guest that sends and fetches nothing stops being read")
{
    unsigned int sent = 0;

    for (unsigned int round = 0; round < 1000; round++) {
        while (page->req_prod - page->req_cons + 18 <= XENSTORE_RING_BYTES) {
            guest_ask(XS_GET_DOMAIN_PATH, sent++, "1", 2);
        }
        if (!ring_serve(&ring, 8).notify)
            break;
    }
    EXPECT_TRUE(ring.output_count <= STORE_QUOTA_OUTSTANDING);
    EXPECT_TRUE(sent < 300);
    EXPECT_EQ(ring.error, RING_ERROR_NONE);

    /* It wakes up, and gets every answer in order. */
    for (unsigned int i = 0; i < sent; i++) {
        char text[64];

        ring_serve(&ring, 8);
        EXPECT_EQ(guest_answer(text), i);
    }
}

/* By the toolstack; a '|' in @head stands for a NUL. */
static void root_ask(uint32_t type, const char *head, uint32_t bytes)
{
    static struct store_message reply;
    static char payload[2048];
    struct xsd_sockmsg header = {type, 0, 0, bytes};
    struct store_client root;

    memset(payload, 'x', sizeof(payload));
    for (size_t i = 0; i < strlen(head); i++)
        payload[i] = head[i] == '|' ? '\0' : head[i];
    store_client_init(&root, &store, 0, true, NULL);
    store_request(&root, &header, payload, &reply);
    EXPECT_EQ(reply.header.type, type);
}

TEST("a guest that fetches nothing makes the store keep little")
{
    root_ask(XS_WRITE, "/k|", 2000);
    root_ask(XS_SET_PERMS, "/k|r0|", 6);
    for (unsigned int i = 0; i < 40; i++) {
        guest_ask(XS_READ, i, "/k", 3);
        ring_serve(&ring, 8);
    }
    EXPECT_TRUE(ring.output_bytes <=
                STORE_QUOTA_OUTPUT_BYTES + XENSTORE_PAYLOAD_MAX);
    EXPECT_EQ(ring.error, RING_ERROR_NONE);

    for (unsigned int i = 0; i < 40; i++) {
        struct xsd_sockmsg header;
        char value[1997];

        /* Longer than what is left of the ring: it comes in pieces. */
        ring_serve(&ring, 8);
        REQUIRE(guest_receive(&header, sizeof(header)) == sizeof(header));
        EXPECT_EQ(header.req_id, i);
        for (uint32_t had = 0; had < header.len; ring_serve(&ring, 8))
            had += guest_receive(value + had, header.len - had);
    }
    EXPECT_EQ(ring.output_bytes, 0);
}

TEST("one pass serves its budget and says that there is more")
{
    char text[64];

    for (unsigned int i = 0; i < 20; i++)
        guest_ask(XS_GET_DOMAIN_PATH, i, "1", 2);
    EXPECT_TRUE(ring_serve(&ring, 8).again);
    EXPECT_EQ(store.request_count, 8);
    for (unsigned int i = 0; i < 8; i++)
        EXPECT_EQ(guest_answer(text), i);
    EXPECT_TRUE(ring_serve(&ring, 8).again);
    EXPECT_FALSE(ring_serve(&ring, 8).again);
    EXPECT_EQ(store.request_count, 20);
}

TEST("events come between whole replies")
{
    char text[64];

    guest_ask(XS_WATCH, 1, "@releaseDomain\0t", 17);
    guest_ask(XS_GET_DOMAIN_PATH, 2, "1", 2);
    ring_serve(&ring, 8);
    EXPECT_EQ(guest_answer(text), 1);
    EXPECT_STR(text, "OK");
    EXPECT_EQ(guest_answer(text), 0);
    EXPECT_STR(text, "@releaseDomain");
    EXPECT_EQ(guest_answer(text), 2);
}

TEST("random bytes in the ring, and random indices, break nothing")
{
    unsigned int seed = 7, failures = 0;

    for (unsigned int round = 0; round < 3000; round++) {
        for (unsigned int i = 0; i < 64; i++) {
            struct xsd_sockmsg header = {(seed >> 16) % 24, 1, seed % 3,
                                         (seed >> 8) % 40};
            char noise[40];

            for (unsigned int k = 0; k < sizeof(noise); k++)
                noise[k] = "/a@|12nT\0b"[(seed = seed * 1103515245 + 12345) /
                                         65536 % 10];
            if (page->req_prod - page->req_cons > 900)
                break;
            guest_send(&header, sizeof(header));
            guest_send(noise, header.len);
        }
        ring_serve(&ring, 20);
        page->rsp_cons = page->rsp_prod;
        if (round % 50 == 49)
            page->req_prod += seed >> 16 & 0xfff;
        if (ring.error) {
            failures++;
            ring_close(&ring);
            ring_open(&ring, &store, 1, page, NULL);
        }
    }
    EXPECT_TRUE(failures > 0);
    EXPECT_TRUE(failures < 3000);
}
