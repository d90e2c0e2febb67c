/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM by pages, and the heap's share of it.
 *
 * The heap grows upwards from the lowest free run, page_alloc() takes from the
 * top; they meet when RAM is used up.  When something lies in the heap's way,
 * it goes on behind that: the C library's malloc knows such jumps.
 */

#include <rt/page.h>

#include <string.h>

#include <abi/errno.h>
#include <abi/sched.h>

#include <rt/hypercall.h>
#include <rt/start.h>

#include "internal.h"
#include "page_map.h"

/*
 * Freed runs of this many pages go back to the host: less is not worth the
 * hypercall and the faults that follow.
 */
#define DISCARD_MIN_PAGES 16

/* A new place for the heap has at least this many free pages. */
#define HEAP_PLACE_PAGES 64

/* Enough for 32 MiB; larger domains spend pages of their RAM on the map. */
static uint64_t small_storage[1040 / sizeof(uint64_t)];

static struct page_map map;

/* The highest run of @count pages that touches no reserved range. */
static uint64_t place_storage(const struct page_range *reserved,
                              size_t reserved_count, uint64_t count)
{
    uint64_t first = rt_layout.ram_pages - count;
    bool moved;

    do {
        moved = false;
        for (size_t i = 0; i < reserved_count; i++)
            if (first < reserved[i].first + reserved[i].count &&
                reserved[i].first < first + count) {
                if (reserved[i].first < count)
                    rt_shutdown(SHUTDOWN_crash);
                first = reserved[i].first - count;
                moved = true;
            }
    } while (moved);
    return first;
}

void rt_pages_init(const struct page_range *reserved, size_t reserved_count)
{
    size_t bytes = page_map_bytes(rt_layout.ram_pages);
    struct page_range own = {0, 0};
    void *storage = small_storage;

    if (bytes > sizeof(small_storage)) {
        own.count = (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
        own.first = place_storage(reserved, reserved_count, own.count);
        storage = rt_gfn_va(own.first);
        if (!rt_is_light())
            memset(storage, 0, own.count * PAGE_BYTES);
    }

    page_map_init(&map, storage, rt_layout.ram_pages);
    page_map_reserve(&map, own.first, own.count);
    for (size_t i = 0; i < reserved_count; i++)
        page_map_reserve(&map, reserved[i].first, reserved[i].count);
}

void *page_alloc(size_t count)
{
    size_t first;

    if (count == 0 || !page_map_take(&map, count, &first))
        return NULL;
    return rt_gfn_va(first);
}

void *page_alloc_zero(size_t count)
{
    void *va = page_alloc(count);

    if (va)
        memset(va, 0, count * PAGE_BYTES);
    return va;
}

void page_discard(void *va, size_t count)
{
    struct light_discard arg = {.gfn = rt_va_gfn(va), .count = count};

    /* Failing is no harm: the frames just stay ours. */
    if (rt_is_light())
        hypercall_light_op(LIGHT_OP_discard, &arg);
}

void page_free(void *va, size_t count)
{
    if (!page_map_release(&map, rt_va_gfn(va), count))
        rt_panic("page_free(%p, %zu): not allocated", va, count);
    if (count >= DISCARD_MIN_PAGES)
        page_discard(va, count);
}

size_t page_free_count(void)
{
    return map.free_count;
}

size_t page_total_count(void)
{
    return map.page_count;
}

static int protect(void *va, uint32_t prot)
{
    struct light_protect arg = {
        .gfn = rt_va_gfn(va),
        .count = 1,
        .prot = prot,
    };

    return (int)hypercall_light_op(LIGHT_OP_protect, &arg);
}

int page_guard(void *va)
{
    if (rt_is_light())
        return protect(va, LIGHT_PROT_guard);
    return rt_xen_page_guard(va, true);
}

int page_unguard(void *va)
{
    if (rt_is_light())
        return protect(va, LIGHT_PROT_read_write);
    return rt_xen_page_guard(va, false);
}

uint64_t rt_frame_of(const volatile void *va)
{
    return rt_is_light() ? rt_va_gfn(va) : rt_xen_frame_of(va);
}

bool rt_heap_extend(const void *heap_end, size_t page_count)
{
    return page_map_take_at(&map, rt_va_gfn(heap_end), page_count);
}

void *rt_heap_place(const void *above, size_t page_count)
{
    size_t from = above ? rt_va_gfn(above) : 0;
    size_t room = page_count;
    size_t first;

    if (room < HEAP_PLACE_PAGES)
        room = HEAP_PLACE_PAGES;
    if (!page_map_find_low(&map, from, room, &first) ||
        !page_map_take_at(&map, first, page_count))
        return NULL;
    return rt_gfn_va(first);
}
