/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI devices that the hypervisor has assigned to this domain: device_op with
 * one function a command.  Errors are negative numbers of abi/errno.h.
 */

#ifndef CONTROL_DRIVERS_PCI_H
#define CONTROL_DRIVERS_PCI_H

#include <stddef.h>
#include <stdint.h>

#include <abi/device.h>
#include <abi/event_channel.h>

#define PCI_COMMAND            0x04U
#define PCI_COMMAND_MEMORY     0x0002U
#define PCI_COMMAND_BUS_MASTER 0x0004U
#define PCI_COMMAND_NO_INTX    0x0400U
#define PCI_STATUS             0x06U
#define PCI_STATUS_CAPS        0x0010U
#define PCI_CAPABILITIES       0x34U
#define PCI_CAP_VENDOR         0x09U

#define PCI_CONFIG_BYTES 256U
#define PCI_BARS         6U

/* The first device with this vendor and one of these ids.  -ABI_ENOENT. */
int pci_find(uint16_t vendor, const uint16_t *ids, size_t id_count,
             pci_sbdf_t *sbdf);

/* Aligned to their size.  A failed read gives all ones, as the bus does. */
uint8_t pci_read8(pci_sbdf_t sbdf, uint16_t offset);
uint16_t pci_read16(pci_sbdf_t sbdf, uint16_t offset);
uint32_t pci_read32(pci_sbdf_t sbdf, uint16_t offset);
int pci_write16(pci_sbdf_t sbdf, uint16_t offset, uint16_t value);

/* Map a memory BAR, uncached. */
int pci_bar_map(pci_sbdf_t sbdf, uint32_t bar, volatile uint8_t **va,
                uint64_t *bytes);

/* A port of ours for an MSI-X entry. */
int pci_irq_bind(pci_sbdf_t sbdf, uint32_t entry, evtchn_port_t *port);

int pci_reset(pci_sbdf_t sbdf);

/*
 * Pin @count pages from @va on, page-aligned, for devices.  maddr[i] is where
 * page i is.
 */
int dma_map(const void *va, uint32_t count, uint64_t *maddr);

#endif /* CONTROL_DRIVERS_PCI_H */
