/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI-X: a table in memory, vectors, and the ports behind them.
 *
 * The attack of the last tests: a device, or a domain that never looks, that
 * keeps the processor busy with interrupts for ever.
 */

/* LINK: hypervisor/device/msix.c */

#include "device/pci.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/upcalls.h"
#include "core/time.h"
#include "domain/domain.h"
#include "event/evtchn.h"
#include "event/upcalls.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/frame.h"
#include "unit/test.h"

#define ENTRIES 4U
#define MASKED  1U

unsigned int percpu_cpu_id;
struct spinlock device_lock;

static struct domain owner;
static struct shared_info shared;
static struct pci_device dev;
static uint32_t table[256][4];
static uint16_t control;
static uint64_t now;
static uint32_t next_port, raised, reports;
static int bind_rc;

/* --- Doubles ---------------------------------------------------------------
 */

uint32_t config_read(pci_sbdf_t sbdf, uint32_t offset, uint32_t size)
{
    (void)sbdf, (void)size;
    switch (offset) {
    case 0x42:
        return control | (ENTRIES - 1);
    case 0x44:
        return 0x1000 | 1; /* the table: BAR 1, second page */
    case 0x48:
        return 0x2800 | 1; /* pending bits: BAR 1, in the third */
    default:
        return 0;
    }
}

void config_write(pci_sbdf_t sbdf, uint32_t offset, uint32_t size,
                  uint32_t value)
{
    (void)sbdf;
    EXPECT_EQ(offset, 0x42);
    EXPECT_EQ(size, 2);
    control = (uint16_t)value;
}

uint8_t config_find_capability(pci_sbdf_t sbdf, uint8_t id)
{
    (void)sbdf;
    return id == PCI_CAP_MSIX ? 0x40 : 0;
}

volatile void *device_map(maddr_t maddr, uint64_t size)
{
    EXPECT_EQ(maddr, 0xfe001000);
    EXPECT_TRUE(size <= sizeof(table));
    return table;
}

void msi_compose(unsigned int cpu, uint8_t vector, uint64_t *address,
                 uint32_t *data)
{
    (void)cpu;
    *address = 0x1fee00000;
    *data = vector;
}

int evtchn_bind(struct domain *d, enum evtchn_state state, uint32_t detail,
                uint32_t vcpu, evtchn_port_t *port)
{
    (void)d, (void)detail, (void)vcpu;
    EXPECT_EQ(state, EVTCHN_PIRQ);
    *port = next_port++;
    return bind_rc;
}

bool evtchn_raise_pirq(struct domain *d, evtchn_port_t port)
{
    raised++;
    return bit_test_and_set(d->shared_info->evtchn_pending, port);
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    EXPECT_EQ(lock->next++, lock->serving);
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
}

void timer_init(struct timer *t, void (*expired)(struct timer *t))
{
    *t = (struct timer){.expired = expired};
}

static struct timer *armed;

void timer_set(struct timer *t, uint64_t deadline)
{
    t->node.key = deadline;
    t->armed = true;
    armed = t;
}

void timer_cancel(struct timer *t)
{
    t->armed = false;
}

uint64_t time_now(void)
{
    return now;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level, (void)fmt;
    reports++;
}

/* --- The tests -------------------------------------------------------------
 */

void setup(void)
{
    memset(&dev, 0, sizeof(dev));
    memset(&shared, 0, sizeof(shared));
    memset(table, 0xff, sizeof(table));
    owner.shared_info = &shared;
    dev.owner = &owner;
    dev.bar[1].start = 0xfe000000;
    dev.bar[1].bytes = 0x4000;
    control = 0;
    now = 1000000000;
    next_port = 5;
    raised = reports = 0;
    bind_rc = 0;
    armed = NULL;
    msix_scan(&dev);
}

void teardown(void)
{
    msix_unbind_all(&dev);
    EXPECT_EQ(device_lock.next, device_lock.serving);
}

static uint8_t vector_of(uint32_t entry)
{
    return (uint8_t)table[entry][2];
}

static bool is_masked(uint32_t entry)
{
    return table[entry][3] & MASKED;
}

static uint32_t bind(uint32_t entry)
{
    uint32_t port = 0;

    EXPECT_EQ(msix_bind(&dev, entry, &port), 0);
    return port;
}

static void look(uint32_t port)
{
    (void)bit_test_and_clear(shared.evtchn_pending, port);
}

TEST("the pages of the table and the pending bits are the hypervisor's")
{
    EXPECT_EQ(dev.msix.count, ENTRIES);
    EXPECT_FALSE(msix_owns_page(&dev, 1, 0));
    EXPECT_TRUE(msix_owns_page(&dev, 1, 1));
    EXPECT_TRUE(msix_owns_page(&dev, 1, 2));
    EXPECT_FALSE(msix_owns_page(&dev, 1, 3));
    EXPECT_FALSE(msix_owns_page(&dev, 0, 1));
}

TEST("a table that is said to be beyond its BAR is not used")
{
    uint32_t port;

    dev.bar[1].bytes = 0x1000;
    msix_scan(&dev);
    EXPECT_EQ(msix_bind(&dev, 0, &port), -EINVAL);
}

