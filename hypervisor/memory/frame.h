/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of machine memory: a record for each, and their allocator.
 *
 * Every frame has an owner, a type and two counts.  A type changes only while
 * its typed count is 0; whoever holds a typed reference also holds a general
 * one, so a frame is freed only when both counts are 0:
 *
 *      FREE --frame_alloc*--> refs 1, no type --last frame_put--> FREE
 *
 * Promises ("reservations") are kept apart from use: frame_reserve(n) sets n
 * frames aside or fails, and FRAME_PROMISED then cannot fail as often as that.
 * Other purposes take only what nobody was promised, and leave the hypervisor's
 * own reserve alone unless they are metadata.
 */

#pragma once

#include <abi/domid.h>

#include "arch/x86_64/address_map.h"

/*
 * Map @size bytes of device memory at @maddr for the hypervisor itself,
 * uncached; never undone.  NULL when the window is full.
 */
volatile void *device_map(maddr_t maddr, uint64_t size);

/* Mutually exclusive uses of a frame. */
enum frame_type {
    FRAME_NONE, /* no use that excludes another */
    FRAME_L1,   /* page tables, by level */
    FRAME_L2,
    FRAME_L3,
    FRAME_L4,
    FRAME_WRITABLE,    /* mapped writable by a guest */
    FRAME_DESCRIPTORS, /* a page of a pv guest's GDT or LDT */
};

/*
 * frame.type_info: the type, its typed references below it, and two bits above
 * it that only frames of class pv have (docs/direct-paging.md).
 */
#define FRAME_TYPE_SHIFT 27
#define FRAME_TYPE_MASK  (7U << FRAME_TYPE_SHIFT)
#define FRAME_TYPE_COUNT ((1U << FRAME_TYPE_SHIFT) - 1)

/*
 * Its entries are held, or may be known to a processor as a table's: the type
 * stays although the count is 0, perhaps.
 */
#define FRAME_HELD   (1U << 30)
#define FRAME_PINNED (1U << 31) /* one of the typed references is a pin */

/*
 * A guest can make references (mappings, pins), so their number is bounded:
 * half of what a counter holds leaves room for every CPU to be one too many.
 */
#define FRAME_REFS_MAX (UINT32_MAX / 2)

struct frame {
    uint32_t refs;      /* (a) general references; 0: free */
    uint32_t type_info; /* (a) in use: type and typed references */
    uint32_t next;      /* (f) free: mfn of the next block, else the holder's */
    domid_t owner;      /* (f) DOMID_XEN: the hypervisor */
    uint16_t progress;  /* (a) free: FRAME_FREE; class pv: page_type.h */
};

/* The first frame of a free block of that order; no progress is as large. */
#define FRAME_FREE(order) ((uint16_t)(0x8000 | (order)))

/* A free block's previous block is where a frame in use has its type. */
#define frame_prev type_info

static_assert(sizeof(struct frame) == 16, "0.4 % of memory");

/*
 * What a frame is taken for.  Metadata come from the hypervisor's own reserve
 * when all else is gone; the last half of that only where a privileged domain
 * asks.
 */
enum frame_purpose {
    FRAME_GUEST,    /* pages of a guest */
    FRAME_METADATA, /* records of the hypervisor */
    FRAME_PROMISED, /* whatever it was promised for: it cannot fail */
};

#ifdef UNIT_TEST
#include "doubles/frames.h"
#else
/* The window onto all RAM; arch/x86_64/address_map.h says where. */
static inline void *mfn_to_virt(mfn_t m)
{
    return (void *)(DIRECT_MAP_BASE + (m.raw << PAGE_SHIFT));
}

/* @p must lie in the direct map. */
static inline mfn_t virt_to_mfn(const void *p)
{
    return mfn(((uintptr_t)p - DIRECT_MAP_BASE) >> PAGE_SHIFT);
}

/* The record of @m; valid only if mfn_is_ram(@m). */
static inline struct frame *mfn_to_frame(mfn_t m)
{
    return (struct frame *)FRAME_TABLE_BASE + m.raw;
}

static inline mfn_t frame_to_mfn(const struct frame *f)
{
    return mfn((uint64_t)(f - (struct frame *)FRAME_TABLE_BASE));
}
#endif

/* Whether @m is RAM that was given to the allocator: it has a record. */
bool mfn_is_ram(mfn_t m);

/* Such RAM, piece by piece in no order; empty behind the last one. */
struct ram_range {
    uint64_t first, end; /* mfns */
};
struct ram_range ram_range(unsigned int i);

/* The one that @m is in; empty: none. */
struct ram_range ram_range_of(mfn_t m);

/*
 * Give RAM to the allocator, once per range at start-up; its records exist
 * and are zero.  A share of it is kept back for the hypervisor's own records.
 */
void frames_add(mfn_t first, uint64_t count);

/*
 * 2^@order contiguous zeroed frames, each with refs 1, for @owner; NULL: that
 * many are not left for @purpose.
 */
struct frame *__must_check frame_alloc_order(domid_t owner, unsigned int order,
                                             enum frame_purpose purpose);

