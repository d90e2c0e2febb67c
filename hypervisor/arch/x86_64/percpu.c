/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a CPU's area is. */

#include "arch/x86_64/percpu.h"

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/regs.h"

DEFINE_PER_CPU(bool, slow_return) = true;
DEFINE_PER_CPU(const uint8_t *, upcall_bytes);
DEFINE_PER_CPU(uint8_t, guest_mode);

static_assert(CPU_AREA_VARS == CPU_AREA_STACK_TOP,
              "entry.S finds variables behind the stack");
static_assert(CPU_AREAS_BASE + CPU_MAX * CPU_AREA_SIZE <= GDT_AREAS_BASE,
              "the areas fit");

uintptr_t cpu_area_of(unsigned int cpu)
{
    assert(cpu < CPU_MAX);
    return CPU_AREAS_BASE + cpu * CPU_AREA_SIZE;
}

uintptr_t gdt_area_of(unsigned int cpu)
{
    assert(cpu < CPU_MAX);
    return GDT_AREAS_BASE + cpu * CPU_AREA_SIZE;
}

uintptr_t ldt_area_of(unsigned int cpu)
{
    assert(cpu < CPU_MAX);
    return LDT_AREAS_BASE + cpu * CPU_AREA_SIZE;
}
