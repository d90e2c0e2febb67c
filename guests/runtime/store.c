/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Client of the store: the asynchronous core.
 *
 * A request waits in `unsent` until the channel has taken all of it, then in
 * `waiting` until the reply with its number comes.  Replies come in the order
 * of the requests, so the first of `waiting` is nearly always the one.
 *
 * A watch's token is its place in a table and a number that no later watch in
 * that place has, so an event that was under way when its watch ended meets
 * nobody.
 */

#include <rt/store.h>

#include <stdlib.h>
#include <string.h>

#include <abi/errno.h>

#include <rt/event.h>

#include "store_watch.h"
#include "xs_reader.h"

#define WATCHES_FIRST 8
/* Two numbers of eight digits, a point, a NUL. */
#define TOKEN_BYTES 18

struct request {
    struct request *next;
    xs_reply_fn reply;
    void *arg;
    size_t size, sent;
    struct xsd_sockmsg header; /* payload follows */
};

struct request_list {
    struct request *first, *last;
};

struct xs_watch {
    struct xs *xs;
    xs_watch_fn fn;
    void *arg;
    uint32_t slot, generation;
    char path[];
};

struct xs {
    struct xs_channel *channel;
    uint32_t next_id;
    struct rt_work work; /* pump() */
    struct request_list unsent, waiting;
    struct xs_reader reader;
    struct xs_watch **watches; /* NULL: free slot */
    uint32_t watch_room;
    uint32_t lowest_free; /* no free slot below */
    uint32_t next_generation;
};

static void append(struct request_list *list, struct request *request)
{
    request->next = NULL;
    if (list->first)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
}

static struct request *take_first(struct request_list *list)
{
    struct request *request = list->first;

    if (request)
        list->first = request->next;
    return request;
}

static struct request *take_by_id(struct request_list *list, uint32_t id)
{
    struct request **link = &list->first, *before = NULL;

    while (*link && (*link)->header.req_id != id) {
        before = *link;
        link = &before->next;
    }
    if (!*link)
        return NULL;
    if (list->last == *link)
        list->last = before;
    before = *link;
    *link = before->next;
    return before;
}

static void finish(struct request *request, int rc, const char *data,
                   size_t size)
{
    if (request->reply)
        request->reply(request->arg, rc, data, size);
    free(request);
}

/* Nothing will come any more: everybody who waits is told. */
static void fail_all(struct xs *xs)
{
    struct request *request;

    xs->channel->broken = true;
    while ((request = take_first(&xs->waiting)))
        finish(request, -ABI_ENODEV, "", 0);
    while ((request = take_first(&xs->unsent)))
        finish(request, -ABI_ENODEV, "", 0);
}

static bool push_requests(struct xs *xs)
{
    bool moved = false;

    while (xs->unsent.first) {
        struct request *request = xs->unsent.first;
        size_t taken = xs->channel->ops->send(
            xs->channel, (const char *)&request->header + request->sent,
            request->size - request->sent);

        if (taken == 0)
            break;
        moved = true;
        request->sent += taken;
        if (request->sent == request->size)
            append(&xs->waiting, take_first(&xs->unsent));
    }
    return moved;
}

static struct xs_watch *watch_by_token(struct xs *xs, const char *token)
{
    unsigned long slot, generation;
    char *end;

    slot = strtoul(token, &end, 16);
    if (*end != '.')
        return NULL;
    generation = strtoul(end + 1, &end, 16);
    if (*end != '\0' || slot >= xs->watch_room || !xs->watches[slot] ||
        xs->watches[slot]->generation != generation)
        return NULL;
    return xs->watches[slot];
}

/* Payload: path NUL token NUL. */
static void deliver_watch(struct xs *xs, const char *payload, size_t size)
{
    size_t path_size = strlen(payload) + 1;
    struct xs_watch *watch;

    if (path_size >= size)
        return;
    watch = watch_by_token(xs, payload + path_size);
    if (watch)
        watch->fn(watch->arg, payload);
}

static void deliver_reply(struct xs *xs, const struct xs_reader *message)
{
    struct request *request = take_by_id(&xs->waiting, message->header.req_id);

    if (!request)
        return;
    if (message->header.type == XS_ERROR)
        finish(request, -xs_error_number(message->payload), "", 0);
    else if (message->header.type == request->header.type)
        finish(request, 0, message->payload, message->header.len);
    else
        finish(request, -ABI_EIO, "", 0);
}

static bool pull_replies(struct xs *xs)
{
    bool moved = false;
    int rc;

    for (;;) {
        size_t before = xs->reader.have;
        struct xs_reader message;

        rc = xs_reader_pull(&xs->reader, xs->channel);
        moved = moved || rc > 0 || xs->reader.have != before;
        if (rc <= 0)
            break;
        message = xs->reader;
        xs->reader = (struct xs_reader){.have = 0};
        if (message.header.type == XS_WATCH_EVENT)
            deliver_watch(xs, message.payload, message.header.len);
        else
            deliver_reply(xs, &message);
        xs_reader_next(&message);
    }
    if (rc < 0)
        xs->channel->broken = true;
    return moved;
}

/* From the loop only, so that is where all functions are called. */
static void pump(void *arg)
{
    struct xs *xs = arg;
    bool moved = push_requests(xs);

    moved = pull_replies(xs) || moved;
    if (moved)
        xs->channel->ops->notify(xs->channel);
    if (xs->channel->broken)
        fail_all(xs);
}

void xs_channel_ready(struct xs_channel *channel)
{
    if (channel->xs)
        pump(channel->xs);
}

struct xs *xs_open(struct xs_channel *channel)
{
    struct xs *xs = calloc(1, sizeof(*xs));

