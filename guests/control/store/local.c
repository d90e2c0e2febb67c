/* SPDX-License-Identifier: BSD-2-Clause */
/* The store for parts of the domain that runs it. */

#include "store/local.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <rt/event.h>
#include <rt/store.h>

#include "store/request.h"

struct local_output {
    TAILQ_ENTRY(local_output) next;
    size_t bytes, sent;
    char data[];
};

TAILQ_HEAD(local_output_list, local_output);

struct local {
    struct xs_channel channel;
    struct store_client client;
    struct rt_work work; /* tells the other end that there is something */

    struct xsd_sockmsg header;
    char payload[XENSTORE_PAYLOAD_MAX];
    size_t in_bytes; /* of header and payload */
    struct local_output_list output;
};

static struct local *of_channel(struct xs_channel *channel)
{
    return table_entry(channel, struct local, channel);
}

static void be_ready(void *arg)
{
    struct local *l = arg;

    xs_channel_ready(&l->channel);
}

/* Without memory for an answer the client would wait for ever. */
static void give(struct local *l, const struct store_message *message)
{
    size_t bytes = sizeof(message->header) + message->header.len;
    struct local_output *o = malloc(sizeof(*o) + bytes);

    if (!o) {
        l->channel.broken = true;
        rt_work_queue(&l->work);
        return;
    }
    o->bytes = bytes;
    o->sent = 0;
    memcpy(o->data, &message->header, sizeof(message->header));
    memcpy(o->data + sizeof(message->header), message->payload,
           message->header.len);
    TAILQ_INSERT_TAIL(&l->output, o, next);
    rt_work_queue(&l->work);
}

/* Fill @to up to @whole bytes; returns how many came. */
static size_t fill(void *to, size_t have, size_t whole, const void *from,
                   size_t size)
{
    size_t bytes = whole - have < size ? whole - have : size;

    memcpy((char *)to + have, from, bytes);

    return bytes;
}

static size_t local_send(struct xs_channel *channel, const void *data,
                         size_t size)
{
    struct local *l = of_channel(channel);
    struct store_message reply;
    const size_t head = sizeof(l->header);
    size_t used = 0;

    if (l->in_bytes < head) {
        used = fill(&l->header, l->in_bytes, head, data, size);
        l->in_bytes += used;
    }
    if (l->in_bytes < head || l->header.len > XENSTORE_PAYLOAD_MAX) {
        channel->broken |= l->in_bytes >= head;
        return used;
    }
    if (l->header.len) {
        size_t bytes = fill(l->payload, l->in_bytes - head, l->header.len,
                            (const char *)data + used, size - used);

        used += bytes;
        l->in_bytes += bytes;
    }
    if (l->in_bytes == head + l->header.len) {
        l->in_bytes = 0;
        store_request(&l->client, &l->header, l->payload, &reply);
        give(l, &reply);
    }

    return used;
}

/* Events wait in the store until they are asked for. */
static struct local_output *next_output(struct local *l)
{
    struct store_message event;

    if (TAILQ_EMPTY(&l->output) && store_next_event(&l->client, &event))
        give(l, &event);

    return TAILQ_FIRST(&l->output);
}

static size_t local_receive(struct xs_channel *channel, void *data, size_t size)
{
    struct local *l = of_channel(channel);
    struct local_output *o = next_output(l);
    size_t bytes;

    if (!o)
        return 0;
    bytes = o->bytes - o->sent < size ? o->bytes - o->sent : size;
    memcpy(data, o->data + o->sent, bytes);
    o->sent += bytes;
    if (o->sent == o->bytes) {
        TAILQ_REMOVE(&l->output, o, next);
        free(o);
    }

    return bytes;
}

/* Both ends are here: nobody needs to be told. */
static void local_notify(struct xs_channel *channel)
{
    (void)channel;
}

static void local_wake(struct store_client *client)
{
    struct local *l = table_entry(client, struct local, client);

    rt_work_queue(&l->work);
}

struct xs *store_local_open(struct store *store, domid_t domid)
{
    static const struct xs_channel_ops ops = {
        .send = local_send,
        .receive = local_receive,
        .notify = local_notify,
    };
    struct local *l = calloc(1, sizeof(*l));
    struct xs *xs;

    if (!l)
        return NULL;
    l->channel.ops = &ops;
    l->work.fn = be_ready;
    l->work.arg = l;
    TAILQ_INIT(&l->output);
    store_client_init(&l->client, store, domid, true, local_wake);
    xs = xs_open(&l->channel);
    if (!xs)
        free(l);

    return xs;
}
