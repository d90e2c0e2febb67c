/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pairing heap whose nodes live inside their elements: insert and minimum
 * in constant time, removal of any node in O(log n) amortised, no memory of
 * its own.  Order is by key, unsigned; equal keys come out in any order.
 */

#pragma once

struct heap_node {
    uint64_t key;
    struct heap_node *child;   /* first child */
    struct heap_node *sibling; /* next child of the same parent */
    struct heap_node *back;    /* previous sibling, or the parent */
};

struct heap {
    struct heap_node *root; /* NULL when empty */
};

/* @node must not be in a heap. */
void heap_insert(struct heap *h, struct heap_node *node, uint64_t key);

/* @node must be in @h. */
void heap_remove(struct heap *h, struct heap_node *node);

/* The node with the smallest key, still in the heap; NULL when empty. */
static inline struct heap_node *heap_min(const struct heap *h)
{
    return h->root;
}

/* Whether @node, and nothing else, is in @h: then its key may be changed. */
static inline bool heap_is_alone(const struct heap *h,
                                 const struct heap_node *node)
{
    return h->root == node && !node->child;
}
