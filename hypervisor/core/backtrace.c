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
    uint32_t low = 0, high = symbol_count;

    if (!is_code(address))
        return NULL;
    while (low < high) { /* the first symbol beyond @address */
        uint32_t middle = low + (high - low) / 2;

        if (symbol_address[middle] <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    *offset = address - symbol_address[low - 1];
    return symbol_names + symbol_name[low - 1];
}

/* Both words of a frame, rbp and the return address, in a mapped page. */
static bool frame_readable(uint64_t rbp)
{
    uint64_t offset = rbp - CPU_AREAS_BASE;

    if (offset >= CPU_MAX * CPU_AREA_SIZE || rbp % 8)
        return false;
    offset %= CPU_AREA_SIZE;
    return CPU_AREA_PAGES >> (offset >> 12) & 1 &&
           CPU_AREA_PAGES >> ((offset + 15) >> 12) & 1 &&
           offset + 16 <= CPU_AREA_SIZE;
}

void backtrace(uint64_t rbp, void (*print)(uint64_t address))
{
    for (int i = 0; i < FRAMES_MAX && frame_readable(rbp); i++) {
        const uint64_t *frame = (const uint64_t *)rbp;

        if (!is_code(frame[1]))
            return;
        print(frame[1]);
        if (frame[0] <= rbp) /* Frames of callers lie above. */
            return;
        rbp = frame[0];
    }
}
