/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of committed nodes. */

#include "store/tree.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/path.h"
#include "store/perms.h"
#include "store/quota.h"

/* A list of permissions is shared, but it may be this node's alone. */
size_t tree_node_bytes(size_t name_bytes, size_t value_bytes)
{
    return sizeof(struct node) + sizeof(struct perms) +
           STORE_QUOTA_PERMS * sizeof(struct perm) + name_bytes + 1 +
           value_bytes;
}

static size_t bytes_of(const struct node *node)
{
    return tree_node_bytes(strlen(node->name), node->value_bytes);
}

/* --- Owners --------------------------------------------------------------- */

static struct account *account_find(struct tree *tree, domid_t domid)
{
    struct table_link *l = table_first(&tree->accounts, domid);

    return l ? table_entry(l, struct account, link) : NULL;
}

static struct account *account_get(struct tree *tree, domid_t domid)
{
    struct account *a = account_find(tree, domid);

    if (a)
        return a;

    a = calloc(1, sizeof(*a));
    if (!a)
        return NULL;
    a->domid = domid;
    TAILQ_INIT(&a->nodes);
    table_insert(&tree->accounts, &a->link, domid); /* hash: the domid */

    return a;
}

static void account_put_if_empty(struct tree *tree, struct account *a)
{
    if (a->node_count)
        return;
    table_remove(&tree->accounts, &a->link);
    free(a);
}

static void account_enter(struct tree *tree, struct account *a,
                          struct node *node)
{
    size_t bytes = bytes_of(node);

    node->account = a;
    a->node_count++;
    a->bytes += bytes;
    tree->bytes += bytes;
    TAILQ_INSERT_TAIL(&a->nodes, node, owned);
}

static void account_leave(struct tree *tree, struct node *node)
{
    struct account *a = node->account;
    size_t bytes = bytes_of(node);

    TAILQ_REMOVE(&a->nodes, node, owned);
    a->node_count--;
    a->bytes -= bytes;
    tree->bytes -= bytes;
    node->account = NULL;
    account_put_if_empty(tree, a);
}

uint32_t tree_owned_count(struct tree *tree, domid_t domid)
{
    const struct account *a = account_find(tree, domid);

    return a ? a->node_count : 0;
}

size_t tree_owned_bytes(struct tree *tree, domid_t domid)
{
    const struct account *a = account_find(tree, domid);

    return a ? a->bytes : 0;
}

struct node *tree_owned_first(struct tree *tree, domid_t domid)
{
    const struct account *a = account_find(tree, domid);

    return a ? TAILQ_FIRST(&a->nodes) : NULL;
}

/* --- Nodes ---------------------------------------------------------------- */

static void touch(struct tree *tree, struct node *node)
{
    node->generation = ++tree->last_generation;
}

static void touch_children(struct tree *tree, struct node *node)
{
    node->child_generation = ++tree->last_generation;
}

struct node *tree_prepare(struct tree *tree, const char *name, char *value,
                          uint32_t value_bytes, struct perms *perms)
{
    struct account *a = account_get(tree, perms_owner(perms));
    struct node *node;

    if (!a)
        return NULL;

    node = calloc(1, sizeof(*node) + strlen(name) + 1);
    if (!node) {
        account_put_if_empty(tree, a);
        return NULL;
    }
    strcpy(node->name, name);
    TAILQ_INIT(&node->children);
    node->perms = perms;
    node->value = value;
    node->value_bytes = value_bytes;
    account_enter(tree, a, node);
    touch(tree, node);
    touch_children(tree, node);

    return node;
}

void tree_discard(struct tree *tree, struct node *node)
{
    account_leave(tree, node);
    perms_put(node->perms);
    free(node->value);
    free(node);
}

static uint32_t child_hash(const struct node *parent, const char *name,
                           size_t name_bytes)
{
    return table_hash(name, name_bytes, table_hash(&parent, sizeof(parent), 0));
}

void tree_link(struct tree *tree, struct node *parent, struct node *node)
{
    uint32_t name_bytes = (uint32_t)strlen(node->name);

    node->parent = parent;
    table_insert(&tree->nodes, &node->link,
                 child_hash(parent, node->name, name_bytes));
    TAILQ_INSERT_TAIL(&parent->children, node, sibling);
    parent->child_name_bytes += name_bytes + 1;
    touch_children(tree, parent);
    tree->node_count++;
}

