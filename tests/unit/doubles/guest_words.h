/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's words in unit tests, in place of those of arch/x86_64/guest_copy.h.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the test: move a word of @size bytes; false: it cannot be. */
bool unit_test_guest_word(uint64_t va, void *value, size_t size, bool store);

static inline bool guest_load(uint64_t va, uint64_t *value)
{
    return unit_test_guest_word(va, value, sizeof(*value), false);
}

static inline bool guest_load32(uint64_t va, uint32_t *value)
{
    return unit_test_guest_word(va, value, sizeof(*value), false);
}

static inline bool guest_store(uint64_t va, uint64_t value)
{
    return unit_test_guest_word(va, &value, sizeof(value), true);
}

static inline bool guest_store32(uint64_t va, uint32_t value)
{
    return unit_test_guest_word(va, &value, sizeof(value), true);
}

/* Whole structures are the test's to copy, too. */
#define guest_copy_inline(size) false
