/* SPDX-License-Identifier: BSD-2-Clause */
/* Switching off, and starting again. */

#include "core/panic.h"

#include "core/acpi.h"
#include "core/console.h"

#define PM1_SLEEP_TYPE_SHIFT 10
#define PM1_SLEEP_ENABLE     (1U << 13)
#define PM1_SCI_ENABLE       (1U << 0)

#define RESET_CONTROL    0xcf9 /* PIIX, ICH and their followers */
#define RESET_HARD       0x02
#define RESET_NOW        0x04
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe

/* Reads of a port, about 1 us each, to wait for what takes effect by itself. */
#define WAIT_READS 100000

static bool no_reboot;
BOOT_OPTION(noreboot, "noreboot", "halt where the machine would be reset",
            &no_reboot, NULL);

/* Past the locks: a panic comes here, too. */
#define SAY(text) console_write_panic(text, sizeof(text) - 1)

static void wait_a_moment(void)
{
    for (int i = 0; i < WAIT_READS; i++)
        (void)port_read8(0x80);
}

/* Firmware may have left the registers to itself. */
static void enter_acpi_mode(void)
{
    if (!acpi.smi_command || !acpi.acpi_enable ||
        port_read16(acpi.pm1a_control) & PM1_SCI_ENABLE)
        return;
    port_write8(acpi.smi_command, acpi.acpi_enable);
    for (int i = 0; i < WAIT_READS; i++)
        if (port_read16(acpi.pm1a_control) & PM1_SCI_ENABLE)
            return;
}

static void sleep(uint16_t port, uint8_t type)
{
    uint16_t value = (uint16_t)(port_read16(port) & PM1_SCI_ENABLE);

    port_write16(port, (uint16_t)(value | type << PM1_SLEEP_TYPE_SHIFT |
                                  PM1_SLEEP_ENABLE));
}

void machine_power_off(void)
{
    cpus_stop();
    if (acpi.can_power_off) {
        enter_acpi_mode();
        sleep(acpi.pm1a_control, acpi.sleep_type_a);
        if (acpi.pm1b_control)
            sleep(acpi.pm1b_control, acpi.sleep_type_b);
        wait_a_moment();
    }
    SAY("The machine does not switch itself off: do it now.\n");
    cpu_halt();
}

/* An exception with no IDT to deliver it: the processor shuts down. */
static void __noreturn triple_fault(void)
{
    static const uint8_t none[10]; /* limit and base */

    __asm__ __volatile__("lidt %0; int3" : : "m"(none));
    cpu_halt();
}

void machine_reset(void)
{
    cpus_stop();
    if (no_reboot) {
        SAY("Halted (noreboot).\n");
        cpu_halt();
    }
    if (acpi.reset_port) {
        port_write8(acpi.reset_port, acpi.reset_value);
        wait_a_moment();
    }
    port_write8(RESET_CONTROL, RESET_HARD);
    port_write8(RESET_CONTROL, RESET_HARD | RESET_NOW);
    wait_a_moment();
    port_write8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    wait_a_moment();
    triple_fault();
}
