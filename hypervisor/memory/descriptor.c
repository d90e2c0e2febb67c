/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ring 0 and 1 are nobody's but ours, so a segment is always one of ring 3.
 * Of system descriptors a guest may have call gates only, and these nobody can
 * go through: the processor faults, for their privilege level is 0.
 */

#include "memory/descriptor.h"

#define DESC_TYPE_SHIFT 40
#define DESC_SEGMENT    (1UL << 44) /* else: of the system */
#define DESC_DPL        (3UL << 45)
#define DESC_PRESENT    (1UL << 47)

#define SYSTEM_NONE      0x0U /* or the upper half of a call gate */
#define SYSTEM_CALL_GATE 0xcU

/* Selectors: from here on they are the hypervisor's but for one. */
#define SELECTOR_OWN    0xe000U
#define SELECTOR_CODE64 0xe033U
#define SELECTOR_LDT    4U

#define GATE_SELECTOR_SHIFT 16

static bool gate_fix(uint64_t *descriptor)
{
    uint64_t d = *descriptor;
    uint16_t selector = (uint16_t)(d >> GATE_SELECTOR_SHIFT);

    if (selector >= SELECTOR_OWN && selector != SELECTOR_CODE64 &&
        !(selector & SELECTOR_LDT))
        return false;
    /* The level that it would have is told where a gate has no use for it. */
    *descriptor = (d & ~DESC_DPL) | 3UL << GATE_SELECTOR_SHIFT;
    return true;
}

bool descriptor_fix(uint64_t *descriptor)
{
    uint64_t d = *descriptor;
    unsigned int type = d >> DESC_TYPE_SHIFT & 0xf;

    if (!(d & DESC_PRESENT))
        return true;
    if (!(d & DESC_SEGMENT))
        return type == SYSTEM_CALL_GATE ? gate_fix(descriptor)
                                        : type == SYSTEM_NONE;
    *descriptor = d | DESC_DPL;
    return true;
}
