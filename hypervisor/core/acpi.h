/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the firmware's ACPI tables say, as far as the hypervisor needs it: the
 * processors, the interrupt controllers and how to switch the machine off.  No
 * AML is run.
 *
 * The tables are read once, while the first 4 GiB are in the early map;
 * each is checked against its length and checksum.
 */

#pragma once

#include "arch/x86_64/smp.h"

#define ACPI_IOAPICS_MAX 8
#define ISA_IRQS         16

struct acpi_info {
    bool present;

    /* Enabled ones as the MADT lists them, each once; 0 without a MADT. */
    unsigned int cpu_count;
    uint32_t cpu_apic_id[CPU_MAX];

    unsigned int ioapic_count;
    struct {
        maddr_t maddr;
        uint32_t gsi;
    } ioapic[ACPI_IOAPICS_MAX];

    struct acpi_isa_line {
        uint32_t gsi;
        bool level, active_low;
    } isa[ISA_IRQS]; /* where the lines of old come in */

    uint16_t pm_timer; /* port, 0: none */

    bool can_power_off;
    uint16_t pm1a_control, pm1b_control; /* ports; pm1b: 0 if there is none */
    uint8_t sleep_type_a, sleep_type_b;  /* of state S5 */
    uint16_t smi_command;                /* port, 0: ACPI mode is always on */
    uint8_t acpi_enable;

    uint16_t reset_port; /* 0: none */
    uint8_t reset_value;
};

/* Without ACPI it holds what a PC has: one IO-APIC, ISA lines as they are. */
extern struct acpi_info acpi;

/*
 * Read the tables, whose root pointer the boot loader has at machine address
 * @rsdp; without (0), or if it is damaged, it is searched for as a BIOS
 * leaves it.
 */
void acpi_init(maddr_t rsdp);
