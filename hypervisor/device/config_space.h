/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration space of PCI functions: reading, writing, and what in it
 * concerns us (PCI Local Bus 3.0, chapter 6).
 */

#pragma once

#include "device/pci.h"

#define PCI_VENDOR           0x00
#define PCI_DEVICE           0x02
#define PCI_COMMAND          0x04
#define PCI_STATUS           0x06
#define PCI_REVISION         0x08 /* its dword: the class above */
#define PCI_CACHE_LINE       0x0c
#define PCI_LATENCY          0x0d
#define PCI_HEADER_TYPE      0x0e
#define PCI_BAR(n)           (0x10 + (n)*4)
#define PCI_CAPABILITIES     0x34
#define PCI_SECONDARY_BUS    0x19 /* of a bridge */
#define PCI_INTERRUPT_LINE   0x3c
#define PCI_FIRST_CAPABILITY 0x40
#define PCI_CONFIG_BYTES     0x100

#define PCI_COMMAND_IO           0x0001U
#define PCI_COMMAND_MEMORY       0x0002U
#define PCI_COMMAND_MASTER       0x0004U
#define PCI_COMMAND_PARITY       0x0040U
#define PCI_COMMAND_SERR         0x0100U
#define PCI_COMMAND_INTX_DISABLE 0x0400U

#define PCI_STATUS_CAPABILITIES 0x0010U

#define PCI_HEADER_MULTI 0x80U
#define PCI_HEADER_KIND  0x7fU

#define PCI_CAP_EXPRESS 0x10U
#define PCI_CAP_MSIX    0x11U

/* @offset is aligned to @size, 1, 2 or 4 bytes, below PCI_CONFIG_BYTES. */
uint32_t config_read(pci_sbdf_t sbdf, uint32_t offset, uint32_t size)
    __must_hold(device_lock);
void config_write(pci_sbdf_t sbdf, uint32_t offset, uint32_t size,
                  uint32_t value) __must_hold(device_lock);

/* The offset of capability @id; 0: it has none. */
uint8_t config_find_capability(pci_sbdf_t sbdf, uint8_t id)
    __must_hold(device_lock);

/* device_op config_read and config_write, as the owner may. */
int __must_check config_owner_read(const struct pci_device *dev,
                                   struct device_config *op)
    __must_hold(device_lock);
int __must_check config_owner_write(const struct pci_device *dev,
                                    const struct device_config *op)
    __must_hold(device_lock);
