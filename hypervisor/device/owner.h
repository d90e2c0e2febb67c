/* SPDX-License-Identifier: BSD-2-Clause */
/* What a domain with devices has in this room, besides the devices. */

#ifndef DEVICE_OWNER_H
#define DEVICE_OWNER_H

#include <stdint.h>

#include "device/pci.h"
#include "lib/compiler.h"

/* Counts of pins are kept in pages of so many gfns, made when needed. */
#define PIN_PAGE_GFNS 1024U

struct device_owner {
    uint64_t mmio_next;   /* (v) first free page of its MMIO window */
    uint64_t pin_pages;   /* (c) */
    uint64_t release_at;  /* (v) pin pages below are done with */
    uint32_t *pin_page[]; /* (v) pins of each gfn, NULL until one is */
};

/* Give @d its record, if it has none.  -ENOMEM. */
int __must_check owner_create(struct domain *d);
void owner_free(struct domain *d);

/* device_op bar_map. */
int __must_check bar_map(struct domain *d, struct pci_device *dev,
                         struct device_bar_map *op) __must_hold(device_lock);

/*
 * Pin and unpin one page.  -EINVAL: no RAM page, or not pinned; -EBUSY: pinned
 * as often as can be counted.
 */
int __must_check dma_pin(struct domain *d, uint64_t gfn, uint64_t *maddr);
int dma_unpin(struct domain *d, uint64_t gfn);

/* A quantum of undoing all pins; true when there are none. */
bool dma_unpin_all(struct domain *d);

#endif /* DEVICE_OWNER_H */
