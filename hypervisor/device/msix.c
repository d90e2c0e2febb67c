/* SPDX-License-Identifier: BSD-2-Clause */
/* MSI-X tables, and the vectors of this machine's device interrupts. */

#include "device/msix.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/percpu.h"
#include "arch/x86_64/upcalls.h"
#include "arch/x86_64/vectors.h"
#include "core/log.h"
#include "core/time.h"
#include "core/timer.h"
#include "device/config_space.h"
#include "domain/domain.h"
#include "event/evtchn.h"
#include "event/upcalls.h"
#include "lib/bitops.h"
#include "lib/errno.h"
#include "lib/frame_number.h"
#include "memory/direct_map.h"

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
    struct domain *d;
    uint64_t unseen_since; /* system time */
    uint32_t unseen;       /* interrupts since then, none looked at */
    uint32_t entry;
    uint32_t port;
    bool resting, reported;
} irqs[VECTOR_DEVICE_LAST + 1];

static uint64_t table_bytes(const struct pci_msix *m)
{
    return (uint64_t)m->count * ENTRY_BYTES;
}

static uint64_t pending_bytes(const struct pci_msix *m)
{
    return (uint64_t)(m->count + 63) / 64 * 8;
}

void msix_scan(struct pci_device *dev)
{
    struct pci_msix *m = &dev->msix;
    uint32_t where;

    m->cap = config_find_capability(dev->sbdf, PCI_CAP_MSIX);
    if (!m->cap)
        return;
    m->count = (uint16_t)((config_read(dev->sbdf, m->cap + CAP_CONTROL, 2) &
                           CONTROL_COUNT_MASK) +
                          1);
    where = config_read(dev->sbdf, m->cap + CAP_TABLE, 4);
    m->table_bar = where & WHERE_BAR_MASK;
    m->table_offset = where & ~WHERE_BAR_MASK;
    where = config_read(dev->sbdf, m->cap + CAP_PENDING, 4);
    m->pending_bar = where & WHERE_BAR_MASK;
    m->pending_offset = where & ~WHERE_BAR_MASK;

    if (m->table_bar >= PCI_BARS ||
        m->table_offset + table_bytes(m) > dev->bar[m->table_bar].bytes)
        m->cap = 0; /* It lies about where its table is: not used. */
}

static bool meets_page(uint64_t offset, uint64_t bytes, uint64_t page)
{
    return offset < (page + 1) * PAGE_SIZE && offset + bytes > page * PAGE_SIZE;
}

bool msix_owns_page(const struct pci_device *dev, unsigned int bar,
                    uint64_t page)
{
    const struct pci_msix *m = &dev->msix;

    if (!m->count)
        return false;
    return (bar == m->table_bar &&
            meets_page(m->table_offset, table_bytes(m), page)) ||
           (bar == m->pending_bar &&
            meets_page(m->pending_offset, pending_bytes(m), page));
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

/* Map the table and switch MSI-X on with every entry masked. */
static int enable(struct pci_device *dev) __must_hold(device_lock)
{
    struct pci_msix *m = &dev->msix;
    uint64_t start = dev->bar[m->table_bar].start + m->table_offset;

    if (m->enabled)
        return 0;
    if (!m->entries)
        m->entries = device_map(start, table_bytes(m));
    if (!m->entries)
        return -ENOSPC;
    m->enabled = true;
    write_control(dev, CONTROL_ENABLE | CONTROL_MASK_ALL);
    for (uint32_t i = 0; i < m->count; i++)
        mask(dev, i, true);
    write_control(dev, CONTROL_ENABLE);
    return 0;
}

static void write_entry(const struct irq *irq, uint8_t vector)
{
    volatile uint32_t *e = entry_at(irq->dev, irq->entry);
    uint64_t address;
    uint32_t data;

    msi_compose(this_cpu(cpu_id), vector, &address, &data);
    mask(irq->dev, irq->entry, true);
    e[0] = (uint32_t)address;
    e[1] = (uint32_t)(address >> 32);
    e[2] = data;
    mask(irq->dev, irq->entry, irq->resting);
}

static uint8_t vector_of(const struct irq *irq)
{
    return (uint8_t)(irq - irqs);
}

/* The rest is over; what came meanwhile waits in the pending bits. */
static void rested(struct timer *t)
{
    struct irq *irq = container_of(t, struct irq, rest);

    spin_lock(&device_lock);
    irq->resting = false;
    irq->unseen = 0;
    if (irq->dev)
        mask(irq->dev, irq->entry, false);
    spin_unlock(&device_lock);
}

static bool is_bound(const struct pci_device *dev, uint32_t entry)
{
    for (uint32_t v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (irqs[v].dev == dev && irqs[v].entry == entry)
            return true;
    return false;
}

static struct irq *free_irq(void)
{
    for (uint32_t v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (v != VECTOR_INT80 && !irqs[v].dev)
            return &irqs[v];
    return NULL;
}

int msix_bind(struct domain *d, struct pci_device *dev, uint32_t entry,
              uint32_t *port)
{
    struct irq *irq;
    int rc;

    if (!dev->msix.cap || entry >= dev->msix.count)
        return -EINVAL;
    if (dev->in_reset || is_bound(dev, entry))
        return -EBUSY;
    irq = free_irq();
    if (!irq)
        return -ENOSPC;
    rc = enable(dev);
    if (rc)
        return rc;
    rc = evtchn_bind_pirq(d, vector_of(irq), port);
    if (rc)
        return rc;

    timer_init(&irq->rest, rested);
    irq->dev = dev;
    irq->d = d;
    irq->entry = entry;
    irq->port = *port;
    irq->unseen = 0;
    irq->resting = irq->reported = false;
    write_entry(irq, vector_of(irq));
    return 0;
}

static void unbind(struct irq *irq)
{
    mask(irq->dev, irq->entry, true);
    timer_cancel(&irq->rest);
    irq->dev = NULL;
    irq->d = NULL;
}

void msix_unbind_all(struct pci_device *dev)
{
    for (uint32_t v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (irqs[v].dev == dev)
            unbind(&irqs[v]);
    if (dev->msix.enabled)
        write_control(dev, 0);
    dev->msix.enabled = false;
}

void msix_restore(struct pci_device *dev)
{
    if (!dev->msix.enabled)
        return;
    write_control(dev, CONTROL_ENABLE | CONTROL_MASK_ALL);
    for (uint32_t i = 0; i < dev->msix.count; i++)
        mask(dev, i, true);
    for (uint32_t v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (irqs[v].dev == dev)
            write_entry(&irqs[v], (uint8_t)v);
    write_control(dev, CONTROL_ENABLE);
}

void upcall_pirq_closed(struct domain *d, uint32_t pirq, uint32_t port)
{
    struct irq *irq = &irqs[pirq];

    spin_lock(&device_lock);
    /* The vector may be another's by now: a device may go before its ports. */
    if (irq->dev && irq->d == d && irq->port == port)
        unbind(irq);
    spin_unlock(&device_lock);
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

    spin_lock(&device_lock);
    if (irq->dev && !irq->resting) {
        if (is_storm(irq, evtchn_raise_pirq(irq->d, irq->port)))
            calm(irq);
    }
    spin_unlock(&device_lock);
}
