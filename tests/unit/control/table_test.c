/* SPDX-License-Identifier: BSD-2-Clause */
/* Hash tables: found, removed, walked, and never failing. */
/* LINK: guests/control/lib/table.c */

#include "test.h"

#include "lib/table.h"

#define COUNT 5000U

struct item {
    struct table_link link;
    uint32_t key;
};

static struct item items[COUNT];
static struct table table;

static uint32_t hash(uint32_t key)
{
    return table_hash(&key, sizeof(key), 0);
}

static struct item *find(uint32_t key)
{
    struct table_link *l = table_first(&table, hash(key));

    for (; l; l = table_next(l)) {
        struct item *i = table_entry(l, struct item, link);

        if (i->key == key)
            return i;
    }

    return NULL;
}

void setup(void)
{
    for (uint32_t i = 0; i < COUNT; i++) {
        items[i].key = i;
        table_insert(&table, &items[i].link, hash(i));
    }
}

void teardown(void)
{
    table_clear(&table);
}

TEST("an empty table has nothing in it")
{
    struct table empty = {0};

    EXPECT_PTR(table_first(&empty, 1), NULL);
    EXPECT_PTR(table_each(&empty, NULL), NULL);
    table_clear(&empty);
}

TEST("what is in is found, what was taken out is not")
{
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT_PTR(find(i), &items[i]);
    EXPECT_PTR(find(COUNT), NULL);
    for (uint32_t i = 0; i < COUNT; i += 2)
        table_remove(&table, &items[i].link);
    EXPECT_EQ(table.count, COUNT / 2);
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT_PTR(find(i), i % 2 ? &items[i] : NULL);
}

TEST("a walk meets each entry once")
{
    static unsigned char met[COUNT];
    struct table_link *l = NULL;

    while ((l = table_each(&table, l)) != NULL)
        met[table_entry(l, struct item, link)->key]++;
    for (uint32_t i = 0; i < COUNT; i++)
        EXPECT_EQ(met[i], 1);
}

TEST("chains stay short")
{
    unsigned int longest = 0;

    EXPECT_TRUE(table.bucket_count >= COUNT / 2);
    for (uint32_t b = 0; b < table.bucket_count; b++) {
        unsigned int n = 0;

        for (struct table_link *l = table.bucket[b]; l; l = l->next)
            n++;
        longest = n > longest ? n : longest;
    }
    EXPECT_TRUE(longest < 16);
}
