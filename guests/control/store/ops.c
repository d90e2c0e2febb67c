/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client may do to nodes: permissions and quotas. */

#include "store/ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/path.h"
#include "store/perms.h"
#include "store/quota.h"
#include "store/transaction.h"
#include "store/tree.h"
#include "store/view.h"

/* --- Permissions ---------------------------------------------------------- */

static bool may(const struct store_client *client, const struct perms *perms,
                unsigned int bits)
{
    return client->privileged ||
           (perms_of(perms, client->domid) & bits) == bits;
}

/* The nearest node above @path that exists, and its path. */
static int get_above(const struct view *v, const char *path, char *above,
                     struct ops_view *out)
{
    int rc;

    strcpy(above, path);
    do {
        if (strcmp(above, "/") == 0)
            return -ENOENT; /* The root is always there. */
        path_to_parent(above);
        rc = view_get(v, above, out);
    } while (rc == -ENOENT);

    return rc;
}

/* Who may not read above a missing node is not told that it is missing. */
static int why_missing(const struct view *v, const char *path)
{
    char above[STORE_PATH_BYTES];
    struct ops_view node;
    int rc = get_above(v, path, above, &node);

    if (rc)
        return rc;

    return may(v->client, node.perms, PERM_READ) ? -ENOENT : -EACCES;
}

/* The node, if the client has the rights @bits on it. */
static int get_permitted(const struct view *v, const char *path,
                         unsigned int bits, struct ops_view *out)
{
    int rc = view_get(v, path, out);

    if (rc == -ENOENT)
        return why_missing(v, path);
    if (rc)
        return rc;

    return may(v->client, out->perms, bits) ? 0 : -EACCES;
}

/* --- Quotas --------------------------------------------------------------- */

static int check_record_bytes(const struct store_client *client,
                              const struct perms *perms, size_t value_bytes,
                              size_t child_name_bytes)
{
    size_t bytes = STORE_NODE_HEADER_BYTES +
                   (size_t)perms->count * STORE_NODE_PERM_BYTES + value_bytes +
                   child_name_bytes;

    return client->privileged || bytes < STORE_QUOTA_NODE_BYTES ? 0 : -ENOSPC;
}

/* May the client own @count nodes more? */
static int check_node_count(const struct view *v, size_t count)
{
    const struct store_client *client = v->client;
    long owned;

    if (client->privileged)
        return 0;
    owned = tree_owned_count(&client->store->tree, client->domid);
    if (v->t)
        owned += v->t->created;

    return owned + (long)count <= (long)STORE_QUOTA_NODES ? 0 : -ENOSPC;
}

/* A transaction's records are charged as they are made. */
static int check_room(const struct view *v, size_t bytes)
{
    return v->t || store_client_has_room(v->client, bytes) ? 0 : -ENOSPC;
}

/* --- Reading -------------------------------------------------------------- */

int ops_read(struct store_client *client, struct transaction *t,
             const char *path, struct ops_view *out)
{
    struct view v = {client, t};

    return get_permitted(&v, path, PERM_READ, out);
}

int ops_list(struct store_client *client, struct transaction *t,
             const char *path, size_t offset, char *out, size_t room,
             struct ops_listing *listing)
{
    struct view v = {client, t};
    struct ops_view node;
    int rc = get_permitted(&v, path, PERM_READ, &node);

    return rc ? rc : view_list(&v, path, offset, out, room, listing);
}

/* --- Creating ------------------------------------------------------------- */

/* A child has its parent's list; who is bound by quotas owns what it makes. */
static struct perms *inherit(const struct view *v, struct perms *above)
{
    return v->client->privileged ? perms_get(above)
                                 : perms_with_owner(above, v->client->domid);
}

/* The part of @path one component longer than @above. */
static void next_below(char *out, const char *path, const char *above)
{
    size_t size = strcmp(above, "/") == 0 ? 0 : strlen(above);

    size += 1 + strcspn(path + size + 1, "/");
    memcpy(out, path, size);
    out[size] = '\0';
}

/* Make the nodes from below @above down to @path, all with @perms. */
static int create_chain(const struct view *v, const char *path,
                        const char *above, struct perms *perms)
{
    char at[STORE_PATH_BYTES];
    int rc;

    strcpy(at, above);
    do {
        next_below(at, path, at);
        rc = view_create(v, at, perms_get(perms));
        if (rc)
            perms_put(perms);
    } while (rc == 0 && strcmp(at, path) != 0);

    return rc;
}

/* Take back what create_chain() made before it failed. */
static void remove_chain(const struct view *v, const char *path,
                         const char *above)
{
    char top[STORE_PATH_BYTES];
    struct ops_view node;

    next_below(top, path, above);
    if (view_get(v, top, &node) == 0)
        (void)view_remove(v, top);
}

