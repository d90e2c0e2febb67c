/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of machine memory: a record for each, and their allocator.
 *
 * Every frame has an owner, a type and two counts.  A type changes only while
 * its typed count is 0; a frame is freed only when both counts are 0:
 *
 *      FREE --frame_alloc*--> refs 1, no type --last frame_put--> FREE
 *
 * Promises ("reservations") are kept apart from use: frame_reserve(n) sets n
 * frames aside or fails, and frame_alloc_reserved() then cannot fail as often
 * as that.  frame_alloc() takes only what nobody was promised, and leaves the
 * hypervisor's own reserve alone unless asked for metadata.
 */

#ifndef MEMORY_FRAME_H
#define MEMORY_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/domid.h>

#include "lib/assert.h"
#include "lib/compiler.h"
#include "lib/frame_number.h"
#include "memory/direct_map.h"

/* Mutually exclusive uses of a frame. */
#define FRAME_TYPES(FRAME_TYPE)                                                \
    FRAME_TYPE(NONE) /* no use that excludes another */                        \
    FRAME_TYPE(L1)   /* page tables of class pv */                             \
    FRAME_TYPE(L2)                                                             \
    FRAME_TYPE(L3)                                                             \
    FRAME_TYPE(L4)                                                             \
    FRAME_TYPE(SEG)      /* descriptor page of class pv */                     \
    FRAME_TYPE(WRITABLE) /* mapped writable by a guest */                      \
    FRAME_TYPE(HV)       /* the hypervisor's own: tables of class light... */

enum frame_type {
#define FRAME_TYPE_ENUM_(name) FRAME_##name,
    FRAME_TYPES(FRAME_TYPE_ENUM_)
#undef FRAME_TYPE_ENUM_
};

struct frame {
    uint32_t refs;       /* (a) general references; 0: free */
    uint32_t type_count; /* (a) references that need the type */
    uint16_t owner;      /* (f) domid, DOMID_XEN for the hypervisor */
    uint8_t type;        /* (f) enum frame_type, changes at type_count 0 */
    uint8_t order;       /* (f) of a free block's first frame */
    uint32_t link;       /* (f) free list: mfn of the next block */
};

static_assert(sizeof(struct frame) == 16, "0.4 % of memory");

/* Whose memory comes from the hypervisor's own reserve when all else is gone.
 */
enum frame_purpose {
    FRAME_GUEST,    /* pages of a guest */
    FRAME_METADATA, /* records and tables of the hypervisor */
};

/* The record of @m; valid only if mfn_is_ram(@m). */
#ifdef UNIT_TEST
struct frame *mfn_to_frame(mfn_t m);
mfn_t frame_to_mfn(const struct frame *f);
#else
static inline struct frame *mfn_to_frame(mfn_t m)
{
    return (struct frame *)FRAME_TABLE_BASE + m.raw;
}

static inline mfn_t frame_to_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - (struct frame *)FRAME_TABLE_BASE));
}
#endif

/* Whether @m is RAM that has a record. */
bool mfn_is_ram(mfn_t m);

/* Give RAM to the allocator, once per range at start-up. */
void frames_add(mfn_t first, uint64_t count);

/* One zeroed frame with refs 1 for @owner, from unpromised memory; or NULL. */
struct frame *__must_check frame_alloc(domid_t owner,
                                       enum frame_purpose purpose);

/* 2^@order contiguous zeroed frames, each with refs 1; or NULL. */
struct frame *__must_check frame_alloc_order(domid_t owner, unsigned int order,
                                             enum frame_purpose purpose);

/* One zeroed frame out of a promise made to @owner; never NULL. */
struct frame *frame_alloc_reserved(domid_t owner);

/* Promise @count frames.  -ENOMEM: not that many are unpromised. */
int __must_check frame_reserve(uint64_t count);

/* Take back the unused rest of a promise. */
void frame_unreserve(uint64_t count);

/*
 * Give a frame back to a promise: the caller held its last reference and the
 * frame was taken by frame_alloc_reserved().
 */
void frame_free_to_reserve(struct frame *f);

/* Take and drop a general reference; the last one frees the frame. */
void frame_get(struct frame *f);
void frame_put(struct frame *f);

/*
 * (a) Set by who waits for memory; then the next frames to become free and
 * unpromised clear it and call upcall_frames_free().
 */
extern bool frames_wanted;

struct frame_totals {
    uint64_t total, free, unreserved;
};
void frame_totals(struct frame_totals *totals);

#endif /* MEMORY_FRAME_H */
