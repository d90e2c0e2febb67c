/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading the ACPI tables; ACPI 6.4, chapter 5. */

#include "core/acpi.h"

#include "arch/x86_64/paging.h"

#define IOAPIC_USUAL 0xfec00000UL

/* Where a BIOS keeps the root pointer. */
#define EBDA_POINTER 0x40eUL
#define EBDA_BYTES   1024UL
#define BIOS_START   0xe0000UL
#define BIOS_END     0x100000UL

/* More than any table of ours needs to be; a bound on our work. */
#define TABLE_BYTES_MAX (4UL << 20)
#define ROOT_TABLES_MAX 256U

struct __attribute__((packed)) rsdp {
    char signature[8];
    uint8_t checksum_and_oem[7], revision;
    uint32_t rsdt;
    uint32_t length; /* from revision 2 on */
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
};

struct __attribute__((packed)) table {
    char signature[4];
    uint32_t length;
    uint8_t rest[28];
};

/* Offsets in the FADT. */
#define FADT_DSDT         40U
#define FADT_SMI_COMMAND  48U
#define FADT_ACPI_ENABLE  52U
#define FADT_PM1A_CONTROL 64U
#define FADT_PM1B_CONTROL 68U
#define FADT_PM_TIMER     76U
#define FADT_FLAGS        112U
#define FADT_RESET_REG    116U /* generic address, 12 bytes */
#define FADT_RESET_VALUE  128U
#define FADT_FLAG_RESET   (1U << 10)
#define SPACE_IO          1U

/* Entries of the MADT. */
#define MADT_ENTRIES      44U
#define MADT_LAPIC        0U
#define MADT_IOAPIC       1U
#define MADT_ISA_OVERRIDE 2U
#define MADT_X2APIC       9U
#define MADT_CPU_ENABLED  1U

/* AML, 20.2. */
#define AML_NAME    0x08
#define AML_ROOT    '\\'
#define AML_BYTE    0x0a
#define AML_PACKAGE 0x12

struct acpi_info acpi;

static bool sum_is_zero(const void *memory, uint64_t bytes)
{
    const uint8_t *at = memory;
    uint8_t sum = 0;

    while (bytes--)
        sum = (uint8_t)(sum + *at++);
    return sum == 0;
}

/* A whole, sound table; NULL otherwise. */
static const struct table *table_at(uint64_t maddr)
{
    const struct table *t = early_memory(maddr, sizeof(*t));

    if (!maddr || !t || t->length < sizeof(*t) || t->length > TABLE_BYTES_MAX)
        return NULL;
    t = early_memory(maddr, t->length);
    return t && sum_is_zero(t, t->length) ? t : NULL;
}

/* A number of 1 to 8 bytes in a table; 0 where the table is shorter. */
static uint64_t field(const struct table *t, uint32_t offset, uint32_t bytes)
{
    uint64_t value = 0;

    if (offset <= t->length && bytes <= t->length - offset)
        memcpy(&value, (const char *)t + offset, bytes);
    return value;
}

/* The first root pointer of [start, end). */
static const struct rsdp *find_rsdp_in(uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at + sizeof(struct rsdp) <= end; at += 16) {
        const struct rsdp *r = early_memory(at, sizeof(*r));

        if (r && !memcmp(r->signature, "RSD PTR ", 8) &&
            sum_is_zero(r, offsetof(struct rsdp, length)))
            return r;
    }
    return NULL;
}

static const struct rsdp *find_rsdp(maddr_t told)
{
    const uint8_t *pointer = early_memory(EBDA_POINTER, 2);
    uint64_t ebda = pointer ? (pointer[0] | pointer[1] << 8) << 4 : 0;
    const struct rsdp *r = NULL;

    if (told)
        r = find_rsdp_in(told, told + sizeof(*r));
    if (!r && ebda)
        r = find_rsdp_in(ebda, ebda + EBDA_BYTES);
    return r ? r : find_rsdp_in(BIOS_START, BIOS_END);
}

/* Firmware may list a processor as both types of entry. */
static void add_cpu(uint64_t apic_id, uint64_t all_cpus, uint64_t flags)
{
    if (!(flags & MADT_CPU_ENABLED) || apic_id == all_cpus)
        return;
    for (unsigned int i = 0; i < acpi.cpu_count; i++)
        if (acpi.cpu_apic_id[i] == apic_id)
            return;
    if (acpi.cpu_count < CPU_MAX)
        acpi.cpu_apic_id[acpi.cpu_count++] = (uint32_t)apic_id;
    else
        log_warning("the CPU with APIC id %lu is not used: more than %u",
                    apic_id, CPU_MAX);
}

static void read_ioapic(const struct table *t, uint32_t at)
{
    unsigned int n = acpi.ioapic_count;

    if (n == ACPI_IOAPICS_MAX)
        return;
    acpi.ioapic[n].maddr = field(t, at + 4, 4);
    acpi.ioapic[n].gsi = (uint32_t)field(t, at + 8, 4);
    if (!(acpi.ioapic[n].maddr & (PAGE_SIZE - 1)))
        acpi.ioapic_count++;
}

