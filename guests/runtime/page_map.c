/* SPDX-License-Identifier: BSD-2-Clause */
/* The bitmap of pages; see page_map.h. */

#include "page_map.h"

#define WORD_BITS 64

static size_t words_for(size_t bits)
{
    return (bits + WORD_BITS - 1) / WORD_BITS;
}

size_t page_map_bytes(size_t page_count)
{
    size_t words = words_for(page_count);

    return (words + words_for(words)) * sizeof(uint64_t);
}

static bool is_used(const struct page_map *map, size_t page)
{
    return (map->used[page / WORD_BITS] >> (page % WORD_BITS) & 1) != 0;
}

static void set_used(struct page_map *map, size_t page)
{
    size_t word = page / WORD_BITS;

    map->used[word] |= 1ULL << (page % WORD_BITS);
    if (map->used[word] == ~0ULL)
        map->full[word / WORD_BITS] |= 1ULL << (word % WORD_BITS);
    map->free_count--;
}

static void set_free(struct page_map *map, size_t page)
{
    size_t word = page / WORD_BITS;

    map->used[word] &= ~(1ULL << (page % WORD_BITS));
    map->full[word / WORD_BITS] &= ~(1ULL << (word % WORD_BITS));
    map->free_count++;
}

static bool in_range(const struct page_map *map, size_t first, size_t count)
{
    return first <= map->page_count && count <= map->page_count - first;
}

void page_map_init(struct page_map *map, void *storage, size_t page_count)
{
    size_t words = words_for(page_count);

    map->used = storage;
    map->full = map->used + words;
    map->page_count = page_count;
    map->free_count = words * WORD_BITS;
    map->top = page_count;

    /* The last word's bits beyond the range are no pages. */
    for (size_t page = page_count; page < words * WORD_BITS; page++)
        set_used(map, page);
}

void page_map_reserve(struct page_map *map, size_t first, size_t count)
{
    for (size_t page = first; page - first < count; page++)
        if (page < map->page_count && !is_used(map, page))
            set_used(map, page);
}

/* The page below which to go on, at or below @page: skips used ones. */
static size_t skip_used(const struct page_map *map, size_t page)
{
    while (page > 0) {
        size_t last = page - 1;
        size_t word = last / WORD_BITS;

        if (!is_used(map, last))
            return page;
        if (map->full[word / WORD_BITS] == ~0ULL)
            page = word / WORD_BITS * WORD_BITS * WORD_BITS;
        else if (map->used[word] == ~0ULL)
            page = word * WORD_BITS;
        else
            page = last;
    }
    return 0;
}

/* The lowest page of the free run that ends below @page, at most @count. */
static size_t run_start(const struct page_map *map, size_t page, size_t count)
{
    size_t end = page;

    while (page > 0 && end - page < count) {
        size_t word = (page - 1) / WORD_BITS;

        if (page % WORD_BITS == 0 && map->used[word] == 0 &&
            count - (end - page) >= WORD_BITS)
            page -= WORD_BITS;
        else if (!is_used(map, page - 1))
            page--;
        else
            break;
    }
    return page;
}

bool page_map_take(struct page_map *map, size_t count, size_t *first)
{
    size_t end = skip_used(map, map->top);

    map->top = end;
    while (end >= count) {
        size_t start = run_start(map, end, count);

        if (end - start == count) {
            for (size_t page = start; page < end; page++)
                set_used(map, page);
            *first = start;
            return true;
        }
        end = skip_used(map, start);
    }
    return false;
}

bool page_map_take_at(struct page_map *map, size_t first, size_t count)
{
    if (!in_range(map, first, count))
        return false;
    for (size_t page = first; page < first + count; page++)
        if (is_used(map, page))
            return false;
    for (size_t page = first; page < first + count; page++)
        set_used(map, page);
    return true;
}

bool page_map_find_low(const struct page_map *map, size_t from, size_t count,
                       size_t *first)
{
    size_t run = 0;

    for (size_t page = from; page < map->page_count; page++) {
        if (is_used(map, page)) {
            run = 0;
            continue;
        }
        if (++run == count) {
            *first = page + 1 - count;
            return true;
        }
    }
    return false;
}

bool page_map_release(struct page_map *map, size_t first, size_t count)
{
    if (!in_range(map, first, count))
        return false;
    for (size_t page = first; page < first + count; page++)
        if (!is_used(map, page))
            return false;
    for (size_t page = first; page < first + count; page++)
        set_free(map, page);
    if (first + count > map->top)
        map->top = first + count;
    return true;
}
