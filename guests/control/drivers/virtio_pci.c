/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing up a modern virtio device: registers, features, queues. */

#include "drivers/virtio_pci.h"

#include <rt/page.h>

/* Common configuration, virtio 1.1 section 4.1.4.3. */
#define COMMON_DEVICE_FEATURE_SELECT 0U
#define COMMON_DEVICE_FEATURE        4U
#define COMMON_DRIVER_FEATURE_SELECT 8U
#define COMMON_DRIVER_FEATURE        12U
#define COMMON_CONFIG_VECTOR         16U
#define COMMON_QUEUE_COUNT           18U
#define COMMON_STATUS                20U
#define COMMON_QUEUE_SELECT          22U
#define COMMON_QUEUE_SIZE            24U
#define COMMON_QUEUE_VECTOR          26U
#define COMMON_QUEUE_ENABLE          28U
#define COMMON_QUEUE_NOTIFY          30U
#define COMMON_QUEUE_DESC            32U
#define COMMON_QUEUE_DRIVER          40U
#define COMMON_QUEUE_DEVICE          48U

#define STATUS_ACKNOWLEDGE 1U
#define STATUS_DRIVER      2U
#define STATUS_DRIVER_OK   4U
#define STATUS_FEATURES_OK 8U

#define NO_VECTOR 0xffffU

/* Reads of the status that a reset may take; it is immediate in practice. */
#define RESET_TRIES 10000

/*
 * Registers are little-endian and are to be reached with their own width;
 * addresses as two halves.
 */
static uint8_t mmio_read8(const volatile uint8_t *base, uint32_t offset)
{
    return base[offset];
}

static void mmio_write8(volatile uint8_t *base, uint32_t offset, uint8_t value)
{
    base[offset] = value;
}

static uint16_t mmio_read16(const volatile uint8_t *base, uint32_t offset)
{
    return *(const volatile uint16_t *)(const volatile void *)(base + offset);
}

static void mmio_write16(volatile uint8_t *base, uint32_t offset,
                         uint16_t value)
{
    *(volatile uint16_t *)(volatile void *)(base + offset) = value;
}

static uint32_t mmio_read32(const volatile uint8_t *base, uint32_t offset)
{
    return *(const volatile uint32_t *)(const volatile void *)(base + offset);
}

static void mmio_write32(volatile uint8_t *base, uint32_t offset,
                         uint32_t value)
{
    *(volatile uint32_t *)(volatile void *)(base + offset) = value;
}

static void mmio_write64(volatile uint8_t *base, uint32_t offset,
                         uint64_t value)
{
    mmio_write32(base, offset, (uint32_t)value);
    mmio_write32(base, offset + 4, (uint32_t)(value >> 32));
}

static volatile uint8_t *window_map(pci_sbdf_t sbdf,
                                    const struct virtio_window *window)
{
    volatile uint8_t *va;
    uint64_t bytes;

    if (pci_bar_map(sbdf, window->bar, &va, &bytes) != 0 ||
        window->offset > bytes || window->bytes > bytes - window->offset ||
        window->offset % 4 != 0)
        return NULL;
    return va + window->offset;
}

static void status_add(struct virtio_pci *device, uint8_t bits)
{
    mmio_write8(device->common, COMMON_STATUS,
                mmio_read8(device->common, COMMON_STATUS) | bits);
}

static bool reset(struct virtio_pci *device)
{
    mmio_write8(device->common, COMMON_STATUS, 0);
    for (int i = 0; i < RESET_TRIES; i++)
        if (mmio_read8(device->common, COMMON_STATUS) == 0)
            return true;
    return false;
}

static bool negotiate(struct virtio_pci *device, uint64_t wanted)
{
    uint64_t offered = 0;

    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(device->common, COMMON_DEVICE_FEATURE_SELECT, half);
        offered |= (uint64_t)mmio_read32(device->common, COMMON_DEVICE_FEATURE)
                   << 32 * half;
    }

    device->features = offered & wanted;
    for (uint32_t half = 0; half < 2; half++) {
        mmio_write32(device->common, COMMON_DRIVER_FEATURE_SELECT, half);
        mmio_write32(device->common, COMMON_DRIVER_FEATURE,
                     (uint32_t)(device->features >> 32 * half));
    }
    if ((device->features & 1ULL << VIRTIO_F_VERSION_1) == 0)
        return false;

    status_add(device, STATUS_FEATURES_OK);
    return (mmio_read8(device->common, COMMON_STATUS) & STATUS_FEATURES_OK) !=
           0;
}

