/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking at nodes and changing them, in the tree or in a transaction. */

#include "store/view.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/path.h"
#include "store/perms.h"
#include "store/transaction.h"
#include "store/tree.h"
#include "store/watch.h"

static struct tree *tree_of(const struct view *v)
{
    return &v->client->store->tree;
}

/* --- One node ------------------------------------------------------------- */

static void view_of_node(const struct node *node, struct ops_view *out)
{
    out->value = node->value;
    out->value_bytes = node->value_bytes;
    out->child_name_bytes = node->child_name_bytes;
    out->child_generation = node->child_generation;
    out->perms = node->perms;
}

static void view_of_record(const struct record *r, struct ops_view *out)
{
    out->value = r->value;
    out->value_bytes = r->value_bytes;
    out->child_name_bytes = r->child_name_bytes;
    out->child_generation = r->child_generation;
    out->perms = r->perms;
}

int view_get(const struct view *v, const char *path, struct ops_view *out)
{
    const struct node *node;
    struct record *r;
    int rc;

    if (v->t) {
        rc = transaction_record(v->t, path, &r);
        if (rc)
            return rc;
        if (!r->present)
            return -ENOENT;
        view_of_record(r, out);
        return 0;
    }

    node = tree_find(tree_of(v), path);
    if (!node)
        return -ENOENT;
    view_of_node(node, out);

    return 0;
}

int view_set_value(const struct view *v, const char *path, char *value,
                   uint32_t value_bytes)
{
    struct record *r;
    int rc;

    if (!v->t) {
        tree_set_value(tree_of(v), tree_find(tree_of(v), path), value,
                       value_bytes);
        return 0;
    }
    rc = transaction_record(v->t, path, &r);

    return rc ? rc : transaction_set_value(v->t, r, value, value_bytes);
}

int view_set_perms(const struct view *v, const char *path, struct perms *perms)
{
    struct record *r;
    int rc;

    if (!v->t)
        return tree_set_perms(tree_of(v), tree_find(tree_of(v), path), perms);

    rc = transaction_record(v->t, path, &r);
    if (rc)
        return rc;
    perms_put(r->perms);
    r->perms = perms;
    r->changed = true;

    return 0;
}

/* --- Creating ------------------------------------------------------------- */

static int create_node(struct tree *tree, const char *path, const char *parent,
                       struct perms *perms)
{
    struct node *node = tree_prepare(tree, path_name(path), NULL, 0, perms);

    if (!node)
        return -ENOMEM;
    tree_link(tree, tree_find(tree, parent), node);

    return 0;
}

static int create_record(const struct view *v, const char *path,
                         const char *parent, struct perms *perms)
{
    struct record *r, *above;
    int rc;

    rc = transaction_record(v->t, parent, &above);
    if (rc == 0)
        rc = transaction_record(v->t, path, &r);
    if (rc == 0)
        rc = transaction_set_value(v->t, r, NULL, 0);
    if (rc)
        return rc;

    perms_put(r->perms);
    r->perms = perms;
    r->present = true;
    r->child_name_bytes = 0;
    above->child_name_bytes += (uint32_t)strlen(path_name(path)) + 1;
    v->t->created += perms_owner(perms) == v->client->domid;

    return 0;
}

int view_create(const struct view *v, const char *path, struct perms *perms)
{
    char parent[STORE_PATH_BYTES];

    strcpy(parent, path);
    path_to_parent(parent);

    return v->t ? create_record(v, path, parent, perms)
                : create_node(tree_of(v), path, parent, perms);
}

/* --- Removing ------------------------------------------------------------- */

static struct node *deepest_first(struct node *node)
{
    while (!TAILQ_EMPTY(&node->children))
        node = TAILQ_FIRST(&node->children);

    return node;
}

void ops_remove_subtree(struct store *store, struct node *top)
{
    const struct node *above = top->parent;
    char path[STORE_PATH_BYTES];
    struct node *node;
    bool last = false;

    while (!last) {
        struct perms *perms;

        node = deepest_first(top);
        last = node == top;
        perms = perms_get(node->perms);
        (void)tree_path(node, path, sizeof(path));
        tree_remove(&store->tree, node);
        watch_fire(store, path, !last, above->perms, perms);
        perms_put(perms);
    }
}

static void record_remove(struct transaction *t, struct record *r,
                          enum record_fire fire)
{
    if (r->present)
        t->created -= perms_owner(r->perms) == t->client->domid;
    r->present = false;
    r->changed = true;
    r->listed = true;
    if (fire > r->fire)
        r->fire = fire;
    perms_put(r->perms);
    r->perms = NULL;
    r->child_name_bytes = 0;
}

