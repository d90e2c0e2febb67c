/* SPDX-License-Identifier: BSD-2-Clause */
/* Resetting a function, where it can be reset by itself. */

#include "device/reset.h"

#include "core/time.h"
#include "device/config_space.h"
#include "device/msix.h"
#include "lib/errno.h"

/* What the standard gives a function (PCI Express 3.0, 6.6.2). */
#define RESET_NS 100000000ULL

#define EXPRESS_CONTROL  8
#define EXPRESS_RESET    0x8000U
#define ADVANCED_CONTROL 4
#define ADVANCED_RESET   0x01U

static void set_command(struct pci_device *dev, uint32_t command)
    __must_hold(device_lock)
{
    config_write(dev->sbdf, PCI_COMMAND, 2, command);
}

void reset_quiesce(struct pci_device *dev)
{
    uint32_t command = config_read(dev->sbdf, PCI_COMMAND, 2);

    set_command(dev, command & ~PCI_COMMAND_MASTER);
}

static void begin(struct pci_device *dev) __must_hold(device_lock)
{
    uint32_t control;

    reset_quiesce(dev);
    dev->command_before_reset =
        (uint16_t)config_read(dev->sbdf, PCI_COMMAND, 2);
    if (dev->reset_kind == PCI_RESET_EXPRESS) {
        control = config_read(dev->sbdf, dev->reset_cap + EXPRESS_CONTROL, 2);
        config_write(dev->sbdf, dev->reset_cap + EXPRESS_CONTROL, 2,
                     control | EXPRESS_RESET);
    } else {
        config_write(dev->sbdf, dev->reset_cap + ADVANCED_CONTROL, 1,
                     ADVANCED_RESET);
    }
    dev->in_reset = true;
    dev->reset_until = time_now() + RESET_NS;
}

/* Back to where the firmware had put it. */
static void restore_bars(struct pci_device *dev) __must_hold(device_lock)
{
    for (unsigned int i = 0; i < PCI_BARS; i++) {
        const struct pci_bar *bar = &dev->bar[i];

        if (!bar->bytes)
            continue;
        config_write(dev->sbdf, PCI_BAR0 + i * 4, 4, (uint32_t)bar->start);
        if (bar->start >> 32)
            config_write(dev->sbdf, PCI_BAR0 + (i + 1) * 4, 4,
                         (uint32_t)(bar->start >> 32));
    }
}

int reset_step(struct pci_device *dev)
{
    if (dev->reset_kind == PCI_RESET_NONE)
        return -ENODEV;
    if (!dev->in_reset) {
        begin(dev);
        return -EAGAIN;
    }
    if (time_now() < dev->reset_until)
        return -EAGAIN;

    restore_bars(dev);
    set_command(dev, dev->command_before_reset);
    dev->in_reset = false;
    msix_restore(dev);
    return 0;
}