    if (!xs)
        return NULL;
    xs->channel = channel;
    xs->next_id = 1;
    xs->work = (struct rt_work){.fn = pump, .arg = xs};
    channel->xs = xs;
    return xs;
}

int xs_request(struct xs *xs, enum xsd_sockmsg_type type, xs_tx_t tx,
               const struct xs_part *parts, size_t part_count,
               xs_reply_fn reply, void *arg)
{
    struct request *request;
    size_t size = 0;
    char *at;

    if (xs->channel->broken)
        return -ABI_ENODEV;
    for (size_t i = 0; i < part_count; i++) {
        if (parts[i].size > XENSTORE_PAYLOAD_MAX - size)
            return -ABI_E2BIG;
        size += parts[i].size;
    }
    request = malloc(sizeof(*request) + size);
    if (!request)
        return -ABI_ENOMEM;

    request->reply = reply;
    request->arg = arg;
    request->size = sizeof(request->header) + size;
    request->sent = 0;
    request->header = (struct xsd_sockmsg){
        .type = type,
        .req_id = xs->next_id++,
        .tx_id = tx,
        .len = (uint32_t)size,
    };
    at = (char *)(request + 1);
    for (size_t i = 0; i < part_count; i++) {
        memcpy(at, parts[i].data, parts[i].size);
        at += parts[i].size;
    }
    append(&xs->unsent, request);
    rt_work_queue(&xs->work);
    return 0;
}

static int request_path(struct xs *xs, enum xsd_sockmsg_type type,
                        const char *path, xs_reply_fn reply, void *arg)
{
    struct xs_part part = {path, strlen(path) + 1};

    return xs_request(xs, type, 0, &part, 1, reply, arg);
}

int xs_read_async(struct xs *xs, const char *path, xs_reply_fn reply, void *arg)
{
    return request_path(xs, XS_READ, path, reply, arg);
}

int xs_rm_async(struct xs *xs, const char *path, xs_reply_fn reply, void *arg)
{
    return request_path(xs, XS_RM, path, reply, arg);
}

int xs_write_async(struct xs *xs, const char *path, const char *value,
                   xs_reply_fn reply, void *arg)
{
    struct xs_part parts[] = {
        {path, strlen(path) + 1},
        {value, strlen(value)},
    };

    return xs_request(xs, XS_WRITE, 0, parts, 2, reply, arg);
}

/* A free place in the table, which may grow. */
static int find_slot(struct xs *xs, uint32_t *slot)
{
    struct xs_watch **table;
    uint32_t room;

    for (*slot = xs->lowest_free; *slot < xs->watch_room; (*slot)++)
        if (!xs->watches[*slot])
            return 0;
    room = xs->watch_room ? xs->watch_room * 2 : WATCHES_FIRST;
    table = realloc(xs->watches, room * sizeof(*table));
    if (!table)
        return -ABI_ENOMEM;
    memset(table + xs->watch_room, 0, (room - xs->watch_room) * sizeof(*table));
    xs->watches = table;
    xs->watch_room = room;
    return 0;
}

/* Append @number in hexadecimal, and @end. */
static char *put_hex(char *at, uint32_t number, char end)
{
    for (int shift = 28; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[number >> shift & 15];
    *at++ = end;
    return at;
}

static int request_watch(const struct xs_watch *watch,
                         enum xsd_sockmsg_type type, xs_reply_fn reply,
                         void *arg)
{
    char token[TOKEN_BYTES];
    struct xs_part parts[] = {
        {watch->path, strlen(watch->path) + 1},
        {token, sizeof(token)},
    };

    put_hex(put_hex(token, watch->slot, '.'), watch->generation, '\0');
    return xs_request(watch->xs, type, 0, parts, 2, reply, arg);
}

static void forget_watch(struct xs_watch *watch)
{
    struct xs *xs = watch->xs;

    xs->watches[watch->slot] = NULL;
    if (watch->slot < xs->lowest_free)
        xs->lowest_free = watch->slot;
    free(watch);
}

int xs_watch_request(struct xs *xs, const char *path, xs_watch_fn fn, void *arg,
                     struct xs_watch **result, xs_reply_fn reply,
                     void *reply_arg)
{
    size_t path_size = strlen(path) + 1;
    struct xs_watch *watch = malloc(sizeof(*watch) + path_size);
    uint32_t slot;
    int rc;

    rc = watch ? find_slot(xs, &slot) : -ABI_ENOMEM;
    if (rc != 0) {
        free(watch);
        return rc;
    }
    *watch = (struct xs_watch){
        .xs = xs,
        .fn = fn,
        .arg = arg,
        .slot = slot,
        .generation = ++xs->next_generation,
    };
    memcpy(watch->path, path, path_size);

    xs->watches[slot] = watch;
    xs->lowest_free = slot + 1;
    *result = watch;
    rc = request_watch(watch, XS_WATCH, reply, reply_arg);
    if (rc != 0) {
        forget_watch(watch);
        *result = NULL;
    }
    return rc;
}

int xs_watch_async(struct xs *xs, const char *path, xs_watch_fn fn, void *arg,
                   struct xs_watch **watch)
{
    return xs_watch_request(xs, path, fn, arg, watch, NULL, NULL);
}

void xs_unwatch(struct xs_watch *watch)
{
    request_watch(watch, XS_UNWATCH, NULL, NULL);
    forget_watch(watch);
}

void xs_close(struct xs *xs)
{
    fail_all(xs);
    for (uint32_t slot = 0; slot < xs->watch_room; slot++)
        free(xs->watches[slot]);
    free(xs->watches);
    xs_reader_next(&xs->reader);
    xs->channel->xs = NULL;
    rt_work_cancel(&xs->work);
    free(xs);
}
