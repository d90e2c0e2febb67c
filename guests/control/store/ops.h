/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client may do to nodes, with permissions and quotas checked, in a
 * transaction (@t) or outside of one (@t is NULL).
 *
 * Paths are absolute and valid.  Common errors: -ENOENT, there is no such
 * node, and the nearest node above it may be read; -EACCES, not permitted;
 * -ENOSPC, over a quota; -ENOMEM.
 */

#ifndef STORE_OPS_H
#define STORE_OPS_H

#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct perms;
struct transaction;

/* A node's state, valid until the store changes. */
struct ops_view {
    const char *value;
    uint32_t value_bytes;
    uint32_t child_name_bytes;
    uint64_t child_generation;
    struct perms *perms;
};

int ops_read(struct store_client *client, struct transaction *t,
             const char *path, struct ops_view *out);

/*
 * The names of the children from byte @offset of their list on, each with its
 * NUL, as many whole ones as fit in @room.  @bytes: how many were written;
 * @total: of the whole list; @generation: changes when the list does.
 */
struct ops_listing {
    uint64_t generation;
    size_t total, bytes;
};
int ops_list(struct store_client *client, struct transaction *t,
             const char *path, size_t offset, char *out, size_t room,
             struct ops_listing *listing);

/* Missing parents are made. */
int ops_write(struct store_client *client, struct transaction *t,
              const char *path, const char *value, uint32_t value_bytes);
int ops_mkdir(struct store_client *client, struct transaction *t,
              const char *path);

/* With all below it; 0 too if only its parent exists. */
int ops_remove(struct store_client *client, struct transaction *t,
               const char *path);

/* Takes the reference on success.  -EPERM: would change the owner. */
int ops_set_perms(struct store_client *client, struct transaction *t,
                  const char *path, struct perms *perms);

/* Remove a node and all below it, and fire watches, asking nobody. */
void ops_remove_subtree(struct store *store, struct node *node);

#endif /* STORE_OPS_H */
