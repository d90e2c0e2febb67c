/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store as a whole, and its clients.
 *
 * A client is one connection: a guest's ring, or a part of the control domain.
 * It sends requests (store/request.h), and fetches the events of its watches
 * (store/watch.h) when it is woken.  What moves the bytes is not known here.
 */

#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <abi/domid.h>

#include "lib/table.h"
#include "store/tree.h"

struct store;
struct store_client;
struct transaction;
struct watch;
struct watch_event;

TAILQ_HEAD(watch_list, watch);
TAILQ_HEAD(watch_event_list, watch_event);
TAILQ_HEAD(transaction_list, transaction);

/*
 * What privileged requests make happen outside the store.  All return 0 or a
 * negative errno.
 */
struct store_domains {
    int (*introduce)(void *context, domid_t domid, uint64_t gfn, uint32_t port);
    int (*release)(void *context, domid_t domid);
    bool (*is_introduced)(void *context, domid_t domid);
    void *context;
};

struct store {
    struct tree tree;
    struct table watch_points;     /* by path: see store/watch.c */
    struct perms *introduce_perms; /* of @introduceDomain */
    struct perms *release_perms;   /* of @releaseDomain */
    struct store_domains domains;
    size_t charged_bytes; /* what guests hold besides nodes */
    uint64_t request_count, event_count, conflict_count;
};

struct store_client {
    struct store *store;
    domid_t domid;
    bool privileged; /* no permission and no quota binds it */

    struct watch_list watches;
    uint32_t watch_count;
    struct watch_event_list events; /* oldest first */
    uint32_t event_bytes;

    struct transaction_list transactions;
    uint32_t transaction_count;
    uint32_t last_transaction;

    size_t charged_bytes; /* STORE_QUOTA_BYTES */

    /* Called when there is an event and there was none before. */
    void (*wake)(struct store_client *client);
};

/* The root belongs to @owner, and only it may write there.  0 or -ENOMEM. */
int store_init(struct store *store, domid_t owner);
void store_destroy(struct store *store);

/* @wake may be NULL. */
void store_client_init(struct store_client *client, struct store *store,
                       domid_t domid, bool privileged,
                       void (*wake)(struct store_client *));

/* Drop its watches, events and transactions; it may be used again. */
void store_client_reset(struct store_client *client);

/* What all guests hold together, nodes and all. */
size_t store_guest_bytes(const struct store *store);

/* May the store keep @bytes more for it?  See STORE_POOL_BYTES. */
bool store_client_has_room(const struct store_client *client, size_t bytes);

/*
 * Take @bytes of the client's quota for what the store keeps for it.
 * -ENOSPC when it has none left.
 */
int store_client_charge(struct store_client *client, size_t bytes);
void store_client_uncharge(struct store_client *client, size_t bytes);

/* The same for events, which have a quota of their own (store/watch.c). */
void store_client_charge_event(struct store_client *client, size_t bytes);
void store_client_uncharge_event(struct store_client *client, size_t bytes);

/* All that the store keeps for the client: nodes of its domain, too. */
size_t store_client_bytes(const struct store_client *client);

/* Remove all nodes that @domid owns, with what is below them. */
void store_forget_domain(struct store *store, domid_t domid);

#endif /* STORE_STORE_H */
