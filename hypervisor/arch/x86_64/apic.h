/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of each CPU, and the machine's IO-APICs. */

#ifndef ARCH_X86_64_APIC_H
#define ARCH_X86_64_APIC_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/frame_number.h"

/*
 * Enable this CPU's local APIC, in x2APIC mode where the CPU has that; @mmio
 * is where its registers are mapped otherwise.
 */
void lapic_init(volatile void *mmio);

/* Whether lapic_init() will need its registers mapped, and where they are. */
bool lapic_needs_mmio(maddr_t *maddr);

uint32_t lapic_id(void);
void lapic_eoi(void);

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

#endif /* ARCH_X86_64_APIC_H */
