/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Atomic bit operations on words shared with other cpus or with a guest.
 *
 * Every changing operation here is a full barrier, like the lock-prefixed
 * instruction it becomes; callers that order several bits rely on that.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Set bit @nr of the bitmap at @map; true if it was already set. */
static inline bool bit_test_and_set(uint64_t *map, uint32_t nr)
{
    uint64_t mask = 1ULL << (nr % 64);

    return __atomic_fetch_or(&map[nr / 64], mask, __ATOMIC_SEQ_CST) & mask;
}

/* Clear bit @nr; true if it was set. */
static inline bool bit_test_and_clear(uint64_t *map, uint32_t nr)
{
    uint64_t mask = 1ULL << (nr % 64);

    return __atomic_fetch_and(&map[nr / 64], ~mask, __ATOMIC_SEQ_CST) & mask;
}

static inline bool bit_test(const uint64_t *map, uint32_t nr)
{
    return __atomic_load_n(&map[nr / 64], __ATOMIC_SEQ_CST) >> (nr % 64) & 1;
}
