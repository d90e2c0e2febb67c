/* SPDX-License-Identifier: BSD-2-Clause */
/* The store as a whole: its beginning and end, clients, dead domains. */

#include "store/store.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "store/ops.h"
#include "store/path.h"
#include "store/perms.h"
#include "store/quota.h"
#include "store/transaction.h"
#include "store/watch.h"

int store_init(struct store *store, domid_t owner)
{
    struct perm only_owner = {.domid = owner, .bits = PERM_NONE};
    struct perms *p = perms_new(&only_owner, 1);

    memset(store, 0, sizeof(*store));
    if (!p || tree_init(&store->tree, p)) {
        perms_put(p);
        return -ENOMEM;
    }
    store->introduce_perms = perms_get(p);
    store->release_perms = perms_get(p);

    return 0;
}

void store_destroy(struct store *store)
{
    assert(store->watch_points.count == 0);
    table_clear(&store->watch_points);
    perms_put(store->introduce_perms);
    perms_put(store->release_perms);
    tree_destroy(&store->tree);
}

void store_client_init(struct store_client *client, struct store *store,
                       domid_t domid, bool privileged,
                       void (*wake)(struct store_client *))
{
    memset(client, 0, sizeof(*client));
    client->store = store;
    client->domid = domid;
    client->privileged = privileged;
    client->wake = wake;
    TAILQ_INIT(&client->watches);
    TAILQ_INIT(&client->events);
    TAILQ_INIT(&client->transactions);
}

void store_client_reset(struct store_client *client)
{
    watch_remove_all(client);
    transaction_drop_all(client);
    assert(client->charged_bytes == 0 && client->event_bytes == 0);
}

size_t store_client_bytes(const struct store_client *client)
{
    return client->charged_bytes + client->event_bytes +
           tree_owned_bytes(&client->store->tree, client->domid);
}

size_t store_guest_bytes(const struct store *store)
{
    const struct tree *tree = &store->tree;

    return store->charged_bytes + tree->bytes - tree->root->account->bytes;
}

bool store_client_has_room(const struct store_client *client, size_t bytes)
{
    return client->privileged ||
           store_client_bytes(client) + bytes <= STORE_CERTAIN_BYTES ||
           store_guest_bytes(client->store) + bytes <= STORE_POOL_BYTES;
}

/* Guests' memory is counted for all of them together, too. */
static void count(struct store_client *client, size_t more)
{
    if (!client->privileged)
        client->store->charged_bytes += more;
}

int store_client_charge(struct store_client *client, size_t bytes)
{
    if (!client->privileged &&
        client->charged_bytes + bytes > STORE_QUOTA_BYTES)
        return -ENOSPC;
    if (!store_client_has_room(client, bytes))
        return -ENOSPC;
    client->charged_bytes += bytes;
    count(client, bytes);

    return 0;
}

void store_client_uncharge(struct store_client *client, size_t bytes)
{
    assert(client->charged_bytes >= bytes);
    client->charged_bytes -= bytes;
    count(client, -bytes);
}

void store_client_charge_event(struct store_client *client, size_t bytes)
{
    client->event_bytes += (uint32_t)bytes;
    count(client, bytes);
}

void store_client_uncharge_event(struct store_client *client, size_t bytes)
{
    assert(client->event_bytes >= bytes);
    client->event_bytes -= (uint32_t)bytes;
    count(client, -bytes);
}

void store_forget_domain(struct store *store, domid_t domid)
{
    struct node *node;

    while ((node = tree_owned_first(&store->tree, domid)) != NULL &&
           node != store->tree.root)
        ops_remove_subtree(store, node);
}
