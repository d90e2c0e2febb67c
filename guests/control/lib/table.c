/* SPDX-License-Identifier: BSD-2-Clause */
/* Hash tables with links in their entries. */

#include "lib/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Entries a bucket before the array doubles. */
#define LOAD_MAX 2U

void table_init(struct table *t)
{
    memset(t, 0, sizeof(*t));
}

void table_clear(struct table *t)
{
    free(t->bucket);
    table_init(t);
}

static struct table_link **buckets(const struct table *t)
{
    /* The only writer is handed a table that is not const. */
    union {
        struct table_link *const *from;
        struct table_link **to;
    } initial = {.from = t->initial};

    return t->bucket ? t->bucket : initial.to;
}

static struct table_link **bucket_of(const struct table *t, uint32_t hash)
{
    return &buckets(t)[hash & (t->bucket_count - 1)];
}

static void grow(struct table *t)
{
    uint32_t count = t->bucket_count * 2;
    struct table_link **old = buckets(t), **new;

    new = calloc(count, sizeof(struct table_link *));
    if (!new)
        return;

    for (uint32_t i = 0; i < t->bucket_count; i++) {
        struct table_link *link = old[i];

        while (link) {
            struct table_link *next = link->next;
            struct table_link **to = &new[link->hash & (count - 1)];

            link->next = *to;
            *to = link;
            link = next;
        }
    }
    free(t->bucket);
    t->bucket = new;
    t->bucket_count = count;
}

void table_insert(struct table *t, struct table_link *link, uint32_t hash)
{
    struct table_link **to;

    if (t->bucket_count == 0)
        t->bucket_count = TABLE_INITIAL_BUCKETS;
    if (t->count >= t->bucket_count * LOAD_MAX)
        grow(t);

    to = bucket_of(t, hash);
    link->hash = hash;
    link->next = *to;
    *to = link;
    t->count++;
}

void table_remove(struct table *t, struct table_link *link)
{
    struct table_link **at = bucket_of(t, link->hash);

    while (*at != link) {
        assert(*at);
        at = &(*at)->next;
    }
    *at = link->next;
    link->next = NULL;
    t->count--;
}

static struct table_link *with_hash(struct table_link *link, uint32_t hash)
{
    while (link && link->hash != hash)
        link = link->next;

    return link;
}

struct table_link *table_first(const struct table *t, uint32_t hash)
{
    return t->bucket_count ? with_hash(*bucket_of(t, hash), hash) : NULL;
}

struct table_link *table_next(const struct table_link *link)
{
    return with_hash(link->next, link->hash);
}

struct table_link *table_each(const struct table *t,
                              const struct table_link *previous)
{
    uint32_t i = 0;

    if (previous) {
        if (previous->next)
            return previous->next;
        i = (previous->hash & (t->bucket_count - 1)) + 1;
    }
    for (; i < t->bucket_count; i++)
        if (buckets(t)[i])
            return buckets(t)[i];

    return NULL;
}

/* FNV-1a with a final mix, as the buckets are picked by the low bits. */
uint32_t table_hash(const void *data, size_t bytes, uint32_t seed)
{
    const uint8_t *p = data;
    uint32_t h = seed ^ 2166136261U;

    for (size_t i = 0; i < bytes; i++)
        h = (h ^ p[i]) * 16777619U;
    h ^= h >> 16;
    h *= 0x85ebca6bU;
    h ^= h >> 13;

    return h;
}
