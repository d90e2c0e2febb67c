/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A split virtqueue (virtio 1.1, section 2.6) whose buffers are single pieces
 * of memory: one descriptor each, no chains.
 *
 * Its three parts fill at most one page each with up to 256 entries, so no
 * contiguous memory beyond a page is needed.  What the driver must remember is
 * in memory of its own: the device can write any page that it may reach, so
 * what comes back from it is checked (an id that is not with the device, more
 * bytes than it was given, more entries than there are), and a device that
 * errs loses the queue: it is broken for good.
 */

#ifndef CONTROL_DRIVERS_VIRTQUEUE_H
#define CONTROL_DRIVERS_VIRTQUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VIRTQ_SIZE_MAX   256U
#define VIRTQ_PAGE_BYTES 4096U

#define VIRTQ_DESC_NEXT  1U
#define VIRTQ_DESC_WRITE 2U

struct virtq_desc {
    uint64_t maddr;
    uint32_t bytes;
    uint16_t flags; /* VIRTQ_DESC_* */
    uint16_t next;
};

#define VIRTQ_AVAIL_NO_INTERRUPT 1U
#define VIRTQ_USED_NO_NOTIFY     1U

/* Behind ring[size] lies used_event, with VIRTIO_F_EVENT_IDX. */
struct virtq_avail {
    uint16_t flags;
    uint16_t index;
    uint16_t ring[];
};

struct virtq_used_entry {
    uint32_t id;
    uint32_t bytes;
};

/* Behind ring[size] lies avail_event, with VIRTIO_F_EVENT_IDX. */
struct virtq_used {
    uint16_t flags;
    uint16_t index;
    struct virtq_used_entry ring[];
};

_Static_assert(sizeof(struct virtq_desc) == 16, "virtio");
_Static_assert(sizeof(struct virtq_desc) * VIRTQ_SIZE_MAX <= VIRTQ_PAGE_BYTES,
               "one page");
_Static_assert(sizeof(struct virtq_used) +
                       sizeof(struct virtq_used_entry) * VIRTQ_SIZE_MAX + 2 <=
                   VIRTQ_PAGE_BYTES,
               "one page");

struct virtqueue {
    struct virtq_desc *desc;
    struct virtq_avail *avail;
    struct virtq_used *used;
    uint16_t size;
    bool event_index; /* VIRTIO_F_EVENT_IDX was negotiated */
    bool broken;

    uint16_t free_count;
    uint16_t added;     /* avail index, not all of it shown yet */
    uint16_t published; /* shown to the device */
    uint16_t taken;     /* used index up to which we have looked */
    uint16_t free_id[VIRTQ_SIZE_MAX]; /* stack of free_count */
    void *cookie[VIRTQ_SIZE_MAX];     /* NULL: not with the device */
    uint32_t room[VIRTQ_SIZE_MAX];    /* bytes the device may write */
};

/* Three zeroed pages and a size that is a power of two, at most 256. */
void virtqueue_init(struct virtqueue *queue, uint16_t size, bool event_index,
                    void *desc, void *avail, void *used);

/*
 * Give a buffer to the device, to read or to write.  @cookie comes back with
 * it and is not NULL.  False: no descriptor is free, or the queue is broken.
 * The device sees it after virtqueue_publish().
 */
bool virtqueue_add(struct virtqueue *queue, uint64_t maddr, uint32_t bytes,
                   bool device_writes, void *cookie);

/* Show what was added.  True: the device must be notified. */
bool virtqueue_publish(struct virtqueue *queue);

/*
 * The next buffer that the device is done with; *bytes is what it wrote.
 * NULL: none, or the queue is broken.
 */
void *virtqueue_take(struct virtqueue *queue, uint32_t *bytes);

/*
 * Ask for an interrupt once @more further buffers are done (1: the next).
 * True: that many are done already, and no interrupt will tell.
 */
bool virtqueue_want_interrupt(struct virtqueue *queue, uint16_t more);
void virtqueue_no_interrupt(struct virtqueue *queue);

#endif /* CONTROL_DRIVERS_VIRTQUEUE_H */