static void read_override(const struct table *t, uint32_t at)
{
    uint64_t irq = field(t, at + 3, 1), flags = field(t, at + 8, 2);

    if (irq >= ISA_IRQS)
        return;
    acpi.isa[irq].gsi = (uint32_t)field(t, at + 4, 4);
    acpi.isa[irq].active_low = (flags & 3) == 3;
    acpi.isa[irq].level = (flags >> 2 & 3) == 3;
}

static void read_madt(const struct table *t)
{
    uint32_t at = MADT_ENTRIES;

    while (t->length >= 2 && at <= t->length - 2) {
        uint32_t type = (uint32_t)field(t, at, 1);
        uint32_t bytes = (uint32_t)field(t, at + 1, 1);

        if (bytes < 2 || bytes > t->length - at)
            return;
        if (type == MADT_LAPIC && bytes >= 8)
            add_cpu(field(t, at + 3, 1), 0xff, field(t, at + 4, 4));
        else if (type == MADT_X2APIC && bytes >= 16)
            add_cpu(field(t, at + 4, 4), 0xffffffff, field(t, at + 8, 4));
        else if (type == MADT_IOAPIC && bytes >= 12)
            read_ioapic(t, at);
        else if (type == MADT_ISA_OVERRIDE && bytes >= 10)
            read_override(t, at);
        at += bytes;
    }
}

/* A small integer of AML at *@at, which moves on; -1: something else. */
static int aml_byte(const struct table *t, uint32_t *at)
{
    uint8_t byte = (uint8_t)field(t, (*at)++, 1);

    if (byte == AML_BYTE)
        return (int)field(t, (*at)++, 1);
    return byte <= 1 ? byte : -1;
}

/*
 * Look for Name (_S5, Package () {a, b, ...}) in the DSDT.  The package's
 * length has up to three bytes more, and then its count.
 */
static bool find_s5(const struct table *dsdt)
{
    const uint8_t *aml = (const uint8_t *)dsdt;

    for (uint32_t i = sizeof(*dsdt); i + 4 <= dsdt->length; i++) {
        uint32_t at =
            i + 4 + 1 + 1 + (uint32_t)(field(dsdt, i + 5, 1) >> 6) + 1;
        int a, b;

        if (memcmp(aml + i, "_S5_", 4) ||
            field(dsdt, i + 4, 1) != AML_PACKAGE ||
            (aml[i - 1] != AML_NAME &&
             (aml[i - 1] != AML_ROOT || aml[i - 2] != AML_NAME)))
            continue;
        a = aml_byte(dsdt, &at);
        b = aml_byte(dsdt, &at);
        acpi.sleep_type_a = (uint8_t)a;
        acpi.sleep_type_b = (uint8_t)b;
        if (a >= 0 && b >= 0)
            return true;
    }
    return false;
}

static void read_fadt(const struct table *t)
{
    const struct table *dsdt = table_at(field(t, FADT_DSDT, 4));

    acpi.pm1a_control = (uint16_t)field(t, FADT_PM1A_CONTROL, 4);
    acpi.pm1b_control = (uint16_t)field(t, FADT_PM1B_CONTROL, 4);
    acpi.pm_timer = (uint16_t)field(t, FADT_PM_TIMER, 4);
    acpi.smi_command = (uint16_t)field(t, FADT_SMI_COMMAND, 4);
    acpi.acpi_enable = (uint8_t)field(t, FADT_ACPI_ENABLE, 1);
    acpi.can_power_off = acpi.pm1a_control && dsdt && find_s5(dsdt);

    if (field(t, FADT_FLAGS, 4) & FADT_FLAG_RESET &&
        field(t, FADT_RESET_REG, 1) == SPACE_IO) {
        acpi.reset_port = (uint16_t)field(t, FADT_RESET_REG + 4, 8);
        acpi.reset_value = (uint8_t)field(t, FADT_RESET_VALUE, 1);
    }
}

/* The list of all tables, whose pointers are @width wide; false: there's none.
 */
static bool read_root(maddr_t maddr, uint32_t width)
{
    const struct table *root = table_at(maddr), *t;
    uint32_t at = sizeof(*root);

    for (uint32_t n = 0; root && n < ROOT_TABLES_MAX; n++, at += width) {
        t = table_at(field(root, at, width));
        if (t && !memcmp(t->signature, "APIC", 4))
            read_madt(t);
        if (t && !memcmp(t->signature, "FACP", 4))
            read_fadt(t);
    }
    return root;
}

void acpi_init(maddr_t told)
{
    const struct rsdp *r = find_rsdp(told);

    memset(&acpi, 0, sizeof(acpi));
    for (uint32_t i = 0; i < ISA_IRQS; i++)
        acpi.isa[i].gsi = i;
    if (r)
        acpi.present = (r->revision >= 2 && sum_is_zero(r, sizeof(*r)) &&
                        read_root(r->xsdt, 8)) ||
                       read_root(r->rsdt, 4);
    if (!acpi.ioapic_count) {
        acpi.ioapic[0].maddr = IOAPIC_USUAL;
        acpi.ioapic_count = 1;
    }
    log_info("ACPI: %s, %u CPUs, %u IO-APICs, power off by %s",
             acpi.present ? "tables found" : "no tables", acpi.cpu_count,
             acpi.ioapic_count,
             acpi.can_power_off ? "PM1 control" : "guessing");
}
