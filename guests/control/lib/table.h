/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash tables that never fail.
 *
 * What is stored holds a struct table_link; nothing is allocated to insert it.
 * The array of buckets doubles as the table fills, and when there is no memory
 * for that the chains just grow longer.  16 bytes an entry, which counts where
 * every guest has dozens of them.
 *
 * A lookup walks table_first()/table_next() and compares keys itself.
 */

#ifndef LIB_TABLE_H
#define LIB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_INITIAL_BUCKETS 4U

struct table_link {
    struct table_link *next;
    uint32_t hash;
};

struct table {
    struct table_link **bucket; /* NULL: @initial */
    uint32_t bucket_count;      /* a power of two, or 0 before the first use */
    uint32_t count;
    struct table_link *initial[TABLE_INITIAL_BUCKETS];
};

#define table_entry(link_, type, member)                                       \
    ((type *)(void *)((char *)(link_)-offsetof(type, member)))

/* All zeros is an empty table too. */
void table_init(struct table *t);

/* Free the buckets; the entries are the caller's. */
void table_clear(struct table *t);

void table_insert(struct table *t, struct table_link *link, uint32_t hash);
void table_remove(struct table *t, struct table_link *link);

/* Entries whose hash is @hash, one after the other; NULL at the end. */
struct table_link *table_first(const struct table *t, uint32_t hash);
struct table_link *table_next(const struct table_link *link);

/* All entries: start with NULL.  The table must not change meanwhile. */
struct table_link *table_each(const struct table *t,
                              const struct table_link *previous);

/*
 * Hash @bytes bytes, going on from @seed: any number, or the hash of a part
 * that comes before.
 */
uint32_t table_hash(const void *data, size_t bytes, uint32_t seed);

#endif /* LIB_TABLE_H */
