/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of free blocks, one for each order, linked through the records of
 * their first frames.  A record says by itself whether a free block starts
 * there, and of which order: that finds the other half.
 */

#include "memory/buddy.h"

#include "core/panic.h"
#include "memory/frame.h"

/* End of a list: mfns are below 2^28 (DIRECT_MAP_SIZE). */
#define NO_BLOCK UINT32_MAX

struct free_list {
    uint32_t first; /* mfn + 1, so that zero is an empty list */
    uint64_t count;
};

static struct free_list lists[BUDDY_ORDERS];

static uint32_t list_first_mfn(const struct free_list *list)
{
    return list->first - 1;
}

static void block_insert(uint32_t first, unsigned int order)
{
    struct frame *f = mfn_to_frame(mfn(first));
    struct free_list *list = &lists[order];
    uint32_t next = list_first_mfn(list);

    f->free_order = (uint8_t)(order + 1);
    f->next = next;
    f->frame_prev = NO_BLOCK;
    if (next != NO_BLOCK)
        mfn_to_frame(mfn(next))->frame_prev = first;
    list->first = first + 1;
    list->count++;
}

static void block_remove(uint32_t first, unsigned int order)
{
    struct frame *f = mfn_to_frame(mfn(first));
    struct free_list *list = &lists[order];

    if (f->frame_prev == NO_BLOCK)
        list->first = f->next + 1;
    else
        mfn_to_frame(mfn(f->frame_prev))->next = f->next;
    if (f->next != NO_BLOCK)
        mfn_to_frame(mfn(f->next))->frame_prev = f->frame_prev;

    f->free_order = 0;
    f->next = 0;
    f->type_info = 0;
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

    first = list_first_mfn(&lists[from]);
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

    if (mfn_to_frame(given)->free_order)
        panic("frame %#x given back twice", first);

    while (order + 1 < BUDDY_ORDERS) {
        uint32_t buddy = first ^ (1U << order);

        /* Beyond RAM there may be no record to look at. */
        if (!mfn_is_ram(mfn(buddy)) ||
            mfn_to_frame(mfn(buddy))->free_order != order + 1)
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
