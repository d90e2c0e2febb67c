/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding all functions: from bus 0 through the bridges, whose buses the
 * firmware numbered.
 */

#include "core/log.h"
#include "core/panic.h"
#include "device/config_space.h"
#include "device/msix.h"
#include "lib/string.h"
#include "memory/pool.h"

#define BUSES             256U
#define DEVICES_A_BUS     32U
#define FUNCTIONS_A_BUS   (DEVICES_A_BUS * 8U)
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
#define ADVANCED_CAPS       3
#define ADVANCED_CAN_RESET  (1U << 1)

struct spinlock device_lock = SPINLOCK_INIT(LOCK_device);
struct list pci_devices = {&pci_devices, &pci_devices};

/* Buses found and not scanned yet, a bit each. */
static uint64_t buses_to_scan[BUSES / 64];

static uint32_t bar_offset(unsigned int bar)
{
    return PCI_BAR0 + bar * 4;
}

/* What sticks of all ones; the function must not be decoding. */
static uint32_t probe(pci_sbdf_t sbdf, unsigned int bar)
    __must_hold(device_lock)
{
    uint32_t old = config_read(sbdf, bar_offset(bar), 4), mask;

    config_write(sbdf, bar_offset(bar), 4, ~0U);
    mask = config_read(sbdf, bar_offset(bar), 4);
    config_write(sbdf, bar_offset(bar), 4, old);
    return mask;
}

/* Returns how many registers the BAR takes. */
static unsigned int scan_bar(struct pci_device *dev, unsigned int bar)
    __must_hold(device_lock)
{
    uint32_t low = config_read(dev->sbdf, bar_offset(bar), 4);
    bool wide = (low & BAR_TYPE_MASK) == BAR_TYPE_64 && bar + 1 < PCI_BARS;
    uint64_t mask, start = low & BAR_MEMORY_MASK;

    if (low & BAR_IO)
        return 1;
    mask = (probe(dev->sbdf, bar) & BAR_MEMORY_MASK) | 0xffffffff00000000ULL;
    if (wide) {
        start |= (uint64_t)config_read(dev->sbdf, bar_offset(bar + 1), 4) << 32;
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

static void scan_reset(struct pci_device *dev) __must_hold(device_lock)
{
    uint8_t cap = config_find_capability(dev->sbdf, PCI_CAP_EXPRESS);

    if (cap && config_read(dev->sbdf, cap + EXPRESS_DEVICE_CAPS, 4) &
                   EXPRESS_CAN_RESET) {
        dev->reset_kind = PCI_RESET_EXPRESS;
        dev->reset_cap = cap;
        return;
    }
    cap = config_find_capability(dev->sbdf, PCI_CAP_ADVANCED);
    if (cap &&
        config_read(dev->sbdf, cap + ADVANCED_CAPS, 1) & ADVANCED_CAN_RESET) {
        dev->reset_kind = PCI_RESET_ADVANCED;
        dev->reset_cap = cap;
    }
}

/* In ascending order: buses are found out of order. */
static void insert(struct pci_device *dev)
{
    struct list *before = &pci_devices;

    list_for_each(at, &pci_devices)
    {
        if (container_of(at, struct pci_device, all)->sbdf > dev->sbdf) {
            before = at;
            break;
        }
    }
    list_add_tail(before, &dev->all);
}

static void add(pci_sbdf_t sbdf, uint32_t class_code) __must_hold(device_lock)
{
    struct pci_device *dev = pool_alloc(sizeof(*dev));

    if (!dev)
        panic("no memory for the record of a PCI function");
    dev->sbdf = sbdf;
    dev->vendor = (uint16_t)config_read(sbdf, PCI_VENDOR, 2);
    dev->device = (uint16_t)config_read(sbdf, PCI_DEVICE, 2);
    dev->class_code = class_code;
    scan_bars(dev);
    scan_reset(dev);
    msix_scan(dev);
    insert(dev);
    log_debug("pci %02x:%02x.%u %04x:%04x class %06x", sbdf >> 8,
              sbdf >> 3 & 0x1fU, sbdf & 7U, dev->vendor, dev->device,
              class_code);
}

static void scan_bridge(pci_sbdf_t sbdf) __must_hold(device_lock)
{
    uint32_t bus = config_read(sbdf, PCI_SECONDARY_BUS, 1);

    if (bus > sbdf >> 8)
        buses_to_scan[bus / 64] |= 1ULL << (bus % 64);
}

/* False: there is none at @sbdf. */
static bool scan_function(pci_sbdf_t sbdf) __must_hold(device_lock)
{
    uint32_t class_code, kind;

    if (config_read(sbdf, PCI_VENDOR, 2) == NO_FUNCTION)
        return false;
    class_code = config_read(sbdf, PCI_REVISION, 4) >> 8;
    kind = config_read(sbdf, PCI_HEADER_TYPE, 1) & PCI_HEADER_KIND;
    if (kind == HEADER_PCI_BRIDGE)
        scan_bridge(sbdf);
    else if (kind == 0 && class_code >> 16 != CLASS_BRIDGE)
        add(sbdf, class_code);
    return true;
}

static void scan_bus(uint32_t bus) __must_hold(device_lock)
{
    for (uint32_t n = 0; n < FUNCTIONS_A_BUS; n += FUNCTIONS_A_DEV) {
        pci_sbdf_t first = bus << 8 | n;

        if (!scan_function(first) ||
            !(config_read(first, PCI_HEADER_TYPE, 1) & PCI_HEADER_MULTI))
            continue;
        for (uint32_t i = 1; i < FUNCTIONS_A_DEV; i++)
            (void)scan_function(first + i);
    }
}

void pci_init(void)
{
    spin_lock(&device_lock);
    buses_to_scan[0] = 1;
    for (uint32_t bus = 0; bus < BUSES; bus++)
        if (buses_to_scan[bus / 64] >> (bus % 64) & 1)
            scan_bus(bus);
    spin_unlock(&device_lock);
}
