/* SPDX-License-Identifier: BSD-2-Clause */
/* Driving a virtio network card. */

#include "drivers/virtio_net.h"

#include <stddef.h>
#include <stdio.h>

#include <rt/event.h>

#include "drivers/virtio_pci.h"
#include "net/packet.h"

#define FEATURE_MTU    3
#define FEATURE_MAC    5
#define FEATURE_STATUS 16

#define WANTED                                                                 \
    (1ULL << FEATURE_MTU | 1ULL << FEATURE_MAC | 1ULL << FEATURE_STATUS |      \
     1ULL << VIRTIO_F_EVENT_IDX)

/* Device registers. */
#define CONFIG_MAC 0U
#define CONFIG_MTU 10U

#define RX 0U
#define TX 1U

/* In front of each frame; all zero for one that needs no help. */
#define HEADER_BYTES 12U

_Static_assert(HEADER_BYTES <= PACKET_HEADROOM, "room before the frame");

static struct {
    struct virtio_pci pci;
    struct virtio_pci_queue rx, tx;
    uint8_t mac[ETH_ADDR_BYTES];
    bool open;
    void (*wake)(void);
    struct virtio_net_stats stats;
} card;

/* Without and with the old register layout beside the modern one. */
static const uint16_t card_ids[] = {0x1041, 0x1000};

static void interrupt(void *arg)
{
    (void)arg;
    card.wake();
}

static bool feature(unsigned int bit)
{
    return (card.pci.features >> bit & 1) != 0;
}

/* Give the card a buffer for a frame. */
static bool post(struct packet *packet)
{
    return virtqueue_add(&card.rx.queue, packet->maddr - HEADER_BYTES,
                         HEADER_BYTES + PACKET_ROOM, true, packet);
}

static bool post_all(void)
{
    for (uint16_t i = 0; i < card.rx.queue.size; i++) {
        struct packet *packet = packet_alloc();

        if (packet == NULL)
            return false;
        post(packet);
    }
    return true;
}

static const char *read_config(void)
{
    if (!feature(FEATURE_MAC))
        return "it has no MAC address";
    for (uint32_t i = 0; i < ETH_ADDR_BYTES; i++)
        card.mac[i] = virtio_pci_device8(&card.pci, CONFIG_MAC + i);
    if (eth_is_group(card.mac))
        return "its MAC address is that of a group";

    if (feature(FEATURE_MTU) &&
        virtio_pci_device16(&card.pci, CONFIG_MTU) < ETH_MTU)
        printf("net: the network takes packets of %u bytes only; guests will "
               "send up to %u\n",
               virtio_pci_device16(&card.pci, CONFIG_MTU), ETH_MTU);
    return NULL;
}

static const char *open_queue(struct virtio_pci_queue *queue, uint16_t index)
{
    evtchn_port_t port;

    if (pci_irq_bind(card.pci.sbdf, index, &port) != 0 ||
        rt_port_bind(port, interrupt, NULL) != 0)
        return "its interrupts cannot be bound";
    return virtio_pci_queue_open(&card.pci, queue, index, index);
}

static const char *bring_up(pci_sbdf_t sbdf)
{
    const char *why = virtio_pci_open(&card.pci, sbdf, WANTED);

    if (why == NULL)
        why = read_config();
    if (why == NULL)
        why = open_queue(&card.rx, RX);
    if (why == NULL)
        why = open_queue(&card.tx, TX);
    if (why == NULL && !post_all())
        why = "there is no memory for its buffers";
    return why;
}

const char *virtio_net_open(void (*wake)(void))
{
    pci_sbdf_t sbdf;
    const char *why;

    if (pci_find(VIRTIO_PCI_VENDOR, card_ids,
                 sizeof(card_ids) / sizeof(card_ids[0]), &sbdf) != 0)
        return "no virtio network card is assigned to the control domain";

    card.wake = wake;
    packet_pool_pin();
    why = bring_up(sbdf);
    if (why != NULL) {
        if (card.pci.common != NULL)
            virtio_pci_stop(&card.pci);
        return why;
    }

    virtqueue_no_interrupt(&card.tx.queue);
    virtio_pci_start(&card.pci);
    card.open = true;
    virtio_net_flush(false);
    return NULL;
}

const uint8_t *virtio_net_mac(void)
{
    return card.mac;
}

const struct virtio_net_stats *virtio_net_stats(void)
{
    return &card.stats;
}

/* A card that breaks a queue may do anything: it gets no more memory. */
static void check(void)
{
    if (!card.open || (!card.rx.queue.broken && !card.tx.queue.broken))
        return;
    printf("net: the network card does not keep to the rules and was stopped; "
           "the uplink is down\n");
    virtio_pci_stop(&card.pci);
    card.open = false;
}

/*
 * The buffer that comes out is replaced by another, so the card never runs
 * out of them; if there is no other, the frame is given up for it.
 */
static bool replace(struct packet *packet)
{
    struct packet *fresh = packet_alloc();

    post(fresh != NULL ? fresh : packet);
    return fresh != NULL;
}

struct packet *virtio_net_receive(void)
{
    struct packet *packet;
    uint32_t bytes;

    while (card.open &&
           (packet = virtqueue_take(&card.rx.queue, &bytes)) != NULL) {
        bool replaced = replace(packet);

        if (replaced && bytes >= HEADER_BYTES + ETH_HEADER_BYTES &&
            bytes <= HEADER_BYTES + ETH_FRAME_MAX) {
            packet->next = NULL;
            packet->from = NULL;
            packet->checksum = CHECKSUM_UNKNOWN;
            packet->bytes = packet->here = (uint16_t)(bytes - HEADER_BYTES);
            card.stats.rx_packets++;
            card.stats.rx_bytes += packet->bytes;
            return packet;
        }
        card.stats.rx_dropped++;
        if (replaced)
            packet_free(packet);
    }
    check();
    return NULL;
}

bool virtio_net_send(struct packet *packet)
{
    if (!card.open) { /* Nowhere to go, for good. */
        packet_free(packet);
        return true;
    }
    memset(packet->frame - HEADER_BYTES, 0, HEADER_BYTES);
    if (!virtqueue_add(&card.tx.queue, packet->maddr - HEADER_BYTES,
                       HEADER_BYTES + packet->bytes, false, packet))
        return false;
    card.stats.tx_packets++;
    card.stats.tx_bytes += packet->bytes;
    return true;
}

void virtio_net_reclaim(void)
{
    struct packet *packet;
    uint32_t bytes;

    while (card.open &&
           (packet = virtqueue_take(&card.tx.queue, &bytes)) != NULL)
        packet_free(packet);
    check();
}

bool virtio_net_flush(bool room)
{
    uint16_t sending =
        (uint16_t)(card.tx.queue.size - card.tx.queue.free_count);
    bool some = false;

    if (!card.open)
        return false;
    virtio_pci_queue_kick(&card.rx);
    virtio_pci_queue_kick(&card.tx);

    if (room && sending > 0)
        some = virtqueue_want_interrupt(&card.tx.queue,
                                        (uint16_t)((sending + 1) / 2));
    else
        virtqueue_no_interrupt(&card.tx.queue);
    return virtqueue_want_interrupt(&card.rx.queue, 1) || some;
}
