/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X tables, and the vectors of this machine's device interrupts. */

#include "arch/x86_64/apic.h"
#include "arch/x86_64/upcalls.h"
#include "device/pci.h"
#include "event/evtchn.h"
#include "event/upcalls.h"
#include "memory/frame.h"

/* The capability: control at 2, table at 4, pending bits at 8. */
#define CAP_CONTROL 2
#define CAP_TABLE   4
#define CAP_PENDING 8

#define CONTROL_COUNT_MASK 0x07ffU
#define CONTROL_MASK_ALL   0x4000U
#define CONTROL_ENABLE     0x8000U

#define WHERE_BAR_MASK 0x7U

/* An entry is four words: address low and high, data, control. */
#define ENTRY_WORDS   4U
#define ENTRY_BYTES   16U
#define ENTRY_CONTROL 3U
#define ENTRY_MASKED  1U

/*
 * A storm: so many interrupts in a row, within a millisecond, each of which
 * found the one before unseen.  The entry then rests.
 */
#define STORM_COUNT   64U
#define STORM_NS      1000000ULL
#define STORM_REST_NS 10000000ULL

/* One a vector, (v); dev NULL: the vector is free. */
static struct irq {
    struct timer rest;
    struct pci_device *dev;
    uint64_t unseen_since; /* system time */
    uint32_t unseen;       /* interrupts since then, none looked at */
    uint32_t entry;
    uint32_t port;
    bool resting, reported;
} irqs[VECTOR_DEVICE_LAST + 1];

static struct pci_msix_area scan_area(const struct pci_device *dev, uint32_t at,
                                      uint32_t bytes) __must_hold(device_lock)
{
    uint32_t where = config_read(dev->sbdf, dev->msix.cap + at, 4);

    return (struct pci_msix_area){where & WHERE_BAR_MASK,
                                  where & ~WHERE_BAR_MASK, bytes};
}

void msix_scan(struct pci_device *dev)
{
    struct pci_msix *m = &dev->msix;

    m->cap = config_find_capability(dev->sbdf, PCI_CAP_MSIX);
    if (!m->cap)
        return;
    m->count = 1 + (config_read(dev->sbdf, m->cap + CAP_CONTROL, 2) &
                    CONTROL_COUNT_MASK);
    m->table = scan_area(dev, CAP_TABLE, m->count * ENTRY_BYTES);
    m->pending = scan_area(dev, CAP_PENDING, (m->count + 63U) / 64 * 8);

    if (m->table.bar >= PCI_BARS || (uint64_t)m->table.offset + m->table.bytes >
                                        dev->bar[m->table.bar].bytes)
        m->cap = 0; /* It lies about where its table is: not used. */
}

static bool meets_page(const struct pci_msix_area *a, unsigned int bar,
                       uint64_t page)
{
    return a->bar == bar && a->offset < (page + 1) * PAGE_SIZE &&
           (uint64_t)a->offset + a->bytes > page * PAGE_SIZE;
}

bool msix_owns_page(const struct pci_device *dev, unsigned int bar,
                    uint64_t page)
{
    return dev->msix.count && (meets_page(&dev->msix.table, bar, page) ||
                               meets_page(&dev->msix.pending, bar, page));
}

static volatile uint32_t *entry_at(struct pci_device *dev, uint32_t entry)
{
    return dev->msix.entries + (uint64_t)entry * ENTRY_WORDS;
}

static void mask(struct pci_device *dev, uint32_t entry, bool masked)
{
    entry_at(dev, entry)[ENTRY_CONTROL] = masked ? ENTRY_MASKED : 0;
}

static void write_control(struct pci_device *dev, uint32_t bits)
    __must_hold(device_lock)
{
    config_write(dev->sbdf, dev->msix.cap + CAP_CONTROL, 2, bits);
}

static uint8_t vector_of(const struct irq *irq)
{
    return (uint8_t)(irq - irqs);
}

static void write_entry(const struct irq *irq)
{
    volatile uint32_t *e = entry_at(irq->dev, irq->entry);
    uint64_t address;
    uint32_t data;

    msi_compose(this_cpu(cpu_id), vector_of(irq), &address, &data);
    mask(irq->dev, irq->entry, true);
    e[0] = (uint32_t)address;
    e[1] = (uint32_t)(address >> 32);
    e[2] = data;
    mask(irq->dev, irq->entry, irq->resting);
}

