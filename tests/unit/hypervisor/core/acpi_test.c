/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/acpi.c */
/*
 * Reading ACPI tables out of a MiB of pretended firmware memory, sound and
 * damaged.
 */

#include "core/acpi.h"

#include "arch/x86_64/paging.h"
#include "lib/log.h"
#include "unit/test.h"

#define MEMORY_BYTES 0x100000U

#define RSDP 0xe0010U
#define XSDT 0xa0000U
#define RSDT 0xa1000U
#define MADT 0xa2000U
#define FADT 0xa3000U
#define DSDT 0xa4000U

static uint8_t memory[MEMORY_BYTES];

const void *early_memory(uint64_t maddr, uint64_t bytes)
{
    if (maddr >= MEMORY_BYTES || bytes > MEMORY_BYTES - maddr)
        return NULL;
    return memory + maddr;
}

static unsigned int warnings;

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)fmt;
    warnings += level == LOG_WARNING;
}

static void put(uint32_t at, uint64_t value, uint32_t bytes)
{
    memcpy(memory + at, &value, bytes);
}

/* Make the byte at @at bring the sum of the @bytes from @start to 0. */
static void fix_sum(uint32_t start, uint32_t bytes, uint32_t at)
{
    uint8_t sum = 0;

    memory[at] = 0;
    for (uint32_t i = 0; i < bytes; i++)
        sum = (uint8_t)(sum + memory[start + i]);
    memory[at] = (uint8_t)-sum;
}

static void seal(uint32_t table, const char *signature, uint32_t bytes)
{
    memcpy(memory + table, signature, 4);
    put(table + 4, bytes, 4);
    fix_sum(table, bytes, table + 9);
}

static void seal_rsdp(uint8_t revision)
{
    memcpy(memory + RSDP, "RSD PTR ", 8);
    memory[RSDP + 15] = revision;
    put(RSDP + 16, RSDT, 4);
    put(RSDP + 20, 36, 4);
    put(RSDP + 24, XSDT, 8);
    fix_sum(RSDP, 20, RSDP + 8);
    fix_sum(RSDP, 36, RSDP + 32);
}

static void make_madt(void)
{
    static const uint8_t entries[] = {
        0, 8,  0, 0, 1,  0,    0,    0,                   /* a local APIC */
        1, 12, 0, 0, 0,  0,    0xc0, 0xfe, 0,    0, 0, 0, /* IO-APIC, GSI 0 */
        1, 12, 1, 0, 0,  0x10, 0xc0, 0xfe, 24,   0, 0, 0,
        2, 10, 0, 0, 2,  0,    0,    0,    0,    0, /* ISA 0 is GSI 2 */
        2, 10, 0, 4, 20, 0,    0,    0,    0x0f, 0, /* ISA 4: GSI 20, low, level
                                                     */
    };

    memcpy(memory + MADT + 44, entries, sizeof(entries));
    seal(MADT, "APIC", 44 + sizeof(entries));
}

/* A MADT of CPUs alone, entry by entry. */
static uint32_t madt_bytes;

static void begin_cpus(void)
{
    madt_bytes = 44;
}

static void add_lapic(uint8_t id, uint32_t flags)
{
    put(MADT + madt_bytes, 8 << 8 | 0, 2);
    put(MADT + madt_bytes + 2, 0x77, 1);
    put(MADT + madt_bytes + 3, id, 1);
    put(MADT + madt_bytes + 4, flags, 4);
    madt_bytes += 8;
}

static void add_x2apic(uint32_t id, uint32_t flags)
{
    put(MADT + madt_bytes, 16 << 8 | 9, 4);
    put(MADT + madt_bytes + 4, id, 4);
    put(MADT + madt_bytes + 8, flags, 4);
    put(MADT + madt_bytes + 12, 0x77, 4);
    madt_bytes += 16;
}

static void read_cpus(void)
{
    seal(MADT, "APIC", madt_bytes);
    warnings = 0;
    acpi_init(0);
}

