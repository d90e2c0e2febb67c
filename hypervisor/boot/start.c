/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order in which Cairn starts:
 *
 *    1. descriptor tables, so that an exception can be reported;
 *    2. the console;
 *    3. what the boot loader says, copied; options;
 *    4. what the processor can do, switched on, code patched for it;
 *    5. ACPI tables, while boot.S's map of the first 4 GiB reaches them;
 *    6. memory: the final page tables (W^X, guard pages), the frame table, and
 *       the rest to the frame allocator;
 *    7. interrupt controllers, clocks, console input;
 *    8. run queue of this CPU, and the other CPUs, which idle from here on;
 *    9. the PCI bus, the initial domain, and the scheduler, which never
 * returns.
 *
 * Interrupts are off throughout, but while the scheduler idles.
 */

#include "boot/start.h"

#include "arch/x86_64/apic.h"
#include "boot/boot_info.h"
#include "core/acpi.h"
#include "core/console.h"
#include "core/spec_ctrl.h"
#include "device/pci.h"
#include "domain/vcpu.h"
#include "memory/frame.h"

static bool smap_wanted = true;
BOOT_OPTION(smap, "smap", "smap=off: do without SMAP", &smap_wanted, NULL);

static void read_boot_information(uint32_t magic, uint32_t info)
{
    const char *wrong;

    boot_stage = "reading the boot loader's information";
    wrong = boot_info_read(magic, info);
    if (!options_parse(boot_info.command_line) && !wrong)
        wrong = "the command line is not understood";
    log_info("command line: %s", boot_info.command_line);
    if (wrong)
        boot_fail("%s", wrong);
    for (unsigned int i = 0; i < boot_module_count; i++) {
        const struct boot_module *m = &boot_modules[i];

        log_info("module %u: %lu KiB at %lx: %s", i, m->bytes >> 10, m->start,
                 m->string);
    }
}

static void start_processor(void)
{
    const char *missing;

    boot_stage = "starting the processor";
    missing = cpu_features_read(&cpu_features);
    if (missing)
        boot_fail("the processor has no %s", missing);
    cpu_features.smap &= smap_wanted;
    spec_init();
    guest_access_patch();
    cpu_enable_features();
    spec_init_cpu();
    if (cpu_features.xpti)
        descriptors_init_cpu(0);
    log_info(
        "processor:%s%s%s%s, %u address bits", cpu_features.smep ? " SMEP" : "",
        cpu_features.smap ? " SMAP" : "", cpu_features.umip ? " UMIP" : "",
        cpu_features.gib_pages ? " 1-GiB-pages" : "", cpu_features.maddr_bits);
}

static volatile void *map_device(maddr_t maddr)
{
    volatile void *mmio = device_map(maddr, PAGE_SIZE);

    if (!mmio)
        panic("the page at %lx cannot be mapped", maddr);
    return mmio;
}

/* This CPU's local APIC, the IO-APICs; the 8259s are silenced. */
static void start_interrupts(void)
{
    volatile void *lapic = NULL;
    maddr_t maddr;

    pic_disable();
    if (lapic_needs_mmio(&maddr))
        lapic = map_device(maddr);
    lapic_init(lapic);
    for (unsigned int i = 0; i < acpi.ioapic_count; i++)
        ioapic_add(map_device(acpi.ioapic[i].maddr), acpi.ioapic[i].gsi);
    log_info("interrupts: local APIC %u%s, %u IO-APICs", lapic_id(),
             lapic ? "" : " (x2APIC)", acpi.ioapic_count);
}

/* Let the console's UART interrupt. */
static void start_console_input(void)
{
    const struct acpi_isa_line *line = &acpi.isa[UART_IRQ];

    if (!ioapic_route(line->gsi, VECTOR_CONSOLE, line->level, line->active_low))
        log_warning("console: GSI %u has no IO-APIC, so there is no input",
                    line->gsi);
    uart_enable_interrupt();
}

void start_hypervisor(uint32_t magic, uint32_t info)
{
    descriptors_init_cpu(0);
    uart_init();
    log_info("Cairn, a paravirtualizing microhypervisor");
    read_boot_information(magic, info);
    start_processor();

    boot_stage = "taking the memory";
    acpi_init(boot_info.rsdp);
    boot_memory_take();

    boot_stage = "starting interrupts and clocks";
    start_interrupts();
    time_init();
    start_console_input();
    sched_init();
    boot_cpus_start();

    boot_stage = "making the tables of xpti";
    if (cpu_features.xpti && !xpti_init())
        panic("no memory for page tables");

    boot_stage = "starting the initial domain";
    pci_init();
    load_initial_domain();
    boot_stage = "";
    sched_start();
}
