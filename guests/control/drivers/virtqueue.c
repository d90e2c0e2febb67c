/* SPDX-License-Identifier: BSD-2-Clause */
/* The driver's side of a split virtqueue. */

#include "drivers/virtqueue.h"

static uint16_t load16(const uint16_t *at)
{
    return __atomic_load_n(at, __ATOMIC_ACQUIRE);
}

static void store16(uint16_t *at, uint16_t value)
{
    __atomic_store_n(at, value, __ATOMIC_RELEASE);
}

/* The interrupt that the driver asks for: an index of the used ring. */
static uint16_t *used_event(struct virtqueue *queue)
{
    return &queue->avail->ring[queue->size];
}

/* The notification that the device asks for: an index of the avail ring. */
static const uint16_t *avail_event(const struct virtqueue *queue)
{
    return (const uint16_t *)(const void *)&queue->used->ring[queue->size];
}

void virtqueue_init(struct virtqueue *queue, uint16_t size, bool event_index,
                    void *desc, void *avail, void *used)
{
    *queue = (struct virtqueue){
        .desc = desc,
        .avail = avail,
        .used = used,
        .size = size,
        .event_index = event_index,
        .free_count = size,
    };
    /* Low ids are used first, and again soon: their entries stay cached. */
    for (uint16_t i = 0; i < size; i++)
        queue->free_id[i] = (uint16_t)(size - 1 - i);
}

bool virtqueue_add(struct virtqueue *queue, uint64_t maddr, uint32_t bytes,
                   bool device_writes, void *cookie)
{
    uint16_t id;

    if (queue->broken || queue->free_count == 0)
        return false;

    id = queue->free_id[--queue->free_count];
    queue->cookie[id] = cookie;
    queue->room[id] = device_writes ? bytes : 0;
    queue->desc[id] = (struct virtq_desc){
        .maddr = maddr,
        .bytes = bytes,
        .flags = device_writes ? VIRTQ_DESC_WRITE : 0,
    };
    queue->avail->ring[queue->added++ % queue->size] = id;
    return true;
}

bool virtqueue_publish(struct virtqueue *queue)
{
    uint16_t old = queue->published, now = queue->added;

    if (queue->broken || old == now)
        return false;

    store16(&queue->avail->index, now);
    queue->published = now;
    /* The device writes what it wants, then looks at the index. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (!queue->event_index)
        return (load16(&queue->used->flags) & VIRTQ_USED_NO_NOTIFY) == 0;
    /* Is avail_event in [old, now)? */
    return (uint16_t)(now - load16(avail_event(queue)) - 1) <
           (uint16_t)(now - old);
}

static void *break_queue(struct virtqueue *queue)
{
    queue->broken = true;
    return NULL;
}

void *virtqueue_take(struct virtqueue *queue, uint32_t *bytes)
{
    const struct virtq_used_entry *entry;
    uint16_t waiting;
    uint32_t id, written;
    void *cookie;

    if (queue->broken)
        return NULL;
    waiting = (uint16_t)(load16(&queue->used->index) - queue->taken);
    if (waiting == 0)
        return NULL;
    if (waiting > queue->size - queue->free_count)
        return break_queue(queue); /* More than the device has. */

    /* Read once: the device could change them under us. */
    entry = &queue->used->ring[queue->taken % queue->size];
    id = __atomic_load_n(&entry->id, __ATOMIC_RELAXED);
    written = __atomic_load_n(&entry->bytes, __ATOMIC_RELAXED);
    if (id >= queue->size || queue->cookie[id] == NULL)
        return break_queue(queue);
    /* For buffers that it only reads, devices write anything here. */
    if (queue->room[id] == 0)
        written = 0;
    else if (written > queue->room[id])
        return break_queue(queue);

    cookie = queue->cookie[id];
    queue->cookie[id] = NULL;
    queue->free_id[queue->free_count++] = (uint16_t)id;
    queue->taken++;
    *bytes = written;
    return cookie;
}

bool virtqueue_want_interrupt(struct virtqueue *queue, uint16_t more)
{
    if (queue->broken)
        return false;
    if (queue->event_index)
        store16(used_event(queue), (uint16_t)(queue->taken + more - 1));
    else
        store16(&queue->avail->flags, 0);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return (uint16_t)(load16(&queue->used->index) - queue->taken) >= more;
}

void virtqueue_no_interrupt(struct virtqueue *queue)
{
    /* An index just passed: it comes up again after 65536 buffers. */
    if (queue->event_index)
        store16(used_event(queue), (uint16_t)(queue->taken - 1));
    else
        store16(&queue->avail->flags, VIRTQ_AVAIL_NO_INTERRUPT);
}