static void make_fadt(void)
{
    put(FADT + 40, DSDT, 4);
    put(FADT + 48, 0xb2, 4);
    put(FADT + 52, 0xf1, 1);
    put(FADT + 64, 0x604, 4);
    put(FADT + 76, 0x608, 4);
    put(FADT + 112, 1 << 10, 4);
    put(FADT + 116, 1, 1); /* I/O space */
    put(FADT + 120, 0xcf9, 8);
    put(FADT + 128, 0x0f, 1);
    seal(FADT, "FACP", 244);
}

static void make_dsdt(const uint8_t *aml, uint32_t bytes)
{
    memcpy(memory + DSDT + 36, aml, bytes);
    seal(DSDT, "DSDT", 36 + bytes);
}

static const uint8_t usual_s5[] = {0x5b, 0x80, 0x08, '_',  'S',  '5',
                                   '_',  0x12, 0x08, 0x04, 0x0a, 0x05,
                                   0x0a, 0x07, 0x00, 0x00};

void setup(void)
{
    memset(memory, 0, sizeof(memory));
    seal_rsdp(2);
    put(XSDT + 36, MADT, 8);
    put(XSDT + 44, FADT, 8);
    seal(XSDT, "XSDT", 52);
    put(RSDT + 36, FADT, 4);
    put(RSDT + 40, MADT, 4);
    seal(RSDT, "RSDT", 44);
    make_madt();
    make_fadt();
    make_dsdt(usual_s5, sizeof(usual_s5));
}

static void expect_all_found(void)
{
    acpi_init(0);
    EXPECT_TRUE(acpi.present);
    EXPECT_EQ(acpi.cpu_count, 1);
    EXPECT_EQ(acpi.cpu_apic_id[0], 0);
    EXPECT_EQ(acpi.ioapic_count, 2);
    EXPECT_EQ(acpi.ioapic[1].maddr, 0xfec01000);
    EXPECT_EQ(acpi.ioapic[1].gsi, 24);
    EXPECT_EQ(acpi.isa[0].gsi, 2);
    EXPECT_EQ(acpi.isa[1].gsi, 1);
    EXPECT_EQ(acpi.isa[4].gsi, 20);
    EXPECT_TRUE(acpi.isa[4].level);
    EXPECT_TRUE(acpi.isa[4].active_low);
    EXPECT_TRUE(acpi.can_power_off);
    EXPECT_EQ(acpi.pm1a_control, 0x604);
    EXPECT_EQ(acpi.sleep_type_a, 5);
    EXPECT_EQ(acpi.sleep_type_b, 7);
    EXPECT_EQ(acpi.pm_timer, 0x608);
    EXPECT_EQ(acpi.smi_command, 0xb2);
    EXPECT_EQ(acpi.reset_port, 0xcf9);
    EXPECT_EQ(acpi.reset_value, 0x0f);
}

/* What a PC without ACPI has. */
static void expect_defaults(void)
{
    acpi_init(0);
    EXPECT_EQ(acpi.ioapic_count, 1);
    EXPECT_EQ(acpi.ioapic[0].maddr, 0xfec00000);
    EXPECT_EQ(acpi.isa[4].gsi, 4);
    EXPECT_FALSE(acpi.can_power_off);
    EXPECT_EQ(acpi.reset_port, 0);
}

TEST("tables are found by the XSDT")
{
    expect_all_found();
}

TEST("and by the RSDT, where the firmware is old or the XSDT is damaged")
{
    seal_rsdp(0);
    expect_all_found();
    seal(XSDT, "XSDT", 36); /* sound, but what an old pointer cannot mean */
    expect_all_found();
    setup();
    memory[XSDT + 20] ^= 1;
    expect_all_found();
}

TEST("the root pointer is found in the EBDA first")
{
    memcpy(memory + 0x9fc20, memory + RSDP, 36);
    memset(memory + RSDP, 0, 36);
    expect_defaults();
    put(0x40e, 0x9fc0, 2);
    expect_all_found();
}

