/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tree of committed nodes.
 *
 * A node is found by its parent and its name in one hash table,
 * so a lookup costs its depth, however many nodes there are.  Each node has
 * two generations: one moves when its value or permissions change, one when a
 * child comes or goes.  A transaction compares them to see whether what it saw
 * still holds.
 *
 * Nodes are counted and listed by owner: a quota is looked at without
 * counting, and a dead domain's nodes are found without a search.
 *
 * Nothing here asks whether a caller may do what it does: see store/ops.h.
 */

#ifndef STORE_TREE_H
#define STORE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <abi/domid.h>

#include "lib/table.h"

struct perms;
struct node;

TAILQ_HEAD(node_list, node);

/* The nodes of one owner; exists while there are any. */
struct account {
    struct table_link link; /* in tree->accounts, by domid */
    domid_t domid;
    uint32_t node_count;
    size_t bytes;
    struct node_list nodes;
};

struct node {
    struct table_link link; /* in tree->nodes, by parent and name */
    TAILQ_ENTRY(node) sibling;
    TAILQ_ENTRY(node) owned; /* in account->nodes */
    struct node *parent;
    struct node_list children; /* oldest first */
    struct account *account;
    struct perms *perms;
    char *value; /* NULL when empty */
    uint64_t generation;
    uint64_t child_generation;
    uint32_t value_bytes;
    uint32_t child_name_bytes; /* names of all children with their NULs */
    char name[];
};

struct tree {
    struct node *root;
    struct table nodes; /* all but the root */
    struct table accounts;
    uint64_t last_generation;
    uint64_t node_count; /* with the root */
    size_t bytes;        /* of all accounts */
};

/* An empty tree whose root has @perms (the reference is taken); -ENOMEM. */
int tree_init(struct tree *tree, struct perms *perms);
void tree_destroy(struct tree *tree);

/* NULL when there is none.  @path is absolute and valid. */
struct node *tree_find(struct tree *tree, const char *path);

/* The node itself, or its nearest ancestor that exists. */
struct node *tree_find_nearest(struct tree *tree, const char *path);

/* The memory of a node with so long a name and value. */
size_t tree_node_bytes(size_t name_bytes, size_t value_bytes);

/*
 * Make a node that nobody finds yet, to be linked later without failing; it
 * takes the reference on @perms and the @value (from malloc) only on success.
 */
struct node *tree_prepare(struct tree *tree, const char *name, char *value,
                          uint32_t value_bytes, struct perms *perms);
void tree_discard(struct tree *tree, struct node *node);
void tree_link(struct tree *tree, struct node *parent, struct node *node);

/* Replace the value; takes @value. */
void tree_set_value(struct tree *tree, struct node *node, char *value,
                    uint32_t value_bytes);

/* Replace the permissions; takes the reference on success; -ENOMEM. */
int tree_set_perms(struct tree *tree, struct node *node, struct perms *perms);

/* Remove a node that has no children and is not the root. */
void tree_remove(struct tree *tree, struct node *node);

/* The nodes that @domid owns. */
uint32_t tree_owned_count(struct tree *tree, domid_t domid);
size_t tree_owned_bytes(struct tree *tree, domid_t domid);
struct node *tree_owned_first(struct tree *tree, domid_t domid);

/* Write the absolute path; false if @room is too small. */
bool tree_path(const struct node *node, char *out, size_t room);

#endif /* STORE_TREE_H */
