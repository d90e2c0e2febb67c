/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PCI functions and who they are assigned to.
 *
 * Configuration space belongs to the hypervisor: one lock guards it and all of
 * this room.  Found once, at start-up; a function then belongs to a domain or,
 * if it is a bridge, to nobody.
 *
 * There is no IOMMU, so a domain with a device can read and write all memory
 * through it: assignment makes it trusted.  The rest of this room keeps its
 * accidents from spreading, and puts things in order when it dies.
 *
 * MSI-X: each entry of a function's table raises one vector, which is one
 * event channel port of the owner.  Only the hypervisor writes the table, for
 * an entry is an address and a value that the function will write there.  An
 * entry is masked while nothing is bound to it.  One that keeps interrupting
 * while its owner has not looked is masked for a while, and reported.
 *
 * Fields: (c) constant after start-up, (v) guarded by device_lock.
 */

#pragma once

#include <abi/device.h>

#include "core/lock.h"

struct domain;

/* Of configuration space (PCI Local Bus 3.0, chapter 6), what concerns us. */
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

#define PCI_BARS 6U

struct pci_bar {
    uint64_t start; /* (c) machine address */
    uint64_t bytes; /* (c) 0: none, or not of memory */
    uint64_t gfn;   /* (v) where the owner has it, 0: nowhere */
};

struct pci_msix {
    uint8_t cap;    /* (c) offset of the capability, 0: none */
    uint32_t count; /* (c) entries of the table */
    bool enabled;   /* (v) */
    struct pci_msix_area {
        uint32_t bar, offset, bytes; /* (c) */
    } table, pending;
    volatile uint32_t *entries; /* (v) mapped when first needed, for ever */
};

struct pci_device {
    struct pci_device *next;      /* (c) of a higher sbdf */
    pci_sbdf_t sbdf;              /* (c) */
    uint16_t vendor, device;      /* (c) */
    uint32_t class_code;          /* (c) */
    struct pci_bar bar[PCI_BARS]; /* (c) but for gfn */
    struct pci_msix msix;
    uint8_t reset_cap;             /* (c) PCI Express with FLR, 0: no reset */
    uint64_t reset_until;          /* (v) system time, 0: it is not reset */
    uint32_t command_before_reset; /* (v) */
    struct domain *owner;          /* (v) NULL: nobody; no reference */
};

/* Counts of pins are kept in pages of so many gfns, made when needed. */
#define PIN_PAGE_GFNS 1024U

/* What a domain with devices has in this room, besides the devices. */
struct device_owner {
    uint64_t mmio_next;   /* (v) first free page of its MMIO window */
    uint64_t pin_pages;   /* (c) */
    uint64_t release_at;  /* (v) pin pages below are done with */
    uint32_t *pin_page[]; /* (v) pins of each gfn, NULL until one is */
};

#define DEVICE_OWNER_BYTES(pin_pages)                                          \
    (sizeof(struct device_owner) + (pin_pages) * sizeof(uint32_t *))

extern struct spinlock device_lock;

/* All functions, by ascending sbdf. */
extern struct pci_device *pci_devices;
#define FOR_EACH_DEVICE(dev)                                                   \
    for (struct pci_device *dev = pci_devices; dev; dev = dev->next)

/* Find all functions; before the initial domain is made. */
void pci_init(void);

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

/* Give every function but bridges to @d, once.  -ENOMEM. */
int __must_check pci_assign_all(struct domain *d);

/* The function @sbdf if it is @d's, else NULL. */
struct pci_device *pci_find(const struct domain *d, pci_sbdf_t sbdf)
    __must_hold(device_lock);

/* The @index-th of @d's, by ascending sbdf; NULL: no more. */
struct pci_device *pci_find_nth(const struct domain *d, uint32_t index)
    __must_hold(device_lock);

/* device_op bar_map. */
int __must_check bar_map(struct domain *d, struct pci_device *dev,
                         struct device_bar_map *op) __must_hold(device_lock);

/*
 * Pin and unpin one page.  -EINVAL: no RAM page, or not pinned; -EBUSY: pinned
 * as often as can be counted.
 */
int __must_check dma_pin(struct domain *d, uint64_t gfn, uint64_t *maddr);
int dma_unpin(struct domain *d, uint64_t gfn);

/*
 * A quantum of undoing all pins of @d, which runs no more, and then of freeing
 * its record; true when that is done.
 */
bool dma_end(struct domain *d);

/* Learn what MSI-X the function has; at start-up. */
void msix_scan(struct pci_device *dev) __must_hold(device_lock);

/* Whether page @page of BAR @bar holds the table or the pending bits. */
bool msix_owns_page(const struct pci_device *dev, unsigned int bar,
                    uint64_t page);

/* device_op irq_bind: entry @entry to a new port of the owner. */
int __must_check msix_bind(struct pci_device *dev, uint32_t entry,
                           uint32_t *port) __must_hold(device_lock);

/* Mask and unbind all entries; their ports never fire again. */
void msix_unbind_all(struct pci_device *dev) __must_hold(device_lock);

/* After a reset, which cleared the table: write it again. */
void msix_restore(struct pci_device *dev) __must_hold(device_lock);

/* No DMA from now on. */
void reset_quiesce(struct pci_device *dev) __must_hold(device_lock);

/*
 * Begin a reset, or look whether it is over: 0, the function is as after
 * power-on but where it was; -EAGAIN: ask again, for it may take 100 ms, and
 * nobody waits for that here; -ENODEV: it cannot be reset.
 */
int __must_check reset_step(struct pci_device *dev) __must_hold(device_lock);
