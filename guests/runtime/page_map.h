/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which pages of a range are in use: a bitmap with a second level.
 *
 * A bit of `used` stands for a page, a bit of `full` for 64 pages that are all
 * in use.  Runs are looked for from the top down; single pages start where the
 * last search found one, so filling a range costs O(1) a page.  Pages are
 * numbers from 0; the pages themselves are never touched.
 */

#ifndef RT_PAGE_MAP_H
#define RT_PAGE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page_map {
    uint64_t *used;
    uint64_t *full;
    size_t page_count;
    size_t free_count;
    size_t top; /* no free page at or above this number */
};

/* Bytes of storage a map of @page_count pages needs. */
size_t page_map_bytes(size_t page_count);

/* All pages free.  @storage: page_map_bytes() of zero, 8-byte aligned. */
void page_map_init(struct page_map *map, void *storage, size_t page_count);

/* Mark pages used; those that are already stay so. */
void page_map_reserve(struct page_map *map, size_t first, size_t count);

/* Take the highest free run of @count > 0 pages. */
bool page_map_take(struct page_map *map, size_t count, size_t *first);

/* Take exactly these pages, if all are free. */
bool page_map_take_at(struct page_map *map, size_t first, size_t count);

/* The lowest free run of @count pages at or above @from. */
bool page_map_find_low(const struct page_map *map, size_t from, size_t count,
                       size_t *first);

/* Give pages back; false, and nothing changed: one of them was not in use. */
bool page_map_release(struct page_map *map, size_t first, size_t count);

#endif /* RT_PAGE_MAP_H */
