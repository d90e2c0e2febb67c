/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Showing BARs to the owner of a function.
 *
 * Only whole pages that nothing else can lie in, never RAM nor the interrupt
 * controllers, and never the pages of the MSI-X table.
 */

#include "device/pci.h"
#include "domain/domain.h"
#include "memory/light.h"

/* Where every PC has its IO-APICs and local APICs, and messages go. */
#define APICS_START 0xfec00000ULL
#define APICS_END   0xff000000ULL

static bool is_mappable(const struct pci_bar *bar)
{
    uint64_t end = bar->start + bar->bytes;

    if (!bar->bytes || bar->start % PAGE_SIZE || bar->bytes % PAGE_SIZE)
        return false;
    if (end < bar->start || (bar->start < APICS_END && end > APICS_START))
        return false;
    return !mfn_is_ram(maddr_to_mfn(bar->start)) &&
           !mfn_is_ram(maddr_to_mfn(end - 1));
}

/* Where the window is free, if it has as many pages. */
static int map_pages(struct domain *d, struct pci_device *dev, unsigned int n)
{
    const struct light_layout *l = &d->space->layout;
    uint64_t first = l->mmio_gfn + d->devices->mmio_next;
    uint64_t pages = dev->bar[n].bytes >> PAGE_SHIFT;
    uint64_t start = dev->bar[n].start >> PAGE_SHIFT;
    int rc = 0;

    if (pages > l->mmio_pages - d->devices->mmio_next)
        return -ENOSPC;
    for (uint64_t i = 0; i < pages && rc == 0; i++)
        if (!msix_owns_page(dev, n, i))
            rc = light_map_mmio(d->space, gfn(first + i), mfn(start + i));
    if (rc)
        return rc;
    d->devices->mmio_next += pages;
    dev->bar[n].gfn = first;
    return 0;
}

int bar_map(struct domain *d, struct pci_device *dev, struct device_bar_map *op)
{
    const struct pci_bar *bar;
    int rc;

    if (op->bar >= PCI_BARS || !is_mappable(&dev->bar[op->bar]))
        return -EINVAL;
    bar = &dev->bar[op->bar];
    rc = bar->gfn ? 0 : map_pages(d, dev, op->bar);
    op->gfn = bar->gfn;
    op->bytes = bar->bytes;
    return rc;
}
