/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Showing BARs to the owner of a function.
 *
 * Only whole pages that nothing else can lie in, never RAM nor the interrupt
 * controllers, and never the pages of the MSI-X table.
 */

#include "device/msix.h"
#include "device/owner.h"
#include "domain/domain.h"
#include "lib/errno.h"
#include "memory/frame.h"
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

static int map_pages(struct domain *d, struct pci_device *dev, unsigned int bar,
                     uint64_t first_gfn)
{
    uint64_t pages = dev->bar[bar].bytes >> PAGE_SHIFT;
    mfn_t first = maddr_to_mfn(dev->bar[bar].start);

    for (uint64_t n = 0; n < pages; n++) {
        int rc;

        if (msix_owns_page(dev, bar, n))
            continue;
        rc = light_map_mmio(d->space, gfn(first_gfn + n), mfn(first.raw + n));
        if (rc)
            return rc;
    }
    return 0;
}

int bar_map(struct domain *d, struct pci_device *dev, struct device_bar_map *op)
{
    const struct light_layout *l = &d->space->layout;
    struct device_owner *o = d->devices;
    struct pci_bar *bar;
    uint64_t pages;
    int rc;

    if (op->bar >= PCI_BARS)
        return -EINVAL;
    bar = &dev->bar[op->bar];
    if (!is_mappable(bar))
        return -EINVAL;

    if (!bar->gfn) {
        pages = bar->bytes >> PAGE_SHIFT;
        if (pages > l->mmio_pages - o->mmio_next)
            return -ENOSPC;
        rc = map_pages(d, dev, op->bar, l->mmio_gfn + o->mmio_next);
        if (rc)
            return rc;
        bar->gfn = l->mmio_gfn + o->mmio_next;
        o->mmio_next += pages;
    }
    op->gfn = bar->gfn;
    op->bytes = bar->bytes;
    return 0;
}
