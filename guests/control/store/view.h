/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One way to look at nodes and change them, whether in a transaction or not.
 *
 * These only do; store/ops.h asks first whether the client may.
 */

#ifndef STORE_VIEW_H
#define STORE_VIEW_H

#include <stdbool.h>

#include "store/ops.h"

struct view {
    struct store_client *client;
    struct transaction *t; /* NULL: the tree itself */
};

/* -ENOENT, or what transaction_record() may answer. */
int view_get(const struct view *v, const char *path, struct ops_view *out);

/* Takes @value (from malloc) on success. */
int view_set_value(const struct view *v, const char *path, char *value,
                   uint32_t value_bytes);

/* Takes the reference on success. */
int view_set_perms(const struct view *v, const char *path, struct perms *perms);

/* Make an empty node; its parent exists, it does not.  As above. */
int view_create(const struct view *v, const char *path, struct perms *perms);

/* Remove the node, which exists and is not the root, and all below it. */
int view_remove(const struct view *v, const char *path);

/* As ops_list(); the node exists. */
int view_list(const struct view *v, const char *path, size_t offset, char *out,
              size_t room, struct ops_listing *listing);

/* @path changed: tell watches now, or at the commit. */
void view_changed(const struct view *v, const char *path,
                  const struct perms *before);

#endif /* STORE_VIEW_H */
