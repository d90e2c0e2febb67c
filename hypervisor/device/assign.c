/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which function, and what happens to it when the owner ends. */

#include "device/pci.h"
#include "domain/upcalls.h"
#include "memory/light.h"

int pci_assign_all(struct domain *d)
{
    uint64_t pin_pages =
        (d->space->layout.ram_pages + PIN_PAGE_GFNS - 1) / PIN_PAGE_GFNS;

    d->devices = pool_alloc(DEVICE_OWNER_BYTES(pin_pages));
    if (!d->devices)
        return -ENOMEM;
    d->devices->pin_pages = pin_pages;
    SPIN_GUARD(&device_lock);
    FOR_EACH_DEVICE(dev)
    {
        reset_quiesce(dev); /* Whatever the firmware used it for. */
        dev->owner = d;
    }
    return 0;
}

struct pci_device *pci_find(const struct domain *d, pci_sbdf_t sbdf)
{
    FOR_EACH_DEVICE(dev)
    if (dev->owner == d && dev->sbdf == sbdf)
        return dev;
    return NULL;
}

struct pci_device *pci_find_nth(const struct domain *d, uint32_t index)
{
    FOR_EACH_DEVICE(dev)
    if (dev->owner == d && index-- == 0)
        return dev;
    return NULL;
}

void upcall_devices_quiesce(struct domain *d)
{
    if (!d->devices)
        return;
    SPIN_GUARD(&device_lock);
    FOR_EACH_DEVICE(dev)
    if (dev->owner == d)
        reset_quiesce(dev);
}

/* One that cannot be reset has at least no more bus mastering. */
static bool take_away(struct pci_device *dev) __must_hold(device_lock)
{
    msix_unbind_all(dev);
    if (reset_step(dev) == -EAGAIN)
        return false;
    reset_quiesce(dev);
    dev->owner = NULL;
    for (unsigned int i = 0; i < PCI_BARS; i++)
        dev->bar[i].gfn = 0;
    return true;
}

bool upcall_devices_release(struct domain *d)
{
    bool done = true;

    if (!d->devices)
        return true;
    spin_lock(&device_lock);
    FOR_EACH_DEVICE(dev)
    if (dev->owner == d && !take_away(dev))
        done = false;
    spin_unlock(&device_lock);
    return done && dma_end(d);
}
