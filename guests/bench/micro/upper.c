/* SPDX-License-Identifier: BSD-2-Clause */
/* A second place for all that we have, in the upper half: see measure.h. */

#include "micro/measure.h"

#include "framework/machine.h"
#include "framework/print.h"
#include "framework/tables.h"

#include "micro/entry.h"

#define UPPER_SLOT 511U
#define UPPER_BASE 0xffffff8000000000UL

uint64_t upper_half;

void measure_from_upper_half(void (*fn)(void))
{
    const uint64_t *own = (const void *)(uintptr_t)start_info->pt_base;

    if (on_cairn) {
        fn();
        return;
    }
    if (mmu_one(entry_at(own, UPPER_SLOT), own[0]) == 0)
        upper_half = UPPER_BASE;
    else
        print("no upper half\n");
    micro_move_stack(fn, upper_half);
}
