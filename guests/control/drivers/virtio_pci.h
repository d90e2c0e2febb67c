/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A modern virtio device behind PCI (virtio 1.1, section 4.1): finding its
 * registers, negotiating features, setting up queues.
 */

#ifndef CONTROL_DRIVERS_VIRTIO_PCI_H
#define CONTROL_DRIVERS_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/event_channel.h>

#include "drivers/pci.h"
#include "drivers/virtqueue.h"

#define VIRTIO_PCI_VENDOR 0x1af4U

#define VIRTIO_F_EVENT_IDX 29
#define VIRTIO_F_VERSION_1 32

/* A range of a BAR: registers of one kind. */
struct virtio_window {
    uint8_t bar;
    uint32_t offset, bytes; /* bytes 0: the device has none */
};

/* Where the capabilities say that the registers are. */
struct virtio_layout {
    struct virtio_window common, notify, device;
    uint32_t notify_multiplier;
};

struct virtio_pci {
    pci_sbdf_t sbdf;
    struct virtio_layout layout;
    volatile uint8_t *common, *notify, *device;
    uint64_t features; /* agreed on */
};

struct virtio_pci_queue {
    struct virtqueue queue;
    volatile uint8_t *doorbell;
    uint16_t index;
};

/*
 * Read the capability list.  False: it has no complete set of windows, or one
 * that lies about its place.
 */
bool virtio_pci_read_layout(pci_sbdf_t sbdf, struct virtio_layout *layout);

/*
 * Take over the device at @sbdf: map its registers, reset it, agree on
 * @wanted features.  NULL, or why it cannot be used.
 */
const char *virtio_pci_open(struct virtio_pci *device, pci_sbdf_t sbdf,
                            uint64_t wanted);

/*
 * Set up queue @index, interrupts at MSI-X entry @vector.  NULL, or why not.
 */
const char *virtio_pci_queue_open(struct virtio_pci *device,
                                  struct virtio_pci_queue *queue,
                                  uint16_t index, uint16_t vector);

/* The driver is ready: the device may go. */
void virtio_pci_start(struct virtio_pci *device);

/* Something is wrong with it for good: reset, so that it touches no memory. */
void virtio_pci_stop(struct virtio_pci *device);

/* Show what was added to the queue, and ring if the device wants it. */
void virtio_pci_queue_kick(struct virtio_pci_queue *queue);

/* Registers of the device's kind; 0 beyond their end. */
uint8_t virtio_pci_device8(const struct virtio_pci *device, uint32_t offset);
uint16_t virtio_pci_device16(const struct virtio_pci *device, uint32_t offset);

#endif /* CONTROL_DRIVERS_VIRTIO_PCI_H */
