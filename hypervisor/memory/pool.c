/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small objects in slabs of one frame each.
 *
 * A slab holds objects of one class.  Free objects are linked by themselves, in
 * one list a class, and the frame's record counts those that are in use.  So a
 * slab needs no header, and when its last object is freed, all its objects are
 * taken off the list, and the frame goes back to the frame allocator at once.
 */

#include "core/lock.h"
#include "lib/list.h"
#include "memory/frame.h"

#define SIZE_MIN_SHIFT 5  /* 32 bytes: what a free object must hold */
#define SIZE_MAX_SHIFT 11 /* 2 KiB: two in a frame */
#define CLASSES        (SIZE_MAX_SHIFT - SIZE_MIN_SHIFT + 1)

static struct spinlock pool_lock = SPINLOCK_INIT(LOCK_pool);
static struct list free_objects[CLASSES]; /* guarded by pool_lock */

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

/* A slab's objects of @size, all free now, go onto list @head or off theirs. */
static void slab_link(void *page, size_t size, struct list *head)
{
    for (size_t at = 0; at < PAGE_SIZE; at += size) {
        struct list *object = (struct list *)((char *)page + at);

        if (head)
            list_add_tail(head, object);
        else
            list_del(object);
    }
}

static void *small_alloc(unsigned int class)
{
    size_t size = 1UL << (SIZE_MIN_SHIFT + class);
    struct list *head = &free_objects[class], *object = NULL;
    struct frame *f;

    spin_lock(&pool_lock);
    if (!head->next)
        list_init(head);
    if (list_empty(head) && (f = frame_alloc(DOMID_XEN, FRAME_METADATA)))
        slab_link(mfn_to_virt(frame_to_mfn(f)), size, head);
    if (!list_empty(head)) {
        object = head->next;
        list_del(object);
        mfn_to_frame(virt_to_mfn(object))->next++;
    }
    spin_unlock(&pool_lock);

    if (object)
        memset(object, 0, size);
    return object;
}

static void small_free(void *object, unsigned int class)
{
    size_t size = 1UL << (SIZE_MIN_SHIFT + class);
    struct frame *f = mfn_to_frame(virt_to_mfn(object));
    struct list *head = &free_objects[class];

    if ((uintptr_t)object % size)
        panic("%p is no object of %lu bytes", object, size);

    SPIN_GUARD(&pool_lock);
    if (f->next == 0 || head->next == object)
        panic("%p is freed twice", object);
    list_add_tail(head->next, object); /* before the first */
    if (--f->next == 0) {
        slab_link((void *)((uintptr_t)object & PAGE_MASK), size, NULL);
        frame_put(f);
    }
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
