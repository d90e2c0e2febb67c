/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists of free blocks, one for each order, linked through the records of
 * their first frames.  A record says by itself whether a free block starts
 * there, and of which order: that finds the other half.
 */

#include "memory/frame.h"

/* Links are mfn + 1; 0: none.  Mfns are below 2^28 (DIRECT_MAP_SIZE). */
static uint32_t first_block[BUDDY_ORDERS];
static uint64_t block_count[BUDDY_ORDERS];

static struct frame *linked(uint32_t link)
{
    return mfn_to_frame(mfn(link - 1));
}

static void block_insert(uint32_t first, unsigned int order)
{
    struct frame *f = mfn_to_frame(mfn(first));

    atomic_write(&f->progress, FRAME_FREE(order));
    f->next = first_block[order];
    f->frame_prev = 0;
    if (f->next)
        linked(f->next)->frame_prev = first + 1;
    first_block[order] = first + 1;
    block_count[order]++;
}

/* What is left of its links is undone when the frame is taken. */
static void block_remove(uint32_t first, unsigned int order)
{
    struct frame *f = mfn_to_frame(mfn(first));
    uint32_t prev = f->frame_prev;

    *(prev ? &linked(prev)->next : &first_block[order]) = f->next;
    if (f->next)
        linked(f->next)->frame_prev = prev;
    atomic_write(&f->progress, 0);
    block_count[order]--;
}

mfn_t buddy_take(unsigned int order)
{
    unsigned int from = order;
    uint32_t first;

    while (from < BUDDY_ORDERS && !first_block[from])
        from++;
    if (from >= BUDDY_ORDERS)
        return MFN_NONE;

    first = first_block[from] - 1;
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
    return block_count[order];
}
