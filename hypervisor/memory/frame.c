/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame allocator: who may take how much, and a frame's life between
 * buddy_take() and buddy_give().
 *
 *     total = in use + promised + kept back for metadata + unreserved
 *
 * A promise is a number only; since every frame serves it, no frame is tied
 * to it.  Frames are cleared when they are taken, outside the lock: a freed
 * frame may never be needed again.
 */

#include "memory/frame.h"

#include "arch/x86_64/page_ops.h"
#include "core/lock.h"
#include "memory/upcalls.h"

/*
 * One frame in 128 is kept back for records that grow while domains run
 * (event channels, grants, map tracking): a guest that filled all other
 * memory must not make a neighbour's binding of a port fail.  What guests may
 * have of them is limited for each, but the limits of many are more than
 * that; so half of what is kept back is only for the privileged, whose domain
 * serves all others.
 */
#define METADATA_SHARE 128U

/*
 * RAM comes in few pieces; firmware that cuts it into more than this loses
 * the smallest ones, which is said on the console.
 */
#define RAM_RANGES_MAX 256U

static struct spinlock frames_lock = SPINLOCK_INIT(LOCK_frames);

/* Written by frames_add() at start-up only. */
static struct ram_range ram[RAM_RANGES_MAX];
static unsigned int ram_ranges;

/* Guarded by frames_lock. */
static uint64_t total, free_frames, promised, kept_back;

uint32_t frames_wanted;

struct ram_range ram_range(unsigned int i)
{
    return i < ram_ranges ? ram[i] : (struct ram_range){0, 0};
}

struct ram_range ram_range_of(mfn_t m)
{
    unsigned int i = 0;

    while (i < ram_ranges && (m.raw < ram[i].first || m.raw >= ram[i].end))
        i++;
    return ram_range(i);
}

bool mfn_is_ram(mfn_t m)
{
    return ram_range_of(m).end;
}

static bool ram_add(uint64_t first, uint64_t end)
{
    if (ram_ranges && ram[ram_ranges - 1].end == first) {
        ram[ram_ranges - 1].end = end;
        return true;
    }
    if (ram_ranges == RAM_RANGES_MAX)
        return false;
    ram[ram_ranges++] = (struct ram_range){first, end};
    return true;
}

void frames_add(mfn_t first, uint64_t count)
{
    uint64_t at = first.raw, end = first.raw + count;

    if (count == 0)
        return;
    if (end > DIRECT_MAP_SIZE >> PAGE_SHIFT || end < at || mfn_is_ram(first) ||
        mfn_is_ram(mfn(end - 1)))
        panic("frames %#lx-%#lx cannot be added", at, end);
    if (!ram_add(at, end)) {
        log_warning("memory: %lu frames at %#lx are not used: the machine "
                    "has more than %u ranges",
                    count, at, RAM_RANGES_MAX);
        return;
    }

    for (uint64_t m = at; m < end; m++)
        mfn_to_frame(mfn(m))->owner = DOMID_INVALID;

    spin_lock(&frames_lock);
    while (at < end) {
        /* The largest block that may start here and that fits. */
        unsigned int order =
            (unsigned int)__builtin_ctzl(at | 1UL << (BUDDY_ORDERS - 1));

        while (1UL << order > end - at)
            order--;
        buddy_give(mfn(at), order);
        at += 1UL << order;
    }
    total += count;
    free_frames += count;
    kept_back = total / METADATA_SHARE;
    spin_unlock(&frames_lock);
}

/*
 * Frames to be had for @purpose: what it was promised, or what nobody was, less
 * what is kept back from it.
 */
static uint64_t available(enum frame_purpose purpose)
{
    uint64_t left = free_frames - promised, others = kept_back;

    if (purpose == FRAME_PROMISED)
        return promised;
    if (purpose == FRAME_METADATA)
        others = upcall_cpu_privileged() ? 0 : kept_back / 2;
    return left > others ? left - others : 0;
}

struct frame *frame_alloc_order(domid_t owner, unsigned int order,
                                enum frame_purpose purpose)
{
    uint64_t count = 1UL << order;
    mfn_t first = MFN_NONE;
    struct frame *f;

    if (order >= BUDDY_ORDERS)
        return NULL;

