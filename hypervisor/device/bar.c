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

/* From @first on; at most what is left of the window. */
static int map_pages(struct domain *d, struct pci_device *dev, unsigned int bar,
                     gfn_t first)
{
    uint64_t pages = dev->bar[bar].bytes >> PAGE_SHIFT;
    mfn_t start = maddr_to_mfn(dev->bar[bar].start);
    int rc = 0;

    if (pages > d->space->layout.mmio_pages - d->devices->mmio_next)
        return -ENOSPC;
    for (uint64_t n = 0; n < pages && rc == 0; n++)
        if (!msix_owns_page(dev, bar, n))
            rc = light_map_mmio(d->space, gfn(first.raw + n),
                                mfn(start.raw + n));
    if (rc == 0)
        d->devices->mmio_next += pages;
    return rc;
}

int bar_map(struct domain *d, struct pci_device *dev, struct device_bar_map *op)
{
    gfn_t next = gfn(d->space->layout.mmio_gfn + d->devices->mmio_next);
    struct pci_bar *bar;
    int rc;

    if (op->bar >= PCI_BARS || !is_mappable(&dev->bar[op->bar]))
        return -EINVAL;
    bar = &dev->bar[op->bar];
    if (!bar->gfn) {
        rc = map_pages(d, dev, op->bar, next);
        if (rc)
            return rc;
        bar->gfn = next.raw;
    }
    op->gfn = bar->gfn;
    op->bytes = bar->bytes;
    return 0;
}
