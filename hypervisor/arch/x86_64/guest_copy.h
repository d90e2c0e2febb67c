/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instructions that touch a guest's addresses from ring 0.  A fault that
 * cannot be resolved makes them answer false.  The caller has checked the
 * address and opened the window (guest_access.h).
 */

#pragma once

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/guest_access.h"

#if defined(UNIT_TEST) && !defined(UNIT_TEST_GUEST_COPY)
#include "doubles/guest_words.h"
#else

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

#endif

/* Either address may be the guest's. */
static inline bool __must_check guest_string_copy(uint64_t to, uint64_t from,
                                                  size_t size)
{
    uint64_t rest = size % sizeof(uint64_t), count = size / sizeof(uint64_t);
    uint32_t done = 0;

    /* The count of the second, mostly 0, is loaded only after the first. */
    __asm__ __volatile__("1: rep movsq\n"
                         "   mov %[rest], %[count]\n"
                         "2: rep movsb\n"
                         "   mov $1, %[done]\n"
                         "3:\n" EX_TABLE(1b, 3b) EX_TABLE(2b, 3b)
                         : [done] "+r"(done), [count] "+c"(count), "+D"(to),
                           "+S"(from)
                         : [rest] "r"(rest)
                         : "memory");
    return done;
}

/*
 * @va if it lies below @lower_end or at or above @upper, else 0, by arithmetic
 * alone: a mispredicted range check must not let a load run ahead into the
 * hypervisor.
 */
static inline uint64_t guest_address_nospec(uint64_t va, uint64_t lower_end,
                                            uint64_t upper)
{
    uint64_t below, not_above;

    __asm__("cmp %[lower_end], %[va]\n\t"
            "sbb %[below], %[below]\n\t"
            "cmp %[upper], %[va]\n\t"
            "sbb %[not_above], %[not_above]"
            : [below] "=&r"(below), [not_above] "=&r"(not_above)
            : [va] "r"(va), [lower_end] "r"(lower_end), [upper] "r"(upper)
            : "cc");
    return va & (below | ~not_above);
}

/* Bits 47 to 63 are 0 in the lower half of the addresses. */
#define GUEST_UPPER_BITS 17
/* In neither half: an access faults. */
#define GUEST_NOWHERE (1UL << 47)

/*
 * The rest of guest_address(), for @va that is not in the lower half.  An
 * address with the bits of the guests' first one in the upper half is a
 * guest's.
 */
static __in_place uint64_t guest_address_high(uint64_t va)
{
    uint64_t at = va | HV_VIRT_END;

    if (unlikely(at != va))
        at = va < HV_VIRT_END ? GUEST_NOWHERE
                              : guest_address_nospec(va, 0, HV_VIRT_END);
    return at;
}

/*
 * Where a few words at @va may be accessed: there, if it is a guest's address,
 * else nowhere; in speculation, too.
 */
static __in_place uint64_t guest_address(uint64_t va)
{
    uint64_t at = va << GUEST_UPPER_BITS >> GUEST_UPPER_BITS;

    if (unlikely(at != va))
        at = guest_address_high(va);
    /* One register from here on, whichever way it came. */
    __asm__("" : "+r"(at));
    return at;
}

/*
 * The same where it is likely to be in the upper half, as kernels of class pv
 * are.
 */
static __in_place uint64_t guest_address_upper(uint64_t va)
{
    uint64_t at = va | HV_VIRT_END;

    if (unlikely(at != va))
        return guest_address(va);
    __asm__("" : "+r"(at));
    return at;
}
