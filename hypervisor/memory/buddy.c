/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of free blocks, one for each order, linked through the records of
 * their first frames.  A record says by itself whether a free block starts
 * there, and of which order: that finds the other half.
 */

#include "memory/frame.h"

/* Links are mfn + 1; 0: none.  Mfns are below 2^28 (DIRECT_MAP_SIZE). */
static struct free_list {
    uint32_t first;
    uint64_t count;
} lists[BUDDY_ORDERS];

static struct frame *linked(uint32_t link)
{
    return mfn_to_frame(mfn(link - 1));
}

static void block_insert(uint32_t first, unsigned int order)
{
    struct frame *f = mfn_to_frame(mfn(first));
    struct free_list *list = &lists[order];

    atomic_write(&f->progress, FRAME_FREE(order));
    f->next = list->first;
    f->frame_prev = 0;
    if (f->next)
        linked(f->next)->frame_prev = first + 1;
    list->first = first + 1;
    list->count++;
}

/* What is left of its links is undone when the frame is taken. */
static void block_remove(uint32_t first, unsigned int order)
{
    struct frame *f = mfn_to_frame(mfn(first));
    struct free_list *list = &lists[order];

    *(f->frame_prev ? &linked(f->frame_prev)->next : &list->first) = f->next;
    if (f->next)
        linked(f->next)->frame_prev = f->frame_prev;
    atomic_write(&f->progress, 0);
    list->count--;
}

mfn_t buddy_take(unsigned int order)
{
    unsigned int from = order;
    uint32_t first;

    while (from < BUDDY_ORDERS && !lists[from].first)
        from++;
    if (from >= BUDDY_ORDERS)
        return MFN_NONE;

    first = lists[from].first - 1;
    block_remove(first, from);

    /* Keep the lower half, give the upper one back, until the size fits. */
    while (from > order) {
        from--;
        block_insert(first + (1U << from), from);
    }
    return mfn(first);
}

void buddy_give(mfn_t given, unsigned int order)
{
    uint32_t first = (uint32_t)given.raw;

    if (mfn_to_frame(given)->progress & FRAME_FREE(0))
        panic("frame %#x given back twice", first);

    while (order + 1 < BUDDY_ORDERS) {
        uint32_t buddy = first ^ (1U << order);

        /* Beyond RAM there may be no record to look at. */
        if (!mfn_is_ram(mfn(buddy)) ||
            atomic_read(&mfn_to_frame(mfn(buddy))->progress) !=
                FRAME_FREE(order))
            break;
        block_remove(buddy, order);
        first &= ~(1U << order);
        order++;
    }
    block_insert(first, order);
}

uint64_t buddy_blocks(unsigned int order)
{
    return lists[order].count;
}
