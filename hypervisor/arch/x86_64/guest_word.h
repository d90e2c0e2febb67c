/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Single moves from and to a guest's addresses.  False: a fault that cannot be
 * resolved.  guest_copy.h has the conditions.
 */

#pragma once

#include "arch/x86_64/guest_access.h"

/* clang-format off */

/* guest_load(), guest_store(), and the same with 32 at the end. */
#define GUEST_WORD_(bits, name, suffix)                                        \
    static inline bool __must_check guest_load##name(uint64_t va,              \
                                                     uint##bits##_t *value)    \
    {                                                                          \
        uint##bits##_t loaded;                                                 \
                                                                               \
        __asm__ goto("1: mov" suffix " %1, %0\n" EX_TABLE(1b, %l[fault])       \
                     : "=r"(loaded)                                            \
                     : "m"(*(const volatile uint##bits##_t *)va)               \
                     : "memory"                                                \
                     : fault);                                                 \
        *value = loaded;                                                       \
        return true;                                                           \
    fault:                                                                     \
        return false;                                                          \
    }                                                                          \
    static inline bool __must_check guest_store##name(uint64_t va,             \
                                                      uint##bits##_t value)    \
    {                                                                          \
        __asm__ goto("1: mov" suffix " %1, %0\n" EX_TABLE(1b, %l[fault])       \
                     : "=m"(*(volatile uint##bits##_t *)va)                    \
                     : "r"(value)                                              \
                     : "memory"                                                \
                     : fault);                                                 \
        return true;                                                           \
    fault:                                                                     \
        return false;                                                          \
    }
GUEST_WORD_(64, , "q")
GUEST_WORD_(32, 32, "l")
#undef GUEST_WORD_

/* clang-format on */
