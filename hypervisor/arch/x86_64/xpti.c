/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest's tables map of the hypervisor under xpti. */

#include "arch/x86_64/regs.h"

#include "arch/x86_64/segment.h"

extern const char entry_text_start[], entry_text_end[];

uint64_t xpti_l4_entry;

static uint64_t entry_l4[PT_ENTRIES] __page_aligned;

/* The entry page, and the stacks of #MC, NMI, #DF and #DB. */
#define AREA_PAGES_ENTERED 0xa01aU

static bool show(vaddr_t from, uint64_t bytes)
{
    for (vaddr_t va = from; va < from + bytes; va += PAGE_SIZE)
        if (!hv_map_again(entry_l4, va))
            return false;
    return true;
}

static bool show_cpu(unsigned int cpu)
{
    for (unsigned int i = 0; i < CPU_AREA_SIZE / PAGE_SIZE; i++)
        if (AREA_PAGES_ENTERED >> i & 1 &&
            !show(area_of(CPU_AREAS_BASE, cpu) + i * PAGE_SIZE, PAGE_SIZE))
            return false;
    return show(area_of(GDT_AREAS_BASE, cpu), GDT_AREA_USED);
}

bool xpti_init(void)
{
    if (!show((vaddr_t)entry_text_start,
              (uint64_t)(entry_text_end - entry_text_start)) ||
        !show((vaddr_t)idt_page(), PAGE_SIZE))
        return false;
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++)
        if (!show_cpu(cpu))
            return false;
    xpti_l4_entry = entry_l4[XPTI_L4_INDEX];
    return true;
}
