/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt controllers.  A local APIC's registers lie in memory, 16 bytes
 * apart, or are MSRs in x2APIC mode, which is switched on where there is that:
 * ids above 254 need it, and an access to an MSR is not trapped or slow.
 */

#include "arch/x86_64/apic.h"

#include "arch/x86_64/regs.h"

/* Intel SDM 3A, table 11-1: register offsets divided by 16. */
enum lapic_register {
    LAPIC_ID = 0x02,
    LAPIC_VERSION = 0x03,
    LAPIC_TPR = 0x08,
    LAPIC_EOI = 0x0b,
    LAPIC_SPURIOUS = 0x0f,
    LAPIC_COMMAND = 0x30,
    LAPIC_TARGET = 0x31, /* xAPIC only */
    LAPIC_LVT_TIMER = 0x32,
    LAPIC_LVT_THERMAL = 0x33,
    LAPIC_LVT_PERF = 0x34,
    LAPIC_LVT_LINT0 = 0x35,
    LAPIC_LVT_LINT1 = 0x36,
    LAPIC_LVT_ERROR = 0x37,
    LAPIC_TIMER_INITIAL = 0x38,
    LAPIC_TIMER_CURRENT = 0x39,
    LAPIC_TIMER_DIVIDE = 0x3e,
};

#define LAPIC_ENABLE     0x100U /* in LAPIC_SPURIOUS */
#define LVT_MASKED       0x10000U
#define LVT_NMI          0x400U
#define COMMAND_BUSY     0x1000U
#define DIVIDE_BY_16     0x3U
#define LVT_INDEX_PERF   4U /* highest LVT index that makes PERF exist */
#define LVT_INDEX_THERM  5U
#define APIC_BASE_MADDR  0x000ffffffffff000UL
#define MSI_ADDRESS_BASE 0xfee00000UL

static volatile uint32_t *lapic; /* NULL: x2APIC */

DEFINE_PER_CPU(uint32_t, lapic_number);

static uint32_t lapic_read(enum lapic_register reg)
{
    if (lapic)
        return lapic[reg * 4];
    return (uint32_t)rdmsr(MSR_X2APIC_FIRST + reg);
}

static void lapic_write(enum lapic_register reg, uint32_t value)
{
    if (lapic)
        lapic[reg * 4] = value;
    else
        wrmsr(MSR_X2APIC_FIRST + reg, value);
}

bool lapic_needs_mmio(maddr_t *maddr)
{
    *maddr = rdmsr(MSR_APIC_BASE) & APIC_BASE_MADDR;
    return !cpu_features.x2apic;
}

uint32_t lapic_id_max(void)
{
    return lapic ? 0xfe : UINT32_MAX - 1; /* All ones address all of them. */
}

void lapic_init(volatile void *mmio)
{
    lapic = mmio;
    lapic_init_cpu();
}

void lapic_init_cpu(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE) | APIC_BASE_ENABLE;
    uint32_t version;

    /* First on, then x2APIC: both at once is not allowed. */
    wrmsr(MSR_APIC_BASE, base);
    if (!lapic)
        wrmsr(MSR_APIC_BASE, base | APIC_BASE_X2APIC);

    version = lapic_read(LAPIC_VERSION);
    lapic_write(LAPIC_TPR, 0);
    lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_16);
    lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER);
    lapic_write(LAPIC_TIMER_INITIAL, 0);
    if (version >> 16 >= LVT_INDEX_PERF)
        lapic_write(LAPIC_LVT_PERF, LVT_MASKED);
    if (version >> 16 >= LVT_INDEX_THERM)
        lapic_write(LAPIC_LVT_THERMAL, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT0, LVT_MASKED);
    lapic_write(LAPIC_LVT_LINT1, LVT_NMI);
    lapic_write(LAPIC_LVT_ERROR, VECTOR_APIC_ERROR);
    lapic_write(LAPIC_SPURIOUS, LAPIC_ENABLE | VECTOR_SPURIOUS);
    /* The ID is in the upper byte of an xAPIC's register. */
    this_cpu(lapic_number) = lapic_read(LAPIC_ID) >> (lapic ? 24 : 0);
    lapic_eoi(); /* whatever the firmware left in service */
}

