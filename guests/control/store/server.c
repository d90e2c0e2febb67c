/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's server. */

#include "store/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <abi/errno.h>

#include <rt/event.h>
#include <rt/grant.h>
#include <rt/store.h>

#include "lib/table.h"
#include "store/local.h"
#include "store/path.h"
#include "store/ring.h"
#include "store/store.h"
#include "store/watch.h"

/* Requests of one guest before the next guest's turn. */
#define REQUESTS_A_TURN 8U

struct connection {
    struct table_link link; /* in server.connections, by domid */
    struct ring ring;
    struct rt_grant_mapping mapping;
    evtchn_port_t port;
    struct rt_work work;
    bool closing;       /* freed by its own work item */
    bool reported_shut; /* @releaseDomain was fired for its shutdown */
};

static struct {
    struct store store;
    struct table connections;
    domid_t self;
} server;

/* --- Serving -------------------------------------------------------------- */

static struct connection *connection_find(domid_t domid)
{
    struct table_link *l = table_first(&server.connections, domid);

    return l ? table_entry(l, struct connection, link) : NULL;
}

static void connection_free(struct connection *c)
{
    if (c->work.queued) {
        c->closing = true; /* The loop still has the work item. */
        return;
    }
    free(c);
}

static void connection_serve(void *arg)
{
    struct connection *c = arg;
    enum ring_error before = c->ring.error;
    struct ring_pass pass;

    if (c->closing) {
        free(c);
        return;
    }
    pass = ring_serve(&c->ring, REQUESTS_A_TURN);
    if (pass.notify)
        (void)rt_port_notify(c->port);
    if (pass.again)
        rt_work_queue(&c->work);
    if (c->ring.error != before)
        printf("store: domain %u broke the protocol (error %d), "
               "it is not served any more\n",
               (unsigned int)c->ring.client.domid, (int)c->ring.error);
}

static void connection_event(void *arg)
{
    struct connection *c = arg;

    rt_work_queue(&c->work);
}

static void connection_wake(struct store_client *client)
{
    struct ring *ring = table_entry(client, struct ring, client);
    struct connection *c = table_entry(ring, struct connection, ring);

    rt_work_queue(&c->work);
}

/* --- Connecting ----------------------------------------------------------- */

static int bind_port(struct connection *c, domid_t domid, uint32_t remote)
{
    int rc = rt_port_bind_interdomain(domid, remote, &c->port);

    if (rc)
        return rc;
    rc = rt_port_bind(c->port, connection_event, c);
    if (rc)
        rt_port_close(c->port);

    return rc;
}

static struct connection *connection_new(domid_t domid, uint32_t remote)
{
    const grant_ref_t ref = GNTTAB_RESERVED_XENSTORE;
    struct connection *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->work.fn = connection_serve;
    c->work.arg = c;
    if (rt_grant_map(domid, &ref, 1, true, &c->mapping)) {
        free(c);
        return NULL;
    }
    ring_open(&c->ring, &server.store, domid, c->mapping.va, connection_wake);
    if (bind_port(c, domid, remote)) {
        ring_close(&c->ring);
        rt_grant_unmap(&c->mapping);
        free(c);
        return NULL;
    }
    table_insert(&server.connections, &c->link, domid); /* hash: the domid */

    return c;
}

static void connection_close(struct connection *c)
{
    table_remove(&server.connections, &c->link);
    rt_port_close(c->port);
    ring_close(&c->ring);
    rt_grant_unmap(&c->mapping);
    connection_free(c);
}

/* For a known domain: a new ring and port, and nobody is told. */
static int introduce(void *context, domid_t domid, uint64_t gfn, uint32_t port)
{
    struct connection *c = connection_find(domid);
    bool known = c != NULL;

    (void)context;
    (void)gfn; /* The grant says where the ring is. */
    if (domid == server.self)
        return -EINVAL;
    if (c)
        connection_close(c);
    c = connection_new(domid, port);
    if (!c)
        return -EINVAL;
    (void)rt_port_notify(c->port);
    if (!known)
        watch_fire_special(&server.store, STORE_INTRODUCE_DOMAIN);

    return 0;
}

static int release(void *context, domid_t domid)
{
    struct connection *c = connection_find(domid);

    (void)context;
    if (!c)
        return -ENOENT;
    connection_close(c);
    watch_fire_special(&server.store, STORE_RELEASE_DOMAIN);

    return 0;
}

static bool is_introduced(void *context, domid_t domid)
{
    (void)context;

    return domid == server.self || connection_find(domid) != NULL;
}

/* --- Domains that end ----------------------------------------------------- */

void store_server_domain_shut_down(domid_t domid)
{
    struct connection *c = connection_find(domid);

    if (!c || c->reported_shut)
        return;
    c->reported_shut = true;
    watch_fire_special(&server.store, STORE_RELEASE_DOMAIN);
}

void store_server_domain_gone(domid_t domid)
{
    struct connection *c = connection_find(domid);

    if (c)
        connection_close(c);
    store_forget_domain(&server.store, domid);
    if (c)
        watch_fire_special(&server.store, STORE_RELEASE_DOMAIN);
}

/* --- Starting, looking ---------------------------------------------------- */

struct xs *store_server_open(void)
{
    return store_local_open(&server.store, server.self);
}

int store_server_start(domid_t self)
{
    struct xs *xs;

    server.self = self;
    if (store_init(&server.store, self))
        return -ABI_ENOMEM;
    server.store.domains = (struct store_domains){
        .introduce = introduce,
        .release = release,
        .is_introduced = is_introduced,
    };
    xs = store_server_open();
    if (!xs)
        return -ABI_ENOMEM;
    xs_set_default(xs);

    return 0;
}

void store_server_stats(struct store_server_stats *stats)
{
    const struct store *s = &server.store;

    *stats = (struct store_server_stats){
        .nodes = s->tree.node_count,
        .connections = server.connections.count,
        .watch_points = s->watch_points.count,
        .requests = s->request_count,
        .events = s->event_count,
        .conflicts = s->conflict_count,
        .guest_bytes = store_guest_bytes(s),
    };
}

static const char *error_text(enum ring_error error)
{
    switch (error) {
    case RING_ERROR_NONE:
        return NULL;
    case RING_ERROR_COMMUNICATION:
        return "out of memory";
    case RING_ERROR_INDEX:
        return "bad ring index";
    case RING_ERROR_PROTOCOL:
        return "message too long";
    }

    return NULL;
}

bool store_server_usage(domid_t domid, struct store_server_usage *usage)
{
    const struct connection *c = connection_find(domid);

    if (!c)
        return false;
    *usage = (struct store_server_usage){
        .nodes = tree_owned_count(&server.store.tree, domid),
        .watches = c->ring.client.watch_count,
        .transactions = c->ring.client.transaction_count,
        .bytes = store_client_bytes(&c->ring.client),
        .error = error_text(c->ring.error),
    };

    return true;
}