static int check_creation(const struct view *v, const char *path,
                          const char *above, const struct ops_view *node,
                          size_t value_bytes)
{
    char top[STORE_PATH_BYTES];
    size_t count;
    int rc;

    if (!may(v->client, node->perms, PERM_WRITE))
        return -EACCES;
    count = path_depth(path) - path_depth(above);
    rc = check_node_count(v, count);
    if (rc == 0)
        rc = check_room(v, count * tree_node_bytes(0, 0) + strlen(path) +
                               value_bytes);
    if (rc)
        return rc;

    next_below(top, path, above);
    rc =
        check_record_bytes(v->client, node->perms, node->value_bytes,
                           node->child_name_bytes + strlen(path_name(top)) + 1);

    return rc ? rc : check_record_bytes(v->client, node->perms, value_bytes, 0);
}

/* Make @path and what is missing above it; @value is taken on success. */
static int create(const struct view *v, const char *path, char *value,
                  uint32_t value_bytes)
{
    char above[STORE_PATH_BYTES];
    struct perms *perms;
    struct ops_view node;
    int rc;

    rc = get_above(v, path, above, &node);
    if (rc == 0)
        rc = check_creation(v, path, above, &node, value_bytes);
    if (rc)
        return rc;

    perms = inherit(v, node.perms);
    if (!perms)
        return -ENOMEM;
    rc = create_chain(v, path, above, perms);
    if (rc == 0)
        rc = view_set_value(v, path, value, value_bytes);
    perms_put(perms);
    if (rc)
        remove_chain(v, path, above);
    else
        view_changed(v, path, NULL);

    return rc;
}

static int change_value(const struct view *v, const char *path,
                        const struct ops_view *node, char *value,
                        uint32_t value_bytes)
{
    int rc;

    if (!may(v->client, node->perms, PERM_WRITE))
        return -EACCES;
    rc = check_record_bytes(v->client, node->perms, value_bytes,
                            node->child_name_bytes);
    if (rc == 0 && value_bytes > node->value_bytes)
        rc = check_room(v, value_bytes - node->value_bytes);
    if (rc == 0)
        rc = view_set_value(v, path, value, value_bytes);
    if (rc == 0)
        view_changed(v, path, NULL);

    return rc;
}

int ops_write(struct store_client *client, struct transaction *t,
              const char *path, const char *value, uint32_t value_bytes)
{
    struct view v = {client, t};
    struct ops_view node;
    char *copy = NULL;
    int rc;

    if (value_bytes) {
        copy = malloc(value_bytes);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, value, value_bytes);
    }
    rc = view_get(&v, path, &node);
    if (rc == 0)
        rc = change_value(&v, path, &node, copy, value_bytes);
    else if (rc == -ENOENT)
        rc = create(&v, path, copy, value_bytes);
    if (rc)
        free(copy);

    return rc;
}

int ops_mkdir(struct store_client *client, struct transaction *t,
              const char *path)
{
    struct view v = {client, t};
    struct ops_view node;
    int rc = view_get(&v, path, &node);

    if (rc == -ENOENT)
        return create(&v, path, NULL, 0);
    if (rc)
        return rc;

    return may(client, node.perms, PERM_WRITE) ? 0 : -EACCES;
}

/* --- Removing, permissions ------------------------------------------------ */

/* RM of a node that is not there is no error if its parent is. */
static int remove_missing(const struct view *v, const char *path)
{
    char above[STORE_PATH_BYTES];
    struct ops_view node;
    int rc = get_above(v, path, above, &node);

    if (rc)
        return rc;
    if (path_depth(path) == path_depth(above) + 1)
        return may(v->client, node.perms, PERM_WRITE) ? 0 : -EACCES;

    return may(v->client, node.perms, PERM_READ) ? -ENOENT : -EACCES;
}

int ops_remove(struct store_client *client, struct transaction *t,
               const char *path)
{
    struct view v = {client, t};
    struct ops_view node;
    int rc;

    if (strcmp(path, "/") == 0)
        return -EINVAL;
    rc = view_get(&v, path, &node);
    if (rc == -ENOENT)
        return remove_missing(&v, path);
    if (rc)
        return rc;

    return may(client, node.perms, PERM_WRITE) ? view_remove(&v, path)
                                               : -EACCES;
}

static int check_new_perms(const struct store_client *client,
                           const struct ops_view *node,
                           const struct perms *perms)
{
    if (client->privileged)
        return 0;
    if (perms_owner(node->perms) != client->domid)
        return -EACCES;
    if (perms_owner(perms) != client->domid)
        return -EPERM;
    if (perms->count > STORE_QUOTA_PERMS)
        return -ENOSPC;

    return check_record_bytes(client, perms, node->value_bytes,
                              node->child_name_bytes);
}

int ops_set_perms(struct store_client *client, struct transaction *t,
                  const char *path, struct perms *perms)
{
    struct view v = {client, t};
    struct perms *before;
    struct ops_view node;
    int rc = view_get(&v, path, &node);

    if (rc == -ENOENT)
        return why_missing(&v, path);
    if (rc == 0)
        rc = check_new_perms(client, &node, perms);
    if (rc)
        return rc;

    before = perms_get(node.perms);
    rc = view_set_perms(&v, path, perms);
    if (rc == 0)
        view_changed(&v, path, before);
    perms_put(before);

    return rc;
}
