/* SPDX-License-Identifier: BSD-2-Clause */
/* Bringing the interrupt controllers to where ACPI says that they are. */

#include "boot/interrupts.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/vectors.h"
#include "core/acpi.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/uart.h"
#include "lib/compiler.h"
#include "lib/frame_number.h"
#include "memory/direct_map.h"

static volatile void *map_page(maddr_t maddr)
{
    volatile void *mmio = device_map(maddr, PAGE_SIZE);

    if (!mmio)
        panic("the page at %lx cannot be mapped", maddr);
    return mmio;
}

void boot_interrupts_init(void)
{
    volatile void *lapic = NULL;
    maddr_t maddr;

    pic_disable();
    if (lapic_needs_mmio(&maddr))
        lapic = map_page(maddr);
    lapic_init(lapic);
    for (unsigned int i = 0; i < acpi.ioapic_count; i++)
        ioapic_add(map_page(acpi.ioapic[i].maddr), acpi.ioapic[i].gsi);
    log_info("interrupts: local APIC %u%s, %u IO-APICs", lapic_id(),
             lapic ? "" : " (x2APIC)", acpi.ioapic_count);
}

void boot_console_input(void)
{
    if (!ioapic_route(acpi.isa[UART_IRQ].gsi, VECTOR_CONSOLE,
                      acpi.isa[UART_IRQ].level, acpi.isa[UART_IRQ].active_low))
        log_warning("console: GSI %u has no IO-APIC, so there is no input",
                    acpi.isa[UART_IRQ].gsi);
    uart_enable_interrupt();
}
