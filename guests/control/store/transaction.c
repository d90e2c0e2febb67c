/* SPDX-License-Identifier: BSD-2-Clause */
/* Transactions: their records, and committing them. */

#include "store/transaction.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/path.h"
#include "store/perms.h"
#include "store/quota.h"
#include "store/tree.h"
#include "store/watch.h"

int transaction_start(struct store_client *client, struct transaction **out)
{
    struct transaction *t;
    int rc;

    if (!client->privileged &&
        client->transaction_count >= STORE_QUOTA_TRANSACTIONS)
        return -ENOSPC;
    rc = store_client_charge(client, sizeof(*t));
    if (rc)
        return rc;
    t = calloc(1, sizeof(*t));
    if (!t) {
        store_client_uncharge(client, sizeof(*t));
        return -ENOMEM;
    }

    do
        client->last_transaction++; /* 0 means "no transaction". */
    while (client->last_transaction == 0 ||
           transaction_find(client, client->last_transaction));
    t->id = client->last_transaction;
    t->client = client;
    TAILQ_INIT(&t->order);
    TAILQ_INSERT_TAIL(&client->transactions, t, in_client);
    client->transaction_count++;
    *out = t;

    return 0;
}

struct transaction *transaction_find(struct store_client *client, uint32_t id)
{
    struct transaction *t;

    TAILQ_FOREACH(t, &client->transactions, in_client)
    if (t->id == id)
        return t;

    return NULL;
}

static size_t record_bytes(const char *path, uint32_t value_bytes)
{
    return sizeof(struct record) + strlen(path) + 1 + value_bytes;
}

static void record_free(struct transaction *t, struct record *r)
{
    store_client_uncharge(t->client, record_bytes(r->path, r->value_bytes));
    if (r->prepared)
        tree_discard(&t->client->store->tree, r->prepared);
    perms_put(r->perms);
    perms_put(r->perms_before);
    free(r->value);
    free(r);
}

void transaction_drop(struct transaction *t)
{
    struct store_client *client = t->client;
    struct record *r;

    while ((r = TAILQ_FIRST(&t->order)) != NULL) {
        TAILQ_REMOVE(&t->order, r, order);
        record_free(t, r);
    }
    table_clear(&t->records);
    TAILQ_REMOVE(&client->transactions, t, in_client);
    client->transaction_count--;
    store_client_uncharge(client, sizeof(*t));
    free(t);
}

void transaction_drop_all(struct store_client *client)
{
    while (!TAILQ_EMPTY(&client->transactions))
        transaction_drop(TAILQ_FIRST(&client->transactions));
}

/* --- Records -------------------------------------------------------------- */

static struct record *record_find(const struct transaction *t, const char *path,
                                  uint32_t hash)
{
    struct table_link *l = table_first(&t->records, hash);

    for (; l; l = table_next(l)) {
        struct record *r = table_entry(l, struct record, link);

        if (strcmp(r->path, path) == 0)
            return r;
    }

    return NULL;
}

const struct record *transaction_peek(const struct transaction *t,
                                      const char *path)
{
    return record_find(t, path, table_hash(path, strlen(path), 0));
}

static int record_copy_node(struct record *r, const struct node *node)
{
    if (node->value_bytes) {
        r->value = malloc(node->value_bytes);
        if (!r->value)
            return -ENOMEM;
        memcpy(r->value, node->value, node->value_bytes);
        r->value_bytes = node->value_bytes;
    }
    r->existed = r->present = true;
    r->generation = node->generation;
    r->child_generation = node->child_generation;
    r->child_name_bytes = node->child_name_bytes;
    r->perms = perms_get(node->perms);
    r->perms_before = perms_get(node->perms);

    return 0;
}

static int record_make(struct transaction *t, const char *path,
                       const struct node *node, struct record **out)
{
    uint32_t value_bytes = node ? node->value_bytes : 0;
    struct record *r;
    int rc;

    rc = store_client_charge(t->client, record_bytes(path, value_bytes));
    if (rc)
        return rc;
    r = calloc(1, sizeof(*r) + strlen(path) + 1);
    if (!r || (node && record_copy_node(r, node))) {
        free(r);
        store_client_uncharge(t->client, record_bytes(path, value_bytes));
        return -ENOMEM;
    }
    strcpy(r->path, path);
    *out = r;

    return 0;
}

int transaction_record(struct transaction *t, const char *path,
                       struct record **out)
{
    uint32_t hash = table_hash(path, strlen(path), 0);
    struct record *r = record_find(t, path, hash);
    int rc;

    if (!r) {
        if (!t->client->privileged &&
            t->record_count >= STORE_QUOTA_TRANSACTION_NODES)
            return -ENOSPC;
        rc = record_make(t, path, tree_find(&t->client->store->tree, path), &r);
        if (rc)
            return rc;
        r->index = t->record_count;
        r->depth = (uint32_t)path_depth(path);
        table_insert(&t->records, &r->link, hash);
        TAILQ_INSERT_TAIL(&t->order, r, order);
        t->record_count++;
    }
    *out = r;

    return 0;
}

int transaction_set_value(struct transaction *t, struct record *r, char *value,
                          uint32_t value_bytes)
{
    int rc = store_client_charge(t->client, value_bytes);

    if (rc)
        return rc;
    store_client_uncharge(t->client, r->value_bytes);
    free(r->value);
    r->value = value;
    r->value_bytes = value_bytes;
    r->changed = true;

    return 0;
}

