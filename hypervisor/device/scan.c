/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding all functions: on bus 0 and on those after it up to the last one that
 * a bridge leads to; the firmware has numbered them.
 */

#include "device/pci.h"
#include "memory/frame.h"

#define FUNCTIONS_A_DEV   8U
#define NO_FUNCTION       0xffffU
#define CLASS_BRIDGE      0x06U
#define HEADER_PCI_BRIDGE 1U

#define BAR_IO          0x1U
#define BAR_MEMORY_MASK 0xfffffff0U
#define BAR_TYPE_MASK   0x6U
#define BAR_TYPE_64     0x4U

/* PCI Express: capabilities of the device, and the bit that says "can". */
#define EXPRESS_DEVICE_CAPS 4
#define EXPRESS_CAN_RESET   (1U << 28)

struct spinlock device_lock = SPINLOCK_INIT(LOCK_device);
struct pci_device *pci_devices;

/* Where the next function found belongs, and the last bus there is. */
static struct pci_device **next_device = &pci_devices;
static uint32_t last_bus;

/* What sticks of all ones; the function must not be decoding. */
static uint32_t probe(pci_sbdf_t sbdf, unsigned int bar)
    __must_hold(device_lock)
{
    uint32_t old = config_read(sbdf, PCI_BAR(bar), 4), mask;

    config_write(sbdf, PCI_BAR(bar), 4, ~0U);
    mask = config_read(sbdf, PCI_BAR(bar), 4);
    config_write(sbdf, PCI_BAR(bar), 4, old);
    return mask;
}

/* Returns how many registers the BAR takes. */
static unsigned int scan_bar(struct pci_device *dev, unsigned int bar)
    __must_hold(device_lock)
{
    uint32_t low = config_read(dev->sbdf, PCI_BAR(bar), 4);
    bool wide = (low & BAR_TYPE_MASK) == BAR_TYPE_64 && bar + 1 < PCI_BARS;
    uint64_t mask, start = low & BAR_MEMORY_MASK;

    if (low & BAR_IO)
        return 1;
    mask = (probe(dev->sbdf, bar) & BAR_MEMORY_MASK) | 0xffffffff00000000ULL;
    if (wide) {
        start |= (uint64_t)config_read(dev->sbdf, PCI_BAR(bar + 1), 4) << 32;
        mask = (mask & 0xffffffffU) | (uint64_t)probe(dev->sbdf, bar + 1) << 32;
    }
    if ((mask & BAR_MEMORY_MASK) && start) {
        dev->bar[bar].start = start;
        dev->bar[bar].bytes = ~mask + 1;
    }
    return wide ? 2 : 1;
}

/* Sizes are asked for with decoding off: the answers look like addresses. */
static void scan_bars(struct pci_device *dev) __must_hold(device_lock)
{
    uint32_t command = config_read(dev->sbdf, PCI_COMMAND, 2);
    unsigned int bar = 0;

    config_write(dev->sbdf, PCI_COMMAND, 2,
                 command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    while (bar < PCI_BARS)
        bar += scan_bar(dev, bar);
    config_write(dev->sbdf, PCI_COMMAND, 2, command);
}

static void add(pci_sbdf_t sbdf, uint32_t class_code) __must_hold(device_lock)
{
    struct pci_device *dev = pool_alloc(sizeof(*dev));
    uint8_t cap = config_find_capability(sbdf, PCI_CAP_EXPRESS);

    if (!dev)
        panic("no memory for the record of a PCI function");
    dev->sbdf = sbdf;
    dev->vendor = (uint16_t)config_read(sbdf, PCI_VENDOR, 2);
    dev->device = (uint16_t)config_read(sbdf, PCI_DEVICE, 2);
    dev->class_code = class_code;
    scan_bars(dev);
    if (cap &&
        config_read(sbdf, cap + EXPRESS_DEVICE_CAPS, 4) & EXPRESS_CAN_RESET)
        dev->reset_cap = cap;
    msix_scan(dev);
    *next_device = dev; /* They are found in ascending order. */
    next_device = &dev->next;
    log_debug("pci %02x:%02x.%u %04x:%04x class %06x", sbdf >> 8,
              sbdf >> 3 & 0x1fU, sbdf & 7U, dev->vendor, dev->device,
              class_code);
}

/* False: there is none at @sbdf. */
static bool scan_function(pci_sbdf_t sbdf) __must_hold(device_lock)
{
    uint32_t class_code, kind, bus;

    if (config_read(sbdf, PCI_VENDOR, 2) == NO_FUNCTION)
        return false;
    class_code = config_read(sbdf, PCI_REVISION, 4) >> 8;
    kind = config_read(sbdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_KIND;
    if (kind == HEADER_PCI_BRIDGE) {
        bus = config_read(sbdf, PCI_SECONDARY_BUS, 1);
        last_bus = bus > last_bus ? bus : last_bus;
    } else if (kind == 0 && class_code >> 16 != CLASS_BRIDGE) {
        add(sbdf, class_code);
    }
    return true;
}

/* Only some devices have more functions than the first. */
void pci_init(void)
{
    pci_sbdf_t sbdf = 0;

    SPIN_GUARD(&device_lock);
    while (sbdf >> 8 <= last_bus) {
        bool more = sbdf % FUNCTIONS_A_DEV ||
                    config_read(sbdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI;

        more &= scan_function(sbdf) || sbdf % FUNCTIONS_A_DEV;
        sbdf += more ? 1 : FUNCTIONS_A_DEV;
    }
}
