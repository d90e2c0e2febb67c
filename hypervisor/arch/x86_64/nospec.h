/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeping guest-chosen indices inside their tables, in speculation too. */

#pragma once

/*
 * @index when it is below @limit, else 0, with no branch to be mistrained: a
 * guest's number must not steer a speculative load out of the table.
 */
static inline uint64_t index_nospec(uint64_t index, uint64_t limit)
{
    uint64_t mask;

    __asm__("cmp %2, %1\n\t"
            "sbb %0, %0"
            : "=r"(mask)
            : "r"(index), "r"(limit)
            : "cc");
    return index & mask;
}