TEST("a bound entry has our address, a vector of a device, and is open")
{
    EXPECT_EQ(bind(2), 5);
    EXPECT_EQ(table[2][0], 0xfee00000);
    EXPECT_EQ(table[2][1], 1);
    EXPECT_TRUE(vector_of(2) >= VECTOR_DEVICE_FIRST);
    EXPECT_TRUE(vector_of(2) <= VECTOR_DEVICE_LAST);
    EXPECT_FALSE(is_masked(2));
    EXPECT_TRUE(is_masked(0));
    EXPECT_TRUE(is_masked(3));
    EXPECT_EQ(control, 0x8000);
}

TEST("an entry is bound once, and none beyond the table")
{
    uint32_t port;

    bind(0);
    EXPECT_EQ(msix_bind(&dev, 0, &port), -EBUSY);
    EXPECT_EQ(msix_bind(&dev, ENTRIES, &port), -EINVAL);
    EXPECT_EQ(msix_bind(&dev, ~0U, &port), -EINVAL);
}

TEST("a bind that finds no port leaves the entry masked and unbound")
{
    uint32_t port;

    bind_rc = -ENOSPC;
    EXPECT_EQ(msix_bind(&dev, 1, &port), -ENOSPC);
    EXPECT_TRUE(is_masked(1));
    bind_rc = 0;
    bind(1);
}

TEST("vectors run out with -ENOSPC, and the one of INT 0x80 is never used")
{
    struct pci_device many = dev;
    unsigned int bound = 0;
    uint32_t port;

    many.msix.count = 256;
    many.bar[1].bytes = 0x4000;
    while (bound < 256 && msix_bind(&many, bound, &port) == 0) {
        EXPECT_TRUE(vector_of(bound) != VECTOR_INT80);
        bound++;
    }
    EXPECT_EQ(bound, VECTOR_DEVICE_LAST - VECTOR_DEVICE_FIRST);
    EXPECT_EQ(msix_bind(&dev, 0, &port), -ENOSPC);
    msix_unbind_all(&many);
    EXPECT_EQ(control, 0);
    bind(0);
}

TEST("an interrupt makes the port pending, one of nobody does nothing")
{
    uint32_t port = bind(0);

    upcall_device_interrupt(vector_of(0));
    EXPECT_TRUE(bit_test(shared.evtchn_pending, port));
    upcall_device_interrupt(VECTOR_DEVICE_LAST);
    EXPECT_EQ(raised, 1);
}

TEST("closing the port masks the entry, and it can be bound again")
{
    uint32_t port = bind(0);

    upcall_pirq_closed(&owner, vector_of(0), port);
    EXPECT_TRUE(is_masked(0));
    upcall_device_interrupt(vector_of(0));
    EXPECT_EQ(raised, 0);
    bind(0);
}

TEST("a close that comes after the vector has another owner changes nothing")
{
    struct domain other = {.domid = 9};
    uint32_t port = bind(0);

    upcall_pirq_closed(&other, vector_of(0), port);
    EXPECT_FALSE(is_masked(0));
    upcall_pirq_closed(&owner, vector_of(0), port + 1);
    EXPECT_FALSE(is_masked(0));
}

TEST("a reset is followed by the same table again")
{
    uint8_t vector;

    bind(1);
    vector = vector_of(1);
    memset(table, 0, sizeof(table));
    control = 0;
    msix_restore(&dev);
    EXPECT_EQ(vector_of(1), vector);
    EXPECT_FALSE(is_masked(1));
    EXPECT_TRUE(is_masked(0));
    EXPECT_EQ(control, 0x8000);
}

TEST("an owner that looks gets every interrupt, however many")
{
    uint32_t port = bind(0);

    for (int i = 0; i < 10000; i++) {
        upcall_device_interrupt(vector_of(0));
        look(port);
    }
    EXPECT_EQ(raised, 10000);
    EXPECT_FALSE(is_masked(0));
}

TEST("interrupts that are far apart are no storm, looked at or not")
{
    bind(0);
    for (int i = 0; i < 1000; i++) {
        upcall_device_interrupt(vector_of(0));
        now += 100000;
    }
    EXPECT_FALSE(is_masked(0));
}

TEST("a storm that nobody looks at is masked, reported once, and comes back")
{
    uint32_t port = bind(0), before;

    for (int i = 0; i < 10000; i++)
        upcall_device_interrupt(vector_of(0));
    EXPECT_TRUE(is_masked(0));
    EXPECT_EQ(reports, 1);
    EXPECT_TRUE(raised < 100);
    REQUIRE(armed && armed->armed);

    now = armed->node.key;
    armed->expired(armed);
    EXPECT_FALSE(is_masked(0));
    look(port);
    before = raised;
    upcall_device_interrupt(vector_of(0));
    EXPECT_EQ(raised, before + 1);

    for (int i = 0; i < 10000; i++)
        upcall_device_interrupt(vector_of(0));
    EXPECT_TRUE(is_masked(0));
    EXPECT_EQ(reports, 1);
}

TEST("an entry that is closed while it rests stays masked")
{
    uint32_t port = bind(0);

    for (int i = 0; i < 1000; i++)
        upcall_device_interrupt(vector_of(0));
    EXPECT_TRUE(is_masked(0));
    upcall_pirq_closed(&owner, vector_of(0), port);
    EXPECT_FALSE(armed->armed);
    EXPECT_TRUE(is_masked(0));
}