uint32_t lapic_id(void)
{
    return this_cpu(lapic_number);
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

void lapic_send(uint32_t id, uint32_t command)
{
    if (lapic) {
        while (lapic_read(LAPIC_COMMAND) & COMMAND_BUSY)
            cpu_relax();
        lapic_write(LAPIC_TARGET, id << 24);
        lapic_write(LAPIC_COMMAND, command);
        return;
    }
    /* The MSR does not wait for stores that the target is to see. */
    __asm__ __volatile__("mfence\n\tlfence" ::: "memory");
    wrmsr(MSR_X2APIC_FIRST + LAPIC_COMMAND, (uint64_t)id << 32 | command);
}

void lapic_send_cpu(unsigned int cpu, uint32_t command)
{
    lapic_send(per_cpu(lapic_number, cpu), command);
}

void lapic_timer_set(uint32_t count)
{
    lapic_write(LAPIC_TIMER_INITIAL, count);
}

uint32_t lapic_timer_count(void)
{
    return lapic_read(LAPIC_TIMER_CURRENT);
}

/* SDM 3A, section 11.11: physical destination, fixed, edge-triggered. */
void msi_compose(unsigned int cpu, uint8_t vector, uint64_t *address,
                 uint32_t *data)
{
    uint32_t id = per_cpu(lapic_number, cpu);

    assert(id < 256); /* More needs interrupt remapping. */
    *address = MSI_ADDRESS_BASE | (uint64_t)id << 12;
    *data = vector;
}

/* --- IO-APICs: 82093AA's registers, an index and a window --------------- */

#define IOAPIC_MAX     8 /* more than any board carries */
#define IOAPIC_INDEX   0 /* in words */
#define IOAPIC_WINDOW  4
#define IOAPIC_VERSION 0x01
#define IOAPIC_ENTRY   0x10 /* two registers a line */

#define ENTRY_LOW    (1U << 13) /* active low */
#define ENTRY_LEVEL  (1U << 15)
#define ENTRY_MASKED (1U << 16)

static struct ioapic {
    volatile uint32_t *mmio;
    uint32_t gsi, lines;
} ioapics[IOAPIC_MAX];
static unsigned int ioapic_count;

/* The window, with register @reg in it. */
static volatile uint32_t *ioapic_at(const struct ioapic *a, uint32_t reg)
{
    a->mmio[IOAPIC_INDEX] = reg;
    return &a->mmio[IOAPIC_WINDOW];
}

void ioapic_add(volatile void *mmio, uint32_t gsi)
{
    struct ioapic *a = &ioapics[ioapic_count];

    if (ioapic_count == IOAPIC_MAX)
        return;
    a->mmio = mmio;
    a->gsi = gsi;
    a->lines = (*ioapic_at(a, IOAPIC_VERSION) >> 16 & 0xff) + 1;
    ioapic_count++;
    for (uint32_t line = 0; line < a->lines; line++)
        *ioapic_at(a, IOAPIC_ENTRY + 2 * line) = ENTRY_MASKED;
}

static const struct ioapic *ioapic_of(uint32_t gsi)
{
    for (unsigned int i = 0; i < ioapic_count; i++)
        if (gsi >= ioapics[i].gsi && gsi - ioapics[i].gsi < ioapics[i].lines)
            return &ioapics[i];
    return NULL;
}

bool ioapic_route(uint32_t gsi, uint8_t vector, bool level, bool active_low)
{
    const struct ioapic *a = ioapic_of(gsi);
    uint32_t reg;

    if (!a)
        return false;
    reg = IOAPIC_ENTRY + 2 * (gsi - a->gsi);
    *ioapic_at(a, reg) = ENTRY_MASKED;
    *ioapic_at(a, reg + 1) = lapic_id() << 24;
    *ioapic_at(a, reg) =
        vector | (level ? ENTRY_LEVEL : 0) | (active_low ? ENTRY_LOW : 0);
    return true;
}

/* --- The 8259s ---------------------------------------------------------- */

#define PIC1 0x20
#define PIC2 0xa0

void pic_disable(void)
{
    /* ICW1 to 4 (cascaded at line 2, vectors, 8086 mode); OCW1: all masked. */
    static const uint8_t words[][2] = {
        {0x11, 0x11}, {VECTOR_PIC_FIRST, VECTOR_PIC_FIRST + 8},
        {0x04, 0x02}, {0x01, 0x01},
        {0xff, 0xff},
    };

    for (unsigned int i = 0; i < ARRAY_SIZE(words); i++) {
        port_write8(PIC1 + !!i, words[i][0]);
        port_write8(PIC2 + !!i, words[i][1]);
    }
}
