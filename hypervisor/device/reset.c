/* SPDX-License-Identifier: BSD-2-Clause */
/* Resetting a function, where it can be reset by itself. */

#include "core/time.h"
#include "device/pci.h"

/* What the standard gives a function (PCI Express 3.0, 6.6.2). */
#define RESET_NS 100000000ULL

#define EXPRESS_CONTROL 8
#define EXPRESS_RESET   0x8000U

void reset_quiesce(struct pci_device *dev)
{
    uint32_t command = config_read(dev->sbdf, PCI_COMMAND, 2);

    config_write(dev->sbdf, PCI_COMMAND, 2, command & ~PCI_COMMAND_MASTER);
}

static void begin(struct pci_device *dev) __must_hold(device_lock)
{
    uint32_t at = dev->reset_cap + EXPRESS_CONTROL;

    reset_quiesce(dev);
    dev->command_before_reset = config_read(dev->sbdf, PCI_COMMAND, 2);
    config_write(dev->sbdf, at, 2,
                 config_read(dev->sbdf, at, 2) | EXPRESS_RESET);
    dev->reset_until = time_now() + RESET_NS;
}

/* Back to where the firmware had put it. */
static void restore_bars(struct pci_device *dev) __must_hold(device_lock)
{
    for (unsigned int i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &dev->bar[i];

        if (bar->bytes)
            config_write(dev->sbdf, PCI_BAR(i), 4, (uint32_t)bar->start);
        if (bar->start >> 32)
            config_write(dev->sbdf, PCI_BAR(i + 1), 4,
                         (uint32_t)(bar->start >> 32));
    }
}

int reset_step(struct pci_device *dev)
{
    if (!dev->reset_cap)
        return -ENODEV;
    if (!dev->reset_until)
        begin(dev);
    if (time_now() < dev->reset_until)
        return -EAGAIN;

    restore_bars(dev);
    config_write(dev->sbdf, PCI_COMMAND, 2, dev->command_before_reset);
    dev->reset_until = 0;
    msix_restore(dev);
    return 0;
}