    spin_lock(&frames_lock);
    if (available(purpose) >= count)
        first = buddy_take(order);
    if (!mfn_eq(first, MFN_NONE)) {
        free_frames -= count;
        promised -= purpose == FRAME_PROMISED ? count : 0;
    } else if (purpose == FRAME_PROMISED) {
        panic("a frame is promised and not there: %lu of %lu free", promised,
              free_frames);
    }
    spin_unlock(&frames_lock);
    if (mfn_eq(first, MFN_NONE))
        return NULL;

    f = mfn_to_frame(first);
    for (uint64_t i = 0; i < count; i++) {
        if (atomic_read(&f[i].refs))
            panic("frame %#lx is in use and on a free list", first.raw + i);
        f[i].owner = owner;
        f[i].next = 0;
        atomic_write(&f[i].progress, 0);
        atomic_write(&f[i].type_info, 0);
        atomic_write(&f[i].refs, 1);
    }
    pages_clear(mfn_to_virt(first), count);
    return f;
}

int frame_reserve(uint64_t count)
{
    SPIN_GUARD(&frames_lock);

    if (count > available(FRAME_GUEST))
        return -ENOMEM;
    promised += count;
    return 0;
}

/*
 * Whoever waits for memory shall look again.  After the lock was given back
 * and taken: who began to wait before that is seen, who began to wait later
 * sees the frames.
 */
static void tell_waiters(void)
{
    if (unlikely(atomic_read(&frames_wanted)))
        upcall_frames_free();
}

void frame_unreserve(uint64_t count)
{
    spin_lock(&frames_lock);
    if (count > promised)
        panic("%lu frames of %lu promised ones are taken back", count,
              promised);
    promised -= count;
    spin_unlock(&frames_lock);
    if (count)
        tell_waiters();
}

/* A frame whose last reference is gone ends its life. */
static void frame_end(struct frame *f, bool to_promise)
{
    if (atomic_read(&f->type_info) & (FRAME_TYPE_COUNT | FRAME_HELD))
        panic("frame %#lx is freed with %u references of type %d",
              frame_to_mfn(f).raw, frame_type_count(f), frame_type(f));

    spin_lock(&frames_lock);
    f->owner = DOMID_INVALID;
    buddy_give(frame_to_mfn(f), 0);
    free_frames++;
    promised += to_promise;
    spin_unlock(&frames_lock);

    if (!to_promise)
        tell_waiters();
}

void frame_free_to_reserve(struct frame *f)
{
    uint32_t one = 1;

    if (!atomic_cmpxchg(&f->refs, &one, 0))
        panic("frame %#lx has %u references and is given back",
              frame_to_mfn(f).raw, one);
    frame_end(f, true);
}

bool frame_refuse_get(struct frame *f, uint32_t refs)
{
    if (refs == 1)
        panic("a free frame, %#lx, is referred to", frame_to_mfn(f).raw);
    (void)atomic_sub(&f->refs, 1);
    return false;
}

void frame_put_last(struct frame *f, uint32_t refs)
{
    if (refs)
        panic("a free frame, %#lx, is freed again", frame_to_mfn(f).raw);
    frame_end(f, false);
}

bool frame_get_type(struct frame *f, enum frame_type type)
{
    uint32_t seen = atomic_read(&f->type_info);
    uint32_t wanted;

    do {
        uint32_t count = seen & FRAME_TYPE_COUNT;

        if (count && seen >> FRAME_TYPE_SHIFT != type)
            return false;
        if (seen & FRAME_HELD || count == FRAME_TYPE_COUNT)
            return false;
        wanted = (uint32_t)type << FRAME_TYPE_SHIFT | (count + 1);
    } while (!atomic_cmpxchg(&f->type_info, &seen, wanted));
    return true;
}

void frame_type_underflow(const struct frame *f)
{
    panic("frame %#lx has no typed reference to drop", frame_to_mfn(f).raw);
}

struct frame_totals frame_totals(void)
{
    SPIN_GUARD(&frames_lock);

    return (struct frame_totals){
        .total = total,
        .free = free_frames,
        .unreserved = available(FRAME_GUEST),
    };
}

static void print_frames(void)
{
    log_info("memory: %lu frames, %lu free, %lu promised, %lu kept back", total,
             free_frames, promised, kept_back);
    for (unsigned int order = 0; order < BUDDY_ORDERS; order++)
        if (buddy_blocks(order))
            log_info("memory: %lu free blocks of %u KiB", buddy_blocks(order),
                     4U << order);
}
DEBUG_KEY('m', "memory: totals and free blocks", print_frames);
