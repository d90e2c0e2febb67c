/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which function, and what happens to it when the owner ends. */

#include "device/msix.h"
#include "device/owner.h"
#include "device/reset.h"
#include "domain/domain.h"
#include "domain/upcalls.h"
#include "lib/errno.h"

#define FOR_EACH_DEVICE(dev)                                                   \
    for (struct pci_device *dev =                                              \
             list_first(&pci_devices, struct pci_device, all);                 \
         &dev->all != &pci_devices;                                            \
         dev = list_first(&dev->all, struct pci_device, all))

int pci_assign_all(struct domain *d)
{
    int rc = owner_create(d);

    if (rc)
        return rc;
    spin_lock(&device_lock);
    FOR_EACH_DEVICE(dev)
    {
        reset_quiesce(dev); /* Whatever the firmware used it for. */
        dev->owner = d;
    }
    spin_unlock(&device_lock);
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
    spin_lock(&device_lock);
    FOR_EACH_DEVICE(dev)
    if (dev->owner == d)
        reset_quiesce(dev);
    spin_unlock(&device_lock);
}

static void disown(struct pci_device *dev) __must_hold(device_lock)
{
    reset_quiesce(dev);
    dev->owner = NULL;
    for (unsigned int i = 0; i < PCI_BARS; i++)
        dev->bar[i].gfn = 0;
}

/* One that cannot be reset has at least no more bus mastering. */
static bool release_devices(struct domain *d) __must_hold(device_lock)
{
    bool done = true;

    FOR_EACH_DEVICE(dev)
    {
        if (dev->owner != d)
            continue;
        msix_unbind_all(dev);
        if (reset_step(dev) == -EAGAIN)
            done = false;
        else
            disown(dev);
    }
    return done;
}

bool upcall_devices_release(struct domain *d)
{
    bool done;

    if (!d->devices)
        return true;
    spin_lock(&device_lock);
    done = release_devices(d);
    spin_unlock(&device_lock);

    if (!done || !dma_unpin_all(d))
        return false;
    owner_free(d);
    return true;
}
