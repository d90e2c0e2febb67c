/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the owner of a function may do in its configuration space: read all of
 * it, and write what the table below names.
 *
 * Everything else is refused, for three kinds of reason.  BARs, and the
 * decoding of memory, because the pages are mapped where they are now.  MSI and
 * MSI-X, because address and data of a message are a write to any address.  And
 * capabilities in general, because each has its own way to reach one of these:
 * power states and resets lose the BARs, and virtio's configuration window
 * reaches the MSI-X table through the function itself.
 */

#include "device/pci.h"

/* Bits of the command register that the owner sets and clears. */
#define COMMAND_OWNERS                                                         \
    (PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR |              \
     PCI_COMMAND_INTX_DISABLE)

static int check(const struct device_config *op)
{
    bool good = (op->size == 1 || op->size == 2 || op->size == 4) &&
                op->offset % op->size == 0 && op->offset < PCI_CONFIG_BYTES;

    return good ? 0 : -EINVAL;
}

int config_owner_read(const struct pci_device *dev, struct device_config *op)
{
    int rc = check(op);

    if (rc == 0)
        op->value = config_read(dev->sbdf, op->offset, op->size);
    return rc;
}

/* A dword at the command would take the status, whose ones clear bits. */
static const struct {
    uint8_t offset, size;
} writable[] = {{PCI_STATUS, 2},
                {PCI_CACHE_LINE, 1},
                {PCI_LATENCY, 1},
                {PCI_INTERRUPT_LINE, 1}};

static bool may_write(const struct pci_device *dev,
                      const struct device_config *op) __must_hold(device_lock)
{
    uint32_t changed;

    /* Decoding must stay as it is; but saying so again is no change. */
    if (op->offset == PCI_COMMAND && op->size == 2) {
        changed = config_read(dev->sbdf, PCI_COMMAND, 2) ^ (uint16_t)op->value;
        return !(changed & ~COMMAND_OWNERS);
    }
    for (unsigned int i = 0; i < ARRAY_SIZE(writable); i++)
        if (writable[i].offset == op->offset && writable[i].size == op->size)
            return true;
    return false;
}

/* A function that is being reset answers when that is over. */
int config_owner_write(const struct pci_device *dev,
                       const struct device_config *op)
{
    int rc = check(op);

    if (rc)
        return rc;
    if (dev->reset_until)
        return -EBUSY;
    if (!may_write(dev, op))
        return -EACCES;
    config_write(dev->sbdf, op->offset, op->size, op->value);
    return 0;
}