/* --- Committing ----------------------------------------------------------- */

static bool record_holds(struct tree *tree, const struct record *r)
{
    const struct node *node = tree_find(tree, r->path);

    if (!r->existed)
        return !node;

    return node && node->generation == r->generation &&
           (!r->listed || node->child_generation == r->child_generation);
}

/* A node that the commit makes new, or anew. */
static bool makes_node(const struct record *r)
{
    return r->changed && r->present && !r->existed;
}

/* Parents before children; else in the order of the first look. */
static int compare_depth(const void *a, const void *b)
{
    const struct record *const *x = a, *const *y = b;

    if ((*x)->depth != (*y)->depth)
        return (*x)->depth < (*y)->depth ? -1 : 1;

    return (*x)->index < (*y)->index ? -1 : 1;
}

static int check_records(struct transaction *t)
{
    const struct record *r;

    TAILQ_FOREACH(r, &t->order, order)
    if (!record_holds(&t->client->store->tree, r))
        return -EAGAIN;

    return 0;
}

static int check_quota(struct transaction *t)
{
    uint32_t owned =
        tree_owned_count(&t->client->store->tree, t->client->domid);

    if (t->client->privileged || t->created <= 0 ||
        owned + (uint32_t)t->created <= STORE_QUOTA_NODES)
        return 0;

    return -ENOSPC;
}

/*
 * Make the node of a record that is new.  For a node that changes its owner, a
 * spare one that is never linked: it keeps the new owner's account open, so
 * that tree_set_perms() cannot fail.
 */
static int prepare_record(struct tree *tree, struct record *r)
{
    const char *name = r->existed ? "" : path_name(r->path);

    if (!r->changed || !r->present)
        return 0;
    if (r->existed && perms_owner(r->perms) == perms_owner(r->perms_before))
        return 0;

    r->prepared = tree_prepare(tree, name, NULL, 0, r->perms);
    if (!r->prepared)
        return -ENOMEM;
    perms_get(r->perms);

    return 0;
}

/* All that may fail. */
static int commit_prepare(struct transaction *t)
{
    struct record *r;
    int rc = check_records(t);

    if (rc) {
        t->client->store->conflict_count++;
        return rc;
    }
    rc = check_quota(t);
    if (rc)
        return rc;

    TAILQ_FOREACH(r, &t->order, order)
    {
        rc = prepare_record(&t->client->store->tree, r);
        if (rc)
            return rc;
    }

    return 0;
}

static void apply_removal(struct tree *tree, const struct record *r)
{
    struct node *node;

    if (!r->changed || r->present || !r->existed)
        return;
    node = tree_find(tree, r->path);
    assert(node);
    tree_remove(tree, node);
}

static void apply_new(struct tree *tree, struct record *r)
{
    char parent[STORE_PATH_BYTES];
    struct node *node = r->prepared;

    strcpy(parent, r->path);
    path_to_parent(parent);
    r->prepared = NULL;
    tree_set_value(tree, node, r->value, r->value_bytes);
    tree_link(tree, tree_find(tree, parent), node);
}

static void apply_change(struct tree *tree, struct record *r)
{
    struct node *node = tree_find(tree, r->path);
    int rc;

    tree_set_value(tree, node, r->value, r->value_bytes);
    if (node->perms == r->perms)
        return;
    rc = tree_set_perms(tree, node, perms_get(r->perms));
    assert(rc == 0); /* r->prepared keeps the account open. */
    (void)rc;
}

/* The value's bytes stay charged until the record goes. */
static void apply_presence(struct tree *tree, struct record *r)
{
    if (!r->changed || !r->present)
        return;
    if (makes_node(r))
        apply_new(tree, r);
    else
        apply_change(tree, r);
    r->value = NULL;
}

static void fire_record(struct store *store, const struct record *r)
{
    const struct perms *now = r->perms;

    if (r->fire == FIRE_NONE || (!r->existed && !r->present))
        return;
    if (!r->present) /* Removed: who may read what was above it. */
        now = tree_find_nearest(&store->tree, r->path)->perms;
    watch_fire(store, r->path, r->fire == FIRE_EXACT, now, r->perms_before);
}

static void commit_apply(struct transaction *t, struct record **sorted)
{
    struct store *store = t->client->store;
    uint32_t count = 0;
    struct record *r;

    TAILQ_FOREACH(r, &t->order, order)
    sorted[count++] = r;
    qsort(sorted, count, sizeof(struct record *), compare_depth);

    for (uint32_t i = count; i-- > 0;)
        apply_removal(&store->tree, sorted[i]); /* children first */
    for (uint32_t i = 0; i < count; i++)
        apply_presence(&store->tree, sorted[i]); /* parents first */
    TAILQ_FOREACH(r, &t->order, order)
    fire_record(store, r);
}

int transaction_commit(struct transaction *t)
{
    struct record **sorted = calloc(t->record_count + 1, sizeof(*sorted));
    int rc = sorted ? commit_prepare(t) : -ENOMEM;

    if (rc == 0)
        commit_apply(t, sorted);
    free(sorted);
    transaction_drop(t);

    return rc;
}
