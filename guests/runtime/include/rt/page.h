/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM by pages.
 *
 * All RAM of the domain that holds neither the image nor what the builder
 * placed is free at the start.  On Cairn a page costs memory from its first
 * touch on, so nothing here touches a free page: the bookkeeping is a bitmap.
 * Pages are taken from the top down; the C library's heap grows from below.
 */

#ifndef RT_PAGE_H
#define RT_PAGE_H

#include <stddef.h>
#include <stdint.h>

#define PAGE_BYTES 4096UL

/* @count consecutive pages, contents undefined; NULL: no such run is free. */
void *page_alloc(size_t count);

/* The same, filled with zero. */
void *page_alloc_zero(size_t count);

/*
 * Free pages that page_alloc gave, all or part of a run.  Large runs go back
 * to the host at once (class light).  Pages lent by grants must not be freed.
 */
void page_free(void *va, size_t count);

/*
 * The contents of these pages are not needed any more: their memory goes back
 * to the host until they are next touched (class light).  Pages that are lent
 * for copying only may be given up so, too.
 */
void page_discard(void *va, size_t count);

/* Pages that are free now, and all pages of RAM. */
size_t page_free_count(void);
size_t page_total_count(void);

/* Any access to the page faults, until it is made writable again. */
int page_guard(void *va);
int page_unguard(void *va);

/*
 * The frame behind RAM at @va, as grants and hypercalls name it: its gfn in
 * class light, the machine frame on Xen.
 */
uint64_t rt_frame_of(const volatile void *va);

#endif /* RT_PAGE_H */
