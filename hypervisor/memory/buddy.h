/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Free frames, in blocks of 2^order that start at a multiple of their size.
 * Two neighbours that are halves of one block become that block again, so
 * fragmentation undoes itself; taking and giving cost O(orders).
 *
 * The caller holds the lock of the frame allocator.
 */

#pragma once

/* Largest block: 1 GiB, more than anything asks for in one piece. */
#define BUDDY_ORDERS 19U

/* A block of 2^@order frames; MFN_NONE: there is none. */
mfn_t buddy_take(unsigned int order);

/* Give back what buddy_take() gave, or frames never given before. */
void buddy_give(mfn_t first, unsigned int order);

/* Free blocks of @order, for the debug key. */
uint64_t buddy_blocks(unsigned int order);
