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
 * Fields: (c) constant after start-up, (v) guarded by device_lock.
 */

#ifndef DEVICE_PCI_H
#define DEVICE_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include <abi/device.h>

#include "core/lock.h"
#include "lib/compiler.h"
#include "lib/list.h"

struct domain;

#define PCI_BARS 6U

struct pci_bar {
    uint64_t start; /* (c) machine address */
    uint64_t bytes; /* (c) 0: none, or not of memory */
    uint64_t gfn;   /* (v) where the owner has it, 0: nowhere */
};

struct pci_msix {
    uint8_t cap;                /* (c) offset of the capability, 0: none */
    uint16_t count;             /* (c) entries of the table */
    uint8_t table_bar;          /* (c) */
    uint8_t pending_bar;        /* (c) */
    uint32_t table_offset;      /* (c) bytes into the BAR */
    uint32_t pending_offset;    /* (c) */
    bool enabled;               /* (v) */
    volatile uint32_t *entries; /* (v) mapped when first needed, for ever */
};

/* How the function can be reset. */
enum pci_reset_kind {
    PCI_RESET_NONE,
    PCI_RESET_EXPRESS,  /* bit of the PCI Express capability */
    PCI_RESET_ADVANCED, /* bit of the Advanced Features capability */
};

struct pci_device {
    struct list all;              /* (c) in ascending order of sbdf */
    pci_sbdf_t sbdf;              /* (c) */
    uint16_t vendor, device;      /* (c) */
    uint32_t class_code;          /* (c) */
    struct pci_bar bar[PCI_BARS]; /* (c) but for gfn */
    struct pci_msix msix;
    enum pci_reset_kind reset_kind; /* (c) */
    uint8_t reset_cap;              /* (c) */
    bool in_reset;                  /* (v) */
    uint64_t reset_until;           /* (v) system time */
    uint16_t command_before_reset;  /* (v) */
    struct domain *owner;           /* (v) NULL: nobody; no reference */
};

extern struct spinlock device_lock;

/* Find all functions; before the initial domain is made. */
void pci_init(void);

/* Give every function but bridges to @d, once. */
int __must_check pci_assign_all(struct domain *d);

/* The function @sbdf if it is @d's, else NULL. */
struct pci_device *pci_find(const struct domain *d, pci_sbdf_t sbdf)
    __must_hold(device_lock);

/* The @index-th of @d's, by ascending sbdf; NULL: no more. */
struct pci_device *pci_find_nth(const struct domain *d, uint32_t index)
    __must_hold(device_lock);

/* All functions, for those who keep order. */
extern struct list pci_devices;

#endif /* DEVICE_PCI_H */