TEST("the root pointer that the boot loader tells of comes first")
{
    enum { TOLD = 0x5008 }; /* where no BIOS has it, on no 16-byte boundary */

    memcpy(memory + TOLD, memory + RSDP, 36);
    acpi_init(TOLD);
    EXPECT_EQ(acpi.cpu_count, 1);
    memset(memory + RSDP, 0, 36);
    acpi_init(TOLD);
    EXPECT_EQ(acpi.cpu_count, 1);
    memory[TOLD + 9] ^= 1; /* damaged, and no other */
    acpi_init(TOLD);
    EXPECT_FALSE(acpi.present);
    seal_rsdp(2);
    acpi_init(TOLD);
    EXPECT_TRUE(acpi.present);
    acpi_init(MEMORY_BYTES - 4); /* outside */
    EXPECT_TRUE(acpi.present);
    acpi_init(UINT64_MAX);
    EXPECT_TRUE(acpi.present);
}

TEST("without tables a PC is taken for what it usually is")
{
    memset(memory, 0, sizeof(memory));
    expect_defaults();
    EXPECT_FALSE(acpi.present);
}

TEST("a table with a wrong sum is not there")
{
    memory[RSDP + 9] ^= 1;
    expect_defaults();
    setup();
    memory[MADT + 50] ^= 1;
    memory[FADT + 64] ^= 1;
    expect_defaults();
}

TEST("lengths that are absurd are not followed")
{
    put(MADT + 4, 0xffffffff, 4);
    put(FADT + 4, 10, 4);
    expect_defaults();
    setup();
    put(XSDT + 36, 0xffffffffffffff00, 8); /* beyond memory */
    put(XSDT + 44, 0, 8);
    seal(XSDT, "XSDT", 52);
    expect_defaults();
}

TEST("MADT entries of length 0, or beyond the end, stop the reading")
{
    memory[MADT + 44 + 8 + 1] = 0;
    seal(MADT, "APIC", 44 + 8 + 12 + 12 + 10 + 10);
    acpi_init(0);
    EXPECT_EQ(acpi.ioapic_count, 1);
    EXPECT_EQ(acpi.isa[4].gsi, 4);
    setup();
    memory[MADT + 44 + 8 + 1] = 250;
    seal(MADT, "APIC", 44 + 8 + 12 + 12 + 10 + 10);
    acpi_init(0);
    EXPECT_EQ(acpi.ioapic[0].maddr, 0xfec00000);
    EXPECT_EQ(acpi.isa[0].gsi, 0);
}

TEST("CPUs are listed as the MADT lists them, those that are enabled")
{
    begin_cpus();
    add_lapic(6, 1);
    add_lapic(2, 0); /* disabled */
    add_x2apic(0x10000, 1);
    add_lapic(0, 3);
    add_lapic(4, 2); /* could come, but is not there */
    add_x2apic(0x20000, 0);
    add_x2apic(300, 1);
    read_cpus();
    REQUIRE(acpi.cpu_count == 4);
    EXPECT_EQ(acpi.cpu_apic_id[0], 6);
    EXPECT_EQ(acpi.cpu_apic_id[1], 0x10000);
    EXPECT_EQ(acpi.cpu_apic_id[2], 0);
    EXPECT_EQ(acpi.cpu_apic_id[3], 300);
    EXPECT_EQ(warnings, 0);
}

TEST("a CPU that is listed twice is one, and the ids for all CPUs are none")
{
    begin_cpus();
    add_lapic(1, 1);
    add_x2apic(1, 1);
    add_lapic(1, 1);
    add_lapic(0xff, 1);
    add_x2apic(0xffffffff, 1);
    add_x2apic(0xff, 1); /* an id like others there */
    read_cpus();
    REQUIRE(acpi.cpu_count == 2);
    EXPECT_EQ(acpi.cpu_apic_id[0], 1);
    EXPECT_EQ(acpi.cpu_apic_id[1], 0xff);
}

