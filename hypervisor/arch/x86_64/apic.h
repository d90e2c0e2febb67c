/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of each CPU, and the machine's IO-APICs. */

#pragma once

/*
 * The first CPU's, for all: xAPIC registers are mapped at @mmio, NULL is for
 * x2APIC mode.  Then lapic_init_cpu() for this CPU.
 */
void lapic_init(volatile void *mmio);

/* Bring this CPU's local APIC into that mode, and enable it. */
void lapic_init_cpu(void);

/* Whether lapic_init() will need its registers mapped, and where they are. */
bool lapic_needs_mmio(maddr_t *maddr);

/* The highest ID that can be addressed in the mode in use. */
uint32_t lapic_id_max(void);

uint32_t lapic_id(void);
void lapic_eoi(void);

/* Commands to other local APICs; a fixed interrupt is its vector alone. */
#define LAPIC_NMI     0x4400U
#define LAPIC_INIT    0x4500U
#define LAPIC_STARTUP 0x4600U /* or'ed with the page's number */

/* Send @command to the local APIC with number @id, or to @cpu's. */
void lapic_send(uint32_t id, uint32_t command);
void lapic_send_cpu(unsigned int cpu, uint32_t command);

/* One-shot: @count ticks of the timer's clock from now; 0 stops it. */
void lapic_timer_set(uint32_t count);
uint32_t lapic_timer_count(void);

/*
 * Address and data of a message-signalled interrupt that raises @vector on
 * @cpu.
 */
void msi_compose(unsigned int cpu, uint8_t vector, uint64_t *address,
                 uint32_t *data);

/* An IO-APIC whose registers are mapped at @mmio handles GSIs from @gsi on. */
void ioapic_add(volatile void *mmio, uint32_t gsi);

/*
 * Send @gsi to @vector of this CPU; unmasked.  False: no IO-APIC has that
 * GSI.
 */
bool ioapic_route(uint32_t gsi, uint8_t vector, bool level, bool active_low);

/* Mask everything at the two 8259s, out of the way of the exceptions. */
void pic_disable(void);
