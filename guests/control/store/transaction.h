/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transactions: changes that others see all at once, or not at all.
 *
 * A transaction keeps a private record of each node it has looked at: what the
 * node was then, with its generation, and what has been made of it since.
 * Committing compares the generations with those in the tree.  If any moved,
 * another client was quicker and the answer is -EAGAIN; otherwise all changes
 * are applied, which cannot fail.  Nobody ever waits for a transaction.
 */

#ifndef STORE_TRANSACTION_H
#define STORE_TRANSACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/table.h"
#include "store/store.h"

/* Which watches a change concerns when it is committed. */
enum record_fire {
    FIRE_NONE,
    FIRE_EXACT, /* a node below one that was removed */
    FIRE_ALL,
};

/* A node as one transaction sees it. */
struct record {
    struct table_link link;
    TAILQ_ENTRY(record) order;
    bool existed; /* when first looked at */
    bool listed;  /* its children were asked for, or removed with it */
    bool present; /* now */
    bool changed; /* differs from the tree: apply it */
    enum record_fire fire;
    uint64_t generation, child_generation; /* when first looked at */
    char *value;                           /* now; NULL when empty */
    uint32_t value_bytes;
    uint32_t child_name_bytes;
    struct perms *perms;        /* now; NULL when absent */
    struct perms *perms_before; /* when first looked at */
    struct node *prepared;      /* while committing */
    uint32_t index, depth;      /* of the first look, and of the path */
    char path[];
};

TAILQ_HEAD(record_list, record);

struct transaction {
    TAILQ_ENTRY(transaction) in_client;
    struct store_client *client;
    uint32_t id;
    struct table records;
    struct record_list order;
    uint32_t record_count;
    int created; /* nodes made less nodes removed, of the client's own */
};

/* -ENOSPC: too many; -ENOMEM. */
int transaction_start(struct store_client *client, struct transaction **out);

/* NULL when the client has none of this id. */
struct transaction *transaction_find(struct store_client *client, uint32_t id);

/*
 * The record of @path, made at the first look.
 * -ENOSPC: too many nodes or bytes; -ENOMEM.
 */
int transaction_record(struct transaction *t, const char *path,
                       struct record **out);

/* The record of @path if there is one; no look. */
const struct record *transaction_peek(const struct transaction *t,
                                      const char *path);

/* Replace a record's value; the old one is freed, @value taken on success. */
int transaction_set_value(struct transaction *t, struct record *r, char *value,
                          uint32_t value_bytes);

/* End it: 0, -EAGAIN, -ENOSPC (quota), -ENOMEM.  @t is gone in any case. */
int transaction_commit(struct transaction *t);
void transaction_drop(struct transaction *t);
void transaction_drop_all(struct store_client *client);

#endif /* STORE_TRANSACTION_H */
