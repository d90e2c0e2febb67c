/* SPDX-License-Identifier: BSD-2-Clause */
/* Symbols from the table that the build links in, and frames by rbp. */

#include "core/panic.h"

#include "arch/x86_64/smp.h"

/* config/hypervisor.mk makes these from the first link. */
extern const uint32_t symbol_count, symbol_name[];
extern const uint64_t symbol_address[];
extern const char symbol_names[];

extern const char image_start[], image_text_end[];

#define FRAMES_MAX 32

static bool is_code(uint64_t address)
{
    return address >= (uintptr_t)image_start &&
           address < (uintptr_t)image_text_end;
}

const char *symbol_find(uint64_t address, uint64_t *offset)
{
    uint32_t beyond = symbol_count;

    if (!is_code(address))
        return NULL;
    while (beyond && symbol_address[beyond - 1] > address)
        beyond--;
    if (!beyond)
        return NULL;
    *offset = address - symbol_address[beyond - 1];
    return symbol_names + symbol_name[beyond - 1];
}

/* A word in a mapped page of a CPU's area. */
static bool is_readable(uint64_t address)
{
    return address % 8 == 0 && address >= CPU_AREAS_BASE &&
           address < GDT_AREAS_BASE &&
           CPU_AREA_PAGES >> (address % CPU_AREA_SIZE / PAGE_SIZE) & 1;
}

void backtrace(uint64_t rbp, void (*print)(uint64_t address))
{
    for (int i = 0; i < FRAMES_MAX; i++) {
        const uint64_t *frame = (const uint64_t *)rbp;

        if (!is_readable(rbp) || !is_readable(rbp + 8) || !is_code(frame[1]))
            return;
        print(frame[1]);
        if (frame[0] <= rbp) /* Frames of callers lie above. */
            return;
        rbp = frame[0];
    }
}
