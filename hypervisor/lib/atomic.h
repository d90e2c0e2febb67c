/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other CPUs or a guest may read and write at the same time.  Each of
 * these that changes something is a full barrier, like the lock-prefixed
 * instruction it becomes, but for atomic_write(); callers that order several
 * bits rely on that.
 */

#pragma once

/* A single access, which the compiler neither splits nor repeats. */
#define atomic_read(p)     __atomic_load_n(p, __ATOMIC_RELAXED)
#define atomic_write(p, v) __atomic_store_n(p, v, __ATOMIC_RELAXED)

#define atomic_add(p, v)      __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_sub(p, v)      __atomic_sub_fetch(p, v, __ATOMIC_SEQ_CST)
#define atomic_exchange(p, v) __atomic_exchange_n(p, v, __ATOMIC_SEQ_CST)

/* Set or clear bits; these return what was there before. */
#define atomic_or(p, bits)  __atomic_fetch_or(p, bits, __ATOMIC_SEQ_CST)
#define atomic_and(p, bits) __atomic_fetch_and(p, bits, __ATOMIC_SEQ_CST)

/* If *p equals *expected, store @v and return true; else load *expected. */
#define atomic_cmpxchg(p, expected, v)                                         \
    __atomic_compare_exchange_n(p, expected, v, false, __ATOMIC_SEQ_CST,       \
                                __ATOMIC_SEQ_CST)

/* Set bit @nr of the bitmap at @map; true if it was already set. */
static inline bool bit_test_and_set(uint64_t *map, uint32_t nr)
{
    uint64_t mask = 1ULL << (nr % 64);

    return atomic_or(&map[nr / 64], mask) & mask;
}

/* Clear bit @nr; true if it was set. */
static inline bool bit_test_and_clear(uint64_t *map, uint32_t nr)
{
    uint64_t mask = 1ULL << (nr % 64);

    return atomic_and(&map[nr / 64], ~mask) & mask;
}

static inline bool bit_test(const uint64_t *map, uint32_t nr)
{
    return __atomic_load_n(&map[nr / 64], __ATOMIC_SEQ_CST) >> (nr % 64) & 1;
}
