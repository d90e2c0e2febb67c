/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/lib/heap.c */
/* The pairing heap, against a plain array that is searched. */

#include "lib/heap.h"

#include "unit/test.h"

#define NODES 300

static struct heap h;
static struct heap_node node[NODES];
static bool inside[NODES];

void setup(void)
{
    h.root = NULL;
    memset(node, 0, sizeof(node));
    memset(inside, 0, sizeof(inside));
}

/* Numbers that are the same in each run. */
static uint32_t next_number(void)
{
    static uint32_t state = 12345;

    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static bool least(uint64_t *key)
{
    bool any = false;

    for (int i = 0; i < NODES; i++)
        if (inside[i] && (!any || node[i].key < *key)) {
            any = true;
            *key = node[i].key;
        }
    return any;
}

TEST("an empty heap has no minimum")
{
    EXPECT_PTR(heap_min(&h), NULL);
}

TEST("the only node leaves an empty heap, and may come again")
{
    heap_insert(&h, &node[0], 5);
    EXPECT_PTR(heap_min(&h), &node[0]);
    heap_remove(&h, &node[0]);
    EXPECT_PTR(heap_min(&h), NULL);
    heap_insert(&h, &node[0], 6);
    EXPECT_PTR(heap_min(&h), &node[0]);
}

TEST("keys come out in order, equal ones and extremes included")
{
    uint64_t last = 0;

    for (int i = 0; i < NODES; i++)
        heap_insert(&h, &node[i],
                    i == 17   ? UINT64_MAX
                    : i == 18 ? 0
                              : next_number() % 50);
    for (int i = 0; i < NODES; i++) {
        struct heap_node *n = heap_min(&h);

        REQUIRE(n != NULL);
        EXPECT_TRUE(n->key >= last);
        last = n->key;
        heap_remove(&h, n);
    }
    EXPECT_EQ(last, UINT64_MAX);
    EXPECT_PTR(heap_min(&h), NULL);
}

TEST("random inserts and removals of any node keep the minimum right")
{
    for (int step = 0; step < 20000; step++) {
        int i = (int)(next_number() % NODES);
        uint64_t key = 0;

        if (inside[i])
            heap_remove(&h, &node[i]);
        else
            heap_insert(&h, &node[i], next_number() % 1000);
        inside[i] = !inside[i];

        if (step % 7)
            continue;
        if (least(&key)) {
            REQUIRE(heap_min(&h) != NULL);
            EXPECT_EQ(heap_min(&h)->key, key);
        } else {
            EXPECT_PTR(heap_min(&h), NULL);
        }
    }
}

TEST("ascending and descending inserts leave no deep recursion")
{
    static struct heap_node many[200000];
    const int count = 200000;

    for (int i = 0; i < count; i++)
        heap_insert(&h, &many[i], (uint64_t)(count - i));
    for (int i = 0; i < count; i++)
        heap_remove(&h, heap_min(&h));
    for (int i = 0; i < count; i++)
        heap_insert(&h, &many[i], (uint64_t)i);
    heap_remove(&h, &many[0]);
    EXPECT_PTR(heap_min(&h), &many[1]);
}
