/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool of packet buffers. */

#include "net/packet.h"

#include <stdlib.h>

#include <rt/page.h>

#include "drivers/pci.h"

/* Pages by which the pool grows, and packets in them. */
#define GROW_PAGES   32U
#define GROW_PACKETS (GROW_PAGES * 2U)

/* One guest may queue this part of the free packets. */
#define QUEUE_PART 32U

_Static_assert(PACKETS_MAX % GROW_PACKETS == 0, "the pool fills up evenly");
_Static_assert(PACKET_BYTES * 2 == PAGE_BYTES, "two packets a page");

static struct {
    struct packet *free;
    uint32_t total, used;
    bool pin, starved;
    void (*more)(void);
} pool;

void packet_pool_pin(void)
{
    pool.pin = true;
}

void packet_pool_on_free(void (*more)(void))
{
    pool.more = more;
}

static void packet_init(struct packet *packet, uint8_t *page, uint64_t maddr,
                        uint16_t half)
{
    uint16_t offset = (uint16_t)(half * PACKET_BYTES + PACKET_HEADROOM);

    *packet = (struct packet){
        .frame = page + offset,
        .maddr = maddr == 0 ? 0 : maddr + offset,
        .page_gfn = rt_frame_of(page),
        .page_offset = offset,
        .next = pool.free,
    };
    pool.free = packet;
}

static void grow(void)
{
    uint64_t maddr[GROW_PAGES] = {0};
    struct packet *packets;
    uint8_t *pages;

    if (pool.total == PACKETS_MAX)
        return;
    packets = malloc(GROW_PACKETS * sizeof(*packets));
    pages = page_alloc(GROW_PAGES);
    if (packets == NULL || pages == NULL ||
        (pool.pin && dma_map(pages, GROW_PAGES, maddr) != 0)) {
        free(packets);
        if (pages != NULL)
            page_free(pages, GROW_PAGES);
        return;
    }

    for (uint32_t i = 0; i < GROW_PACKETS; i++)
        packet_init(&packets[i], pages + i / 2 * PAGE_BYTES, maddr[i / 2],
                    i % 2);
    pool.total += GROW_PACKETS;
}

struct packet *packet_alloc(void)
{
    struct packet *packet;

    if (pool.free == NULL)
        grow();
    packet = pool.free;
    if (packet == NULL) {
        pool.starved = true;
        return NULL;
    }

    pool.free = packet->next;
    pool.used++;
    packet->next = NULL;
    packet->from = NULL;
    packet->bytes = 0;
    packet->here = 0;
    packet->checksum = CHECKSUM_UNKNOWN;
    return packet;
}

void packet_free(struct packet *packet)
{
    packet->next = pool.free;
    pool.free = packet;
    pool.used--;
    if (pool.starved && pool.more != NULL) {
        pool.starved = false;
        pool.more();
    }
}

uint32_t packet_free_count(void)
{
    return PACKETS_MAX - pool.used;
}

uint32_t packet_queue_limit(uint32_t max)
{
    uint32_t part = packet_free_count() / QUEUE_PART;

    return part < max ? part : max;
}

uint32_t packet_used_count(void)
{
    return pool.used;
}