const char *virtio_pci_open(struct virtio_pci *device, pci_sbdf_t sbdf,
                            uint64_t wanted)
{
    uint16_t command = pci_read16(sbdf, PCI_COMMAND);

    *device = (struct virtio_pci){.sbdf = sbdf};
    if (!virtio_pci_read_layout(sbdf, &device->layout))
        return "it has no modern virtio registers (is it a legacy device?)";

    device->common = window_map(sbdf, &device->layout.common);
    device->notify = window_map(sbdf, &device->layout.notify);
    if (device->layout.device.bytes != 0)
        device->device = window_map(sbdf, &device->layout.device);
    if (device->common == NULL || device->notify == NULL ||
        (device->layout.device.bytes != 0 && device->device == NULL))
        return "its registers cannot be mapped";

    if (pci_write16(sbdf, PCI_COMMAND,
                    command | PCI_COMMAND_MEMORY | PCI_COMMAND_BUS_MASTER |
                        PCI_COMMAND_NO_INTX) != 0)
        return "it may not be made a bus master";
    if (!reset(device))
        return "it does not come out of reset";

    status_add(device, STATUS_ACKNOWLEDGE);
    status_add(device, STATUS_DRIVER);
    if (!negotiate(device, wanted | 1ULL << VIRTIO_F_VERSION_1))
        return "it does not agree to virtio version 1";
    /* Changes of the configuration raise no interrupt. */
    mmio_write16(device->common, COMMON_CONFIG_VECTOR, NO_VECTOR);
    return NULL;
}

/* The greatest power of two that device, driver and page allow; 0: none. */
static uint16_t choose_size(uint16_t offered)
{
    uint16_t size = VIRTQ_SIZE_MAX;

    while (size > offered)
        size /= 2;
    return size;
}

const char *virtio_pci_queue_open(struct virtio_pci *device,
                                  struct virtio_pci_queue *queue,
                                  uint16_t index, uint16_t vector)
{
    volatile uint8_t *common = device->common;
    uint64_t maddr[3], doorbell;
    uint8_t *pages;
    uint16_t size;

    if (index >= mmio_read16(common, COMMON_QUEUE_COUNT))
        return "it has too few queues";
    mmio_write16(common, COMMON_QUEUE_SELECT, index);
    size = choose_size(mmio_read16(common, COMMON_QUEUE_SIZE));
    doorbell = (uint64_t)mmio_read16(common, COMMON_QUEUE_NOTIFY) *
               device->layout.notify_multiplier;
    if (size == 0 || doorbell + sizeof(uint16_t) > device->layout.notify.bytes)
        return "a queue of it is not usable";

    pages = page_alloc_zero(3);
    if (pages == NULL)
        return "there is no memory for its queues";
    if (dma_map(pages, 3, maddr) != 0) {
        page_free(pages, 3);
        return "memory for its queues cannot be pinned";
    }

    queue->index = index;
    queue->doorbell = device->notify + doorbell;
    virtqueue_init(&queue->queue, size,
                   (device->features & 1ULL << VIRTIO_F_EVENT_IDX) != 0, pages,
                   pages + PAGE_BYTES, pages + 2 * PAGE_BYTES);

    mmio_write16(common, COMMON_QUEUE_SIZE, size);
    mmio_write64(common, COMMON_QUEUE_DESC, maddr[0]);
    mmio_write64(common, COMMON_QUEUE_DRIVER, maddr[1]);
    mmio_write64(common, COMMON_QUEUE_DEVICE, maddr[2]);
    mmio_write16(common, COMMON_QUEUE_VECTOR, vector);
    if (mmio_read16(common, COMMON_QUEUE_VECTOR) != vector)
        return "it has no interrupt for a queue";
    mmio_write16(common, COMMON_QUEUE_ENABLE, 1);
    return NULL;
}

void virtio_pci_start(struct virtio_pci *device)
{
    status_add(device, STATUS_DRIVER_OK);
}

void virtio_pci_stop(struct virtio_pci *device)
{
    reset(device);
}

void virtio_pci_queue_kick(struct virtio_pci_queue *queue)
{
    if (virtqueue_publish(&queue->queue))
        mmio_write16(queue->doorbell, 0, queue->index);
}

uint8_t virtio_pci_device8(const struct virtio_pci *device, uint32_t offset)
{
    if (offset >= device->layout.device.bytes)
        return 0;
    return mmio_read8(device->device, offset);
}

uint16_t virtio_pci_device16(const struct virtio_pci *device, uint32_t offset)
{
    if (offset + 1 >= device->layout.device.bytes)
        return 0;
    return mmio_read16(device->device, offset);
}