/* One of them. */
static inline struct frame *__must_check frame_alloc(domid_t owner,
                                                     enum frame_purpose purpose)
{
    return frame_alloc_order(owner, 0, purpose);
}

/* Promise @count frames.  -ENOMEM: not that many are unpromised. */
int __must_check frame_reserve(uint64_t count);

/* Take back the unused rest of a promise. */
void frame_unreserve(uint64_t count);

/*
 * Give a frame back to a promise: the caller held its last reference and the
 * frame was taken as FRAME_PROMISED.
 */
void frame_free_to_reserve(struct frame *f);

/*
 * Out of line, what is rare of the following: what a count of references says
 * after one was taken or dropped.
 */
bool frame_refuse_get(struct frame *f, uint32_t refs);
void frame_put_last(struct frame *f, uint32_t refs);

static inline bool frame_refs_usual(uint32_t refs)
{
    return likely(refs - 1 < FRAME_REFS_MAX);
}

/*
 * Take a general reference, where the caller knows that one exists.  False:
 * there are FRAME_REFS_MAX already.
 */
static inline bool __must_check frame_try_get(struct frame *f)
{
    uint32_t refs = atomic_add(&f->refs, 1);

    if (likely(refs > 1) && frame_refs_usual(refs))
        return true;
    return frame_refuse_get(f, refs);
}

/* Drop a general reference; the last one frees the frame. */
static inline void frame_put(struct frame *f)
{
    uint32_t refs = atomic_sub(&f->refs, 1);

    if (!frame_refs_usual(refs))
        frame_put_last(f, refs);
}

static inline enum frame_type frame_type(const struct frame *f)
{
    uint32_t info = atomic_read(&f->type_info);

    return (enum frame_type)((info & FRAME_TYPE_MASK) >> FRAME_TYPE_SHIFT);
}

static inline uint32_t frame_type_count(const struct frame *f)
{
    return atomic_read(&f->type_info) & FRAME_TYPE_COUNT;
}

/*
 * Take a typed reference beside a general one.  False: the frame is in use as
 * another type, or its entries are held, or there are too many.
 */
bool __must_check frame_get_type(struct frame *f, enum frame_type type);

/* The same, if there is one of that type already and nobody interferes. */
static inline bool __must_check frame_get_more_type(struct frame *f,
                                                    enum frame_type type)
{
    uint32_t seen = atomic_read(&f->type_info);
    uint32_t others = seen - ((uint32_t)type << FRAME_TYPE_SHIFT) - 1;

    return likely(others < FRAME_TYPE_COUNT - 1) &&
           likely(atomic_cmpxchg(&f->type_info, &seen, seen + 1));
}

void __noreturn frame_type_underflow(const struct frame *f);

static inline void frame_put_type(struct frame *f)
{
    if (unlikely(!frame_type_count(f)))
        frame_type_underflow(f);
    (void)atomic_sub(&f->type_info, 1);
}

/*
 * For who has a general reference and, with @write, wants to write: one of type
 * FRAME_WRITABLE besides.  False: it has another type, and the general one is
 * dropped.
 */
static inline bool __must_check frame_hold_too(struct frame *f, bool write)
{
    if (!write || frame_get_type(f, FRAME_WRITABLE))
        return true;
    frame_put(f);
    return false;
}

/* Drop what was held so. */
static inline void frame_let_go(struct frame *f, bool write)
{
    if (write)
        frame_put_type(f);
    frame_put(f);
}

/* (a) How many wait for memory: frames that come free are told to them. */
extern uint32_t frames_wanted;

struct frame_totals {
    uint64_t total;      /* given to the allocator */
    uint64_t free;       /* not in use */
    uint64_t unreserved; /* neither in use, nor promised, nor kept back */
};
struct frame_totals frame_totals(void);

/* --- Small objects (pool.c) ---------------------------------------------- */

/*
 * Small objects of the hypervisor: sizes of 32 bytes to 2 KiB by powers of
 * two, carved from frames of the metadata reserve; larger ones are whole
 * frames, a power of two of them.  Memory is zeroed.  The caller remembers
 * the size.  A frame whose last object is freed is free at once.
 */

/* Largest object: 4 MiB, the index of a million small things. */
#define POOL_ORDER_MAX 10U

/* NULL: no memory, or a @size of 0 or beyond the largest. */
void *__must_check pool_alloc(size_t size);

/* @object from pool_alloc(@size); NULL is ignored. */
void pool_free(void *object, size_t size);

/*
 * Free frames, in blocks of 2^order that start at a multiple of their size.
 * Two neighbours that are halves of one block become that block again, so
 * fragmentation undoes itself; taking and giving cost O(orders).
 *
 * The caller holds the lock of the frame allocator.
 */

/* Largest block: 1 GiB, more than anything asks for in one piece. */
#define BUDDY_ORDERS 19U

/* A block of 2^@order frames; MFN_NONE: there is none. */
mfn_t buddy_take(unsigned int order);

/* Give back what buddy_take() gave, or frames never given before. */
void buddy_give(mfn_t first, unsigned int order);

/* Free blocks of @order, for the debug key. */
uint64_t buddy_blocks(unsigned int order);