/* Look at every node of the tree below @top, so that it has a record. */
static int record_subtree(struct transaction *t, struct node *top)
{
    char path[STORE_PATH_BYTES];
    struct node *node = top;
    struct record *r;

    for (;;) {
        int rc;

        if (!tree_path(node, path, sizeof(path)))
            return -EINVAL;
        rc = transaction_record(t, path, &r);
        if (rc)
            return rc;

        /* The next in order: a child, else a sibling of it or of a parent. */
        if (!TAILQ_EMPTY(&node->children)) {
            node = TAILQ_FIRST(&node->children);
            continue;
        }
        while (node != top && !TAILQ_NEXT(node, sibling))
            node = node->parent;
        if (node == top)
            return 0;
        node = TAILQ_NEXT(node, sibling);
    }
}

static int remove_records(const struct view *v, const char *path)
{
    struct node *node = tree_find(tree_of(v), path);
    char parent[STORE_PATH_BYTES];
    struct record *r, *above;
    int rc = 0;

    strcpy(parent, path);
    path_to_parent(parent);
    rc = transaction_record(v->t, parent, &above);
    if (rc == 0 && node)
        rc = record_subtree(v->t, node);
    if (rc)
        return rc;

    TAILQ_FOREACH(r, &v->t->order, order)
    if (r->present && path_is_within(r->path, path))
        record_remove(v->t, r,
                      strcmp(r->path, path) == 0 ? FIRE_ALL : FIRE_EXACT);
    above->child_name_bytes -= (uint32_t)strlen(path_name(path)) + 1;

    return 0;
}

int view_remove(const struct view *v, const char *path)
{
    if (v->t)
        return remove_records(v, path);
    ops_remove_subtree(v->client->store, tree_find(tree_of(v), path));

    return 0;
}

/* --- Listing -------------------------------------------------------------- */

/* Gathers the names that lie behind @offset and fit. */
struct gather {
    char *out;
    size_t room, offset, at;
    bool full;
    struct ops_listing *listing;
};

static void gather_name(struct gather *g, const char *name)
{
    size_t bytes = strlen(name) + 1;

    if (g->at >= g->offset && !g->full) {
        if (g->listing->bytes + bytes <= g->room) {
            memcpy(g->out + g->listing->bytes, name, bytes);
            g->listing->bytes += bytes;
        } else {
            g->full = true;
        }
    }
    g->at += bytes;
}

static void list_node(const struct node *node, struct gather *g)
{
    const struct node *child;

    g->listing->generation = node->child_generation;
    g->listing->total = node->child_name_bytes;
    TAILQ_FOREACH(child, &node->children, sibling)
    {
        gather_name(g, child->name);
        if (g->full)
            break;
    }
}

static bool is_child_of(const char *path, const char *parent)
{
    size_t size = strlen(parent);

    if (strcmp(parent, "/") == 0)
        size = 0;

    return strncmp(path, parent, size) == 0 && path[size] == '/' &&
           path[size + 1] != '\0' && !strchr(path + size + 1, '/');
}

/* The tree's children but those removed here, then those made here. */
static int list_record(const struct view *v, struct record *r, struct gather *g)
{
    const struct node *node = tree_find(tree_of(v), r->path);
    const struct node *child = node ? TAILQ_FIRST(&node->children) : NULL;
    char path[STORE_PATH_BYTES];
    const struct record *made, *seen;

    r->listed = true;
    g->listing->generation = r->child_generation;
    for (; child; child = TAILQ_NEXT(child, sibling)) {
        if (!tree_path(child, path, sizeof(path)))
            return -EINVAL;
        seen = transaction_peek(v->t, path);
        if (!seen || (seen->present && seen->existed))
            gather_name(g, child->name);
    }
    TAILQ_FOREACH(made, &v->t->order, order)
    if (made->present && !made->existed && is_child_of(made->path, r->path))
        gather_name(g, path_name(made->path));
    g->listing->total = g->at;

    return 0;
}

int view_list(const struct view *v, const char *path, size_t offset, char *out,
              size_t room, struct ops_listing *listing)
{
    struct gather g = {
        .out = out, .room = room, .offset = offset, .listing = listing};
    struct record *r;
    int rc;

    listing->bytes = 0;
    if (!v->t) {
        list_node(tree_find(tree_of(v), path), &g);
        return 0;
    }
    rc = transaction_record(v->t, path, &r);

    return rc ? rc : list_record(v, r, &g);
}

/* --- Watches -------------------------------------------------------------- */

void view_changed(const struct view *v, const char *path,
                  const struct perms *before)
{
    struct record *r;

    if (v->t) {
        if (transaction_record(v->t, path, &r) == 0)
            r->fire = FIRE_ALL;
        return;
    }
    watch_fire(v->client->store, path, false,
               tree_find(tree_of(v), path)->perms, before);
}
