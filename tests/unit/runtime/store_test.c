/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store client over its ring, against a store that answers byte by byte,
 * and against one that breaks the protocol.
 */
/* LINK: guests/runtime/store.c guests/runtime/store_ring.c */
/* LINK: guests/runtime/xs_reader.c */

#include <rt/store.h>

#include <abi/errno.h>

#include <rt/event.h>

#include "../../../guests/runtime/store_ring.h"
#include "../../../guests/runtime/xs_reader.h"
#include "test.h"

static struct xenstore_domain_interface page;
static struct store_ring ring;
static struct xs *xs;
static int notified;
static struct rt_work *queued;

void rt_work_queue(struct rt_work *work)
{
    queued = work;
}

void rt_work_cancel(struct rt_work *work)
{
    if (queued == work)
        queued = NULL;
}

static void run(void)
{
    while (queued) {
        struct rt_work *work = queued;

        queued = NULL;
        work->fn(work->arg);
    }
    xs_channel_ready(&ring.channel);
}

static void notify(struct store_ring *r)
{
    EXPECT_TRUE(r == &ring);
    notified++;
}

static int replies, last_rc;
static size_t last_size;
static char last_data[8192];

static void reply(void *arg, int rc, const char *data, size_t size)
{
    EXPECT_TRUE(arg == &replies);
    replies++;
    last_rc = rc;
    last_size = size;
    memcpy(last_data, data, size + 1);
}

static int events;
static char last_path[256];

static void event(void *arg, const char *path)
{
    EXPECT_TRUE(arg == &events);
    events++;
    snprintf(last_path, sizeof(last_path), "%s", path);
}

void setup(void)
{
    memset(&page, 0, sizeof(page));
    store_ring_init(&ring, &page);
    ring.notify = notify;
    xs = xs_open(&ring.channel);
    REQUIRE(xs != NULL);
    replies = events = 0;
    last_rc = 1;
}

void teardown(void)
{
    xs_close(xs);
    queued = NULL;
}

/* The next request that the client has sent; its payload. */
static struct xsd_sockmsg take_request(char *payload)
{
    struct xsd_sockmsg header;
    char *at = (char *)&header;

    for (size_t i = 0; i < sizeof(header); i++)
        at[i] = page.req[page.req_cons++ % XENSTORE_RING_BYTES];
    for (size_t i = 0; i < header.len; i++)
        payload[i] = page.req[page.req_cons++ % XENSTORE_RING_BYTES];
    payload[header.len] = '\0';
    return header;
}

static void send_bytes(const void *data, size_t size)
{
    const char *from = data;

    /* One byte a time, so that every cut is tried. */
    for (size_t i = 0; i < size; i++) {
        page.rsp[page.rsp_prod % XENSTORE_RING_BYTES] = from[i];
        page.rsp_prod++;
        run();
    }
}

static void send_message(uint32_t type, uint32_t id, const char *payload,
                         size_t size)
{
    struct xsd_sockmsg header = {
        .type = type,
        .req_id = id,
        .len = (uint32_t)size,
    };

    send_bytes(&header, sizeof(header));
    send_bytes(payload, size);
}

TEST("a read is sent, and its answer is passed on")
{
    char payload[4096];
    struct xsd_sockmsg header;

    EXPECT_EQ(xs_read_async(xs, "a/b", reply, &replies), 0);
    run();
    EXPECT_TRUE(notified > 0);
    header = take_request(payload);
    EXPECT_EQ(header.type, XS_READ);
    EXPECT_EQ(header.len, 4);
    EXPECT_EQ(strcmp(payload, "a/b"), 0);
    send_message(XS_READ, header.req_id, "value", 5);
    EXPECT_EQ(replies, 1);
    EXPECT_EQ(last_rc, 0);
    EXPECT_EQ(strcmp(last_data, "value"), 0);
}

TEST("an error's name becomes its number, an unknown one EIO")
{
    char payload[4096];
    struct xsd_sockmsg header;

    xs_read_async(xs, "a", reply, &replies);
    xs_read_async(xs, "b", reply, &replies);
    run();
    header = take_request(payload);
    send_message(XS_ERROR, header.req_id, "ENOENT", 7);
    EXPECT_EQ(last_rc, -ABI_ENOENT);
    header = take_request(payload);
    send_message(XS_ERROR, header.req_id, "EWHATEVER", 10);
    EXPECT_EQ(last_rc, -ABI_EIO);
    EXPECT_EQ(replies, 2);
}

TEST("requests larger than the ring go through in pieces")
{
    static char big[3000], payload[4200];
    struct xsd_sockmsg header;
    size_t have = 0;
    static char stream[4200];

    memset(big, 'v', sizeof(big) - 1);
    EXPECT_EQ(xs_write_async(xs, "k", big, reply, &replies), 0);
    run();
    while (have < sizeof(header) + 2 + sizeof(big) - 1) {
        REQUIRE(page.req_cons != page.req_prod);
        while (page.req_cons != page.req_prod)
            stream[have++] = page.req[page.req_cons++ % XENSTORE_RING_BYTES];
        run();
    }
    memcpy(&header, stream, sizeof(header));
    EXPECT_EQ(header.type, XS_WRITE);
    EXPECT_EQ(header.len, 2 + sizeof(big) - 1);
    memcpy(payload, stream + sizeof(header), header.len);
    EXPECT_EQ(strcmp(payload, "k"), 0);
    EXPECT_EQ(memcmp(payload + 2, big, sizeof(big) - 1), 0);
    send_message(XS_WRITE, header.req_id, "OK", 3);
    EXPECT_EQ(replies, 1);
}