void tree_remove(struct tree *tree, struct node *node)
{
    struct node *parent = node->parent;

    assert(parent && TAILQ_EMPTY(&node->children));

    table_remove(&tree->nodes, &node->link);
    TAILQ_REMOVE(&parent->children, node, sibling);
    parent->child_name_bytes -= (uint32_t)strlen(node->name) + 1;
    touch_children(tree, parent);
    tree->node_count--;
    tree_discard(tree, node);
}

void tree_set_value(struct tree *tree, struct node *node, char *value,
                    uint32_t value_bytes)
{
    size_t more = value_bytes - (size_t)node->value_bytes; /* wraps for less */

    node->account->bytes += more;
    tree->bytes += more;
    free(node->value);
    node->value = value;
    node->value_bytes = value_bytes;
    touch(tree, node);
}

int tree_set_perms(struct tree *tree, struct node *node, struct perms *perms)
{
    struct account *a = account_get(tree, perms_owner(perms));

    if (!a)
        return -ENOMEM;
    if (a != node->account) {
        account_leave(tree, node);
        account_enter(tree, a, node);
    }
    perms_put(node->perms);
    node->perms = perms;
    touch(tree, node);

    return 0;
}

static struct node *find_child(struct tree *tree, const struct node *parent,
                               const char *name, size_t name_bytes)
{
    struct table_link *l =
        table_first(&tree->nodes, child_hash(parent, name, name_bytes));

    for (; l; l = table_next(l)) {
        struct node *node = table_entry(l, struct node, link);

        if (node->parent == parent && strlen(node->name) == name_bytes &&
            memcmp(node->name, name, name_bytes) == 0)
            return node;
    }

    return NULL;
}

/* Go down @path as far as it exists; @rest is what is left of it. */
static struct node *descend(struct tree *tree, const char *path,
                            const char **rest)
{
    struct node *node = tree->root;

    assert(path[0] == '/' && strlen(path) < STORE_PATH_BYTES);

    path++;
    while (*path) {
        size_t bytes = strcspn(path, "/");
        struct node *child = find_child(tree, node, path, bytes);

        if (!child)
            break;
        node = child;
        path += bytes;
        path += *path == '/';
    }
    *rest = path;

    return node;
}

struct node *tree_find(struct tree *tree, const char *path)
{
    const char *rest;
    struct node *node = descend(tree, path, &rest);

    return *rest ? NULL : node;
}

struct node *tree_find_nearest(struct tree *tree, const char *path)
{
    const char *rest;

    return descend(tree, path, &rest);
}

bool tree_path(const struct node *node, char *out, size_t room)
{
    size_t at = room;

    if (room < 2)
        return false;
    out[--at] = '\0';
    if (!node->parent)
        out[--at] = '/';
    for (; node->parent; node = node->parent) {
        size_t bytes = strlen(node->name);

        if (at < bytes + 1)
            return false;
        at -= bytes;
        memcpy(out + at, node->name, bytes);
        out[--at] = '/';
    }
    memmove(out, out + at, room - at);

    return true;
}

int tree_init(struct tree *tree, struct perms *perms)
{
    memset(tree, 0, sizeof(*tree));
    tree->root = tree_prepare(tree, "", NULL, 0, perms);
    if (!tree->root)
        return -ENOMEM;
    tree->node_count = 1;

    return 0;
}

void tree_destroy(struct tree *tree)
{
    struct node *node = tree->root;

    /* Down to a leaf, remove it, go on at its parent: no recursion. */
    while (node != tree->root || !TAILQ_EMPTY(&node->children)) {
        struct node *parent = node->parent;

        if (!TAILQ_EMPTY(&node->children)) {
            node = TAILQ_FIRST(&node->children);
            continue;
        }
        tree_remove(tree, node);
        node = parent;
    }
    tree_discard(tree, tree->root);
    tree->root = NULL;
    table_clear(&tree->nodes);
    table_clear(&tree->accounts);
}