TEST("CPUs beyond the most there can be are left out, and each is reported")
{
    begin_cpus();
    for (uint32_t i = 0; i < CPU_MAX + 3; i++)
        add_x2apic(i * 2, 1);
    add_x2apic(0, 1); /* known: not one more */
    read_cpus();
    EXPECT_EQ(acpi.cpu_count, CPU_MAX);
    EXPECT_EQ(acpi.cpu_apic_id[CPU_MAX - 1], (CPU_MAX - 1) * 2);
    EXPECT_EQ(warnings, 3);
}

TEST("CPU entries that are too short, or cut off, are no CPUs")
{
    begin_cpus();
    add_lapic(1, 1);
    memory[MADT + 45] = 7; /* the rest is an entry of type 0, length 0 */
    read_cpus();
    EXPECT_EQ(acpi.cpu_count, 0);
    begin_cpus();
    add_x2apic(1, 1);
    memory[MADT + 45] = 8;
    read_cpus();
    EXPECT_EQ(acpi.cpu_count, 0);
    begin_cpus();
    add_lapic(1, 1);
    add_x2apic(2, 1);
    madt_bytes -= 1;
    read_cpus();
    EXPECT_EQ(acpi.cpu_count, 1);
}

TEST("a short FADT has neither reset register nor S5")
{
    seal(FADT, "FACP", 60);
    acpi_init(0);
    EXPECT_FALSE(acpi.can_power_off);
    EXPECT_EQ(acpi.reset_port, 0);
    EXPECT_EQ(acpi.pm_timer, 0);
    seal(FADT, "FACP", 66); /* half of the port's field */
    acpi_init(0);
    EXPECT_EQ(acpi.pm1a_control, 0);
}

TEST("S5 in its other spellings")
{
    static const uint8_t rooted[] = {0x08, '\\', '_',  'S',  '5',  '_', 0x12,
                                     0x06, 0x04, 0x00, 0x01, 0x00, 0x00};
    static const uint8_t long_package[] = {0x08, '_',  'S',  '5',  '_',
                                           0x12, 0x49, 0x00, 0x04, 0x0a,
                                           0x03, 0x01, 0x00, 0x00};

    make_dsdt(rooted, sizeof(rooted));
    acpi_init(0);
    EXPECT_TRUE(acpi.can_power_off);
    EXPECT_EQ(acpi.sleep_type_a, 0);
    EXPECT_EQ(acpi.sleep_type_b, 1);
    make_dsdt(long_package, sizeof(long_package));
    acpi_init(0);
    EXPECT_EQ(acpi.sleep_type_a, 3);
}

TEST("a mention of S5 is not its definition; one at the very end is none")
{
    static const uint8_t mention[] = {0x70, '_', 'S', '5', '_', 0x12};
    static const uint8_t cut[] = {0x00, 0x08, '_', 'S', '5', '_'};

    make_dsdt(mention, sizeof(mention));
    acpi_init(0);
    EXPECT_FALSE(acpi.can_power_off);
    make_dsdt(cut, sizeof(cut));
    acpi_init(0);
    EXPECT_FALSE(acpi.can_power_off);
}

TEST("thousands of damaged tables are read without a step outside")
{
    uint32_t random = 1;

    for (int i = 0; i < 5000; i++) {
        static const uint32_t tables[] = {XSDT, MADT, FADT, DSDT, RSDT};
        uint32_t table, bytes;

        setup();
        random = random * 1664525 + 1013904223;
        table = tables[(random >> 20) % 5];
        memcpy(&bytes, memory + table + 4, 4);
        for (int j = 0; j < 4; j++) {
            random = random * 1664525 + 1013904223;
            memory[table + 36 + (random >> 8) % (bytes - 36)] =
                (uint8_t)(random >> 24);
        }
        fix_sum(table, bytes, table + 9);
        acpi_init(0);
        EXPECT_TRUE(acpi.ioapic_count >= 1);
        EXPECT_TRUE(acpi.ioapic_count <= ACPI_IOAPICS_MAX);
        EXPECT_TRUE(acpi.cpu_count <= CPU_MAX);
    }
}