#define FOR_EACH_IRQ(irq, dev_)                                                \
    for (struct irq *irq = &irqs[VECTOR_DEVICE_FIRST];                         \
         irq <= &irqs[VECTOR_DEVICE_LAST]; irq++)                              \
        if (irq->dev == (dev_))

void msix_restore(struct pci_device *dev)
{
    if (!dev->msix.enabled)
        return;
    write_control(dev, CONTROL_ENABLE | CONTROL_MASK_ALL);
    for (uint32_t i = 0; i < dev->msix.count; i++)
        mask(dev, i, true);
    FOR_EACH_IRQ(irq, dev)
    write_entry(irq);
    write_control(dev, CONTROL_ENABLE);
}

/* Map the table and switch MSI-X on with every entry masked. */
static int enable(struct pci_device *dev) __must_hold(device_lock)
{
    struct pci_msix *m = &dev->msix;

    if (m->enabled)
        return 0;
    if (!m->entries)
        m->entries = device_map(dev->bar[m->table.bar].start + m->table.offset,
                                m->table.bytes);
    if (!m->entries)
        return -ENOSPC;
    m->enabled = true;
    msix_restore(dev);
    return 0;
}

/* The rest is over; what came meanwhile waits in the pending bits. */
static void rested(struct timer *t)
{
    struct irq *irq = container_of(t, struct irq, rest);

    SPIN_GUARD(&device_lock);
    irq->resting = false;
    irq->unseen = 0;
    if (irq->dev)
        mask(irq->dev, irq->entry, false);
}

/* A free one for @entry of @dev.  -EBUSY: it has one; -ENOSPC: none is free. */
static int find_irq(const struct pci_device *dev, uint32_t entry,
                    struct irq **found)
{
    *found = NULL;
    FOR_EACH_IRQ(irq, NULL)
    if (!*found && vector_of(irq) != VECTOR_INT80)
        *found = irq;
    FOR_EACH_IRQ(irq, dev)
    if (irq->entry == entry)
        return -EBUSY;
    return *found ? 0 : -ENOSPC;
}

int msix_bind(struct pci_device *dev, uint32_t entry, uint32_t *port)
{
    struct irq *irq;
    int rc;

    if (!dev->msix.cap || entry >= dev->msix.count)
        return -EINVAL;
    rc = dev->reset_until ? -EBUSY : find_irq(dev, entry, &irq);
    if (rc == 0)
        rc = enable(dev);
    if (rc == 0)
        rc = evtchn_bind(dev->owner, EVTCHN_PIRQ, vector_of(irq), 0, port);
    if (rc)
        return rc;

    *irq = (struct irq){.dev = dev, .entry = entry, .port = *port};
    timer_init(&irq->rest, rested);
    write_entry(irq);
    return 0;
}

static void unbind(struct irq *irq)
{
    mask(irq->dev, irq->entry, true);
    timer_cancel(&irq->rest);
    irq->dev = NULL;
}

void msix_unbind_all(struct pci_device *dev)
{
    FOR_EACH_IRQ(irq, dev)
    unbind(irq);
    if (dev->msix.enabled)
        write_control(dev, 0);
    dev->msix.enabled = false;
}

void upcall_pirq_closed(struct domain *d, uint32_t pirq, uint32_t port)
{
    struct irq *irq = &irqs[pirq];

    SPIN_GUARD(&device_lock);
    /* The vector may be another's by now: a device may go before its ports. */
    if (irq->dev && irq->dev->owner == d && irq->port == port)
        unbind(irq);
}

/* Whether this interrupt is one too many; @unseen: the last one still waits. */
static bool is_storm(struct irq *irq, bool unseen)
{
    uint64_t now = time_now();

    if (!unseen || now - irq->unseen_since > STORM_NS) {
        irq->unseen = 0;
        irq->unseen_since = now;
    }
    return ++irq->unseen > STORM_COUNT;
}

static void calm(struct irq *irq)
{
    irq->resting = true;
    mask(irq->dev, irq->entry, true);
    timer_set(&irq->rest, time_now() + STORM_REST_NS);
    if (!irq->reported)
        log_warning("pci %04x entry %u: interrupt storm, throttled",
                    irq->dev->sbdf, irq->entry);
    irq->reported = true;
}

void upcall_device_interrupt(uint8_t vector)
{
    struct irq *irq = &irqs[vector];

    SPIN_GUARD(&device_lock);
    if (irq->dev && !irq->resting &&
        is_storm(irq, evtchn_raise_pirq(irq->dev->owner, irq->port)))
        calm(irq);
}
