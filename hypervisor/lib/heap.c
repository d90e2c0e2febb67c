/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pairing heap.  A node's children are a list; each child's back leads to
 * the child before it or, from the first, to the parent, so that any node can
 * be cut out without a search.  Removal pairs the children up from left to
 * right and then melds the pairs: both are loops, because the depth of a heap
 * may be anything and a stack is 16 KiB.
 */

#include "lib/heap.h"

/*
 * Make the larger root the first child of the smaller.  A root's sibling and
 * back hold anything: nobody looks at them.
 */
static struct heap_node *meld(struct heap_node *a, struct heap_node *b)
{
    struct heap_node *upper = a, *lower = b;

    if (!a)
        return b;
    if (!b)
        return a;
    if (b->key < a->key) {
        upper = b;
        lower = a;
    }
    lower->back = upper;
    lower->sibling = upper->child;
    if (upper->child)
        upper->child->back = lower;
    upper->child = lower;
    return upper;
}

/* One heap out of a list of siblings. */
static struct heap_node *meld_siblings(struct heap_node *first)
{
    struct heap_node *pairs = NULL, *root = NULL;

    while (first) {
        struct heap_node *a = first, *b = a->sibling;

        first = b ? b->sibling : NULL;
        a = meld(a, b);
        a->sibling = pairs; /* a list of its own, last pair first */
        pairs = a;
    }
    while (pairs) {
        struct heap_node *next = pairs->sibling;

        root = meld(root, pairs);
        pairs = next;
    }
    return root;
}

void heap_insert(struct heap *h, struct heap_node *node, uint64_t key)
{
    node->key = key;
    node->child = NULL;
    h->root = meld(h->root, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    struct heap_node *rest = meld_siblings(node->child);

    if (node == h->root) {
        h->root = rest;
    } else {
        if (node->back->child == node)
            node->back->child = node->sibling;
        else
            node->back->sibling = node->sibling;
        if (node->sibling)
            node->sibling->back = node->back;
        h->root = meld(h->root, rest);
    }
}
