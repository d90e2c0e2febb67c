/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects in slabs of one frame each.
 *
 * A slab holds objects of one class.  Its free objects form a list; the first
 * of them also holds the slab's place among the slabs of its class that have
 * room, and the frame's record holds where it is and how many are in use:
 *
 *     class list <-> [first free object] <-> [first free object] <-> ...
 *                            |                       |
 *                       next free one           next free one
 *
 * So a slab needs no header, and an empty one goes back to the frame
 * allocator at once.
 */

#include "memory/pool.h"

#include <stdint.h>

#include "core/lock.h"
#include "core/panic.h"
#include "lib/list.h"
#include "lib/string.h"
#include "memory/frame.h"

#define SIZE_MIN_SHIFT 5  /* 32 bytes: what a free object must hold */
#define SIZE_MAX_SHIFT 11 /* 2 KiB: two in a frame */
#define CLASSES        (SIZE_MAX_SHIFT - SIZE_MIN_SHIFT + 1)

struct free_object {
    struct list slabs; /* in the first free object of a slab only */
    uint16_t next;     /* offset of the next one in the slab */
};

/* No object: offsets are below 4096. */
#define NO_OBJECT 0xffffU

/* The frame's record while it is a slab, in frame.next. */
#define SLAB_STATE(first, used) ((uint32_t)(first) << 16 | (used))
#define SLAB_FIRST(state)       ((state) >> 16)
#define SLAB_USED(state)        ((state)&0xffffU)

static struct spinlock pool_lock = SPINLOCK_INIT(LOCK_pool);
static struct list slabs_with_room[CLASSES]; /* guarded by pool_lock */

/* The least n of at least @from such that 2^n holds @size. */
static unsigned int shift_of(size_t size, unsigned int from)
{
    while (1UL << from < size)
        from++;
    return from;
}

static unsigned int order_of(size_t size)
{
    return shift_of(size, PAGE_SHIFT) - PAGE_SHIFT;
}

static struct list *class_list(unsigned int class)
{
    struct list *head = &slabs_with_room[class];

    if (!head->next)
        list_init(head);
    return head;
}

static struct free_object *object_at(void *page, uint32_t offset)
{
    return (struct free_object *)((char *)page + offset);
}

/* Thread a cleared frame's objects together and offer them. */
static void slab_begin(struct frame *f, unsigned int class)
{
    void *page = mfn_to_virt(frame_to_mfn(f));
    uint32_t size = 1U << (SIZE_MIN_SHIFT + class);

    for (uint32_t at = 0; at < PAGE_SIZE; at += size)
        object_at(page, at)->next =
            (uint16_t)(at + size < PAGE_SIZE ? at + size : NO_OBJECT);

    f->next = SLAB_STATE(0, 0);
    list_add_tail(class_list(class), &object_at(page, 0)->slabs);
}

/* Take the first free object of the slab that @object begins. */
static void *object_take(struct free_object *object, unsigned int class)
{
    void *page = (void *)((uintptr_t)object & PAGE_MASK);
    struct frame *f = mfn_to_frame(virt_to_mfn(page));
    uint16_t next = object->next;

    list_del(&object->slabs);
    if (next != NO_OBJECT)
        list_add_tail(class_list(class), &object_at(page, next)->slabs);
    f->next = SLAB_STATE(next, SLAB_USED(f->next) + 1);
    return object;
}

static void *small_alloc(unsigned int class)
{
    struct list *head;
    struct frame *f;
    void *object = NULL;

    spin_lock(&pool_lock);
    head = class_list(class);
    if (list_empty(head) && (f = frame_alloc(DOMID_XEN, FRAME_METADATA)))
        slab_begin(f, class);
    if (!list_empty(head))
        object =
            object_take(list_first(head, struct free_object, slabs), class);
    spin_unlock(&pool_lock);

    if (object)
        memset(object, 0, 1UL << (SIZE_MIN_SHIFT + class));
    return object;
}

static void small_free(void *object, unsigned int class)
{
    void *page = (void *)((uintptr_t)object & PAGE_MASK);
    struct frame *f = mfn_to_frame(virt_to_mfn(page));
    uint32_t offset = (uint32_t)((char *)object - (char *)page);
    uint32_t first, used;

    if (offset & ((1U << (SIZE_MIN_SHIFT + class)) - 1))
        panic("%p is no object of %u bytes", object,
              1U << (SIZE_MIN_SHIFT + class));

    spin_lock(&pool_lock);
    first = SLAB_FIRST(f->next);
    used = SLAB_USED(f->next);
    if (used == 0 || first == offset)
        panic("%p is freed twice", object);

    if (first != NO_OBJECT)
        list_del(&object_at(page, first)->slabs);
    if (used == 1) {
        f->next = 0;
        frame_put(f);
    } else {
        object_at(page, offset)->next = (uint16_t)first;
        list_add_tail(class_list(class), &object_at(page, offset)->slabs);
        f->next = SLAB_STATE(offset, used - 1);
    }
    spin_unlock(&pool_lock);
}

void *pool_alloc(size_t size)
{
    struct frame *f;

    if (size == 0)
        return NULL;
    if (size <= 1UL << SIZE_MAX_SHIFT)
        return small_alloc(shift_of(size, SIZE_MIN_SHIFT) - SIZE_MIN_SHIFT);
    if (size > PAGE_SIZE << POOL_ORDER_MAX)
        return NULL;

    f = frame_alloc_order(DOMID_XEN, order_of(size), FRAME_METADATA);
    return f ? mfn_to_virt(frame_to_mfn(f)) : NULL;
}

void pool_free(void *object, size_t size)
{
    struct frame *f;

    if (!object)
        return;
    if (size <= 1UL << SIZE_MAX_SHIFT) {
        small_free(object, shift_of(size, SIZE_MIN_SHIFT) - SIZE_MIN_SHIFT);
        return;
    }

    f = mfn_to_frame(virt_to_mfn(object));
    for (uint64_t i = 0; i < 1UL << order_of(size); i++)
        frame_put(&f[i]);
}