TEST("what no message can hold is refused at once")
{
    static char big[XENSTORE_PAYLOAD_MAX + 1];

    memset(big, 'v', sizeof(big) - 1);
    EXPECT_EQ(xs_write_async(xs, "k", big, reply, &replies), -ABI_E2BIG);
}

TEST("answers find their requests in whatever order they come")
{
    char payload[4096];
    struct xsd_sockmsg first, second;

    xs_read_async(xs, "a", reply, &replies);
    xs_read_async(xs, "b", reply, &replies);
    run();
    first = take_request(payload);
    second = take_request(payload);
    send_message(XS_READ, second.req_id, "2", 1);
    EXPECT_EQ(strcmp(last_data, "2"), 0);
    send_message(XS_READ, 12345, "x", 1);
    EXPECT_EQ(replies, 1);
    send_message(XS_READ, first.req_id, "1", 1);
    EXPECT_EQ(strcmp(last_data, "1"), 0);

    /* And the list is whole: another one works. */
    xs_read_async(xs, "c", reply, &replies);
    run();
    first = take_request(payload);
    send_message(XS_READ, first.req_id, "3", 1);
    EXPECT_EQ(replies, 3);
}

/* Register a watch; the token that the client chose. */
static struct xs_watch *watch(const char *path, char *token)
{
    struct xs_watch *w = NULL;
    char payload[4096];
    struct xsd_sockmsg header;

    EXPECT_EQ(xs_watch_async(xs, path, event, &events, &w), 0);
    run();
    header = take_request(payload);
    EXPECT_EQ(header.type, XS_WATCH);
    EXPECT_EQ(strcmp(payload, path), 0);
    strcpy(token, payload + strlen(path) + 1);
    send_message(XS_WATCH, header.req_id, "OK", 3);
    return w;
}

static void fire(const char *path, const char *token)
{
    char payload[256];
    size_t size = strlen(path) + 1;

    memcpy(payload, path, size);
    strcpy(payload + size, token);
    send_message(XS_WATCH_EVENT, 0, payload, size + strlen(token) + 1);
}

TEST("a watch hears of its path until it ends")
{
    char token[64], other[64];
    struct xs_watch *w = watch("dir", token);
    struct xs_watch *w2;
    char payload[4096];

    fire("dir/x", token);
    EXPECT_EQ(events, 1);
    EXPECT_EQ(strcmp(last_path, "dir/x"), 0);
    xs_unwatch(w);
    run();
    EXPECT_EQ(take_request(payload).type, XS_UNWATCH);
    EXPECT_EQ(strcmp(payload + 4, token), 0);

    /* An event under way meets neither it nor its successor. */
    w2 = watch("other", other);
    fire("dir/y", token);
    EXPECT_EQ(events, 1);
    fire("other", other);
    EXPECT_EQ(events, 2);
    xs_unwatch(w2);
}

TEST("tokens that the store made up are ignored")
{
    char token[64];
    struct xs_watch *w = watch("dir", token);

    fire("dir", "");
    fire("dir", "ffffffff.1");
    fire("dir", "0");
    fire("dir", "zz.zz");
    send_message(XS_WATCH_EVENT, 0, "dir", 3);
    send_message(XS_WATCH_EVENT, 0, "", 0);
    EXPECT_EQ(events, 0);
    xs_unwatch(w);
}

TEST("a message longer than allowed ends the conversation for all")
{
    struct xsd_sockmsg header = {
        .type = XS_READ,
        .len = XENSTORE_PAYLOAD_MAX + 1,
    };

    xs_read_async(xs, "a", reply, &replies);
    xs_read_async(xs, "b", reply, &replies);
    run();
    send_bytes(&header, sizeof(header));
    EXPECT_EQ(replies, 2);
    EXPECT_EQ(last_rc, -ABI_ENODEV);
    EXPECT_EQ(xs_read_async(xs, "c", reply, &replies), -ABI_ENODEV);
}

TEST("indices that cannot be end the conversation")
{
    xs_read_async(xs, "a", reply, &replies);
    run();
    page.rsp_prod = XENSTORE_RING_BYTES + 1;
    run();
    EXPECT_EQ(last_rc, -ABI_ENODEV);

    teardown();
    setup();
    page.req_cons = 1;
    xs_read_async(xs, "a", reply, &replies);
    run();
    EXPECT_EQ(last_rc, -ABI_ENODEV);
}

TEST("closing answers what waits")
{
    xs_read_async(xs, "a", reply, &replies);
    run();
    teardown();
    EXPECT_EQ(last_rc, -ABI_ENODEV);
    setup();
}
