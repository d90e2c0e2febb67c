/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For tests: random bytes that are often an instruction the decoder of class
 * pv takes.  The same every time the test runs.
 */

#ifndef TESTS_UNIT_PV_INSN_RANDOM_H
#define TESTS_UNIT_PV_INSN_RANDOM_H

#include <stdint.h>

#include "pv/decode.h"

static uint64_t random_state = 0x9e3779b97f4a7c15UL;

static inline uint64_t random_next(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dUL;
}

static inline unsigned int random_below(unsigned int limit)
{
    return (unsigned int)((random_next() >> 32) * limit >> 32);
}

/* A number near one of the places where arithmetic changes, or any. */
static inline uint64_t random_value(void)
{
    uint64_t value = random_next();

    switch (random_below(4)) {
    case 0:
        return value;
    case 1:
        return (1UL << (value & 63)) - (value >> 62);
    case 2:
        return -(value & 3);
    default:
        return value & 0xff;
    }
}

/* Fills all INSN_MAX bytes. */
static inline void random_insn(uint8_t *bytes)
{
    static const uint8_t prefix[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
                                     0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x40};
    /* All that decode.c has a row for, and neighbours that it has none for. */
    static const uint8_t one[] = {
        0x6c, 0x6d, 0x6e, 0x6f, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86,
        0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8f, 0xa2, 0xa3, 0xa4, 0xa5,
        0xaa, 0xab, 0xac, 0xc4, 0xc5, 0xc6, 0xc7, 0xe4, 0xe5, 0xe6, 0xe7,
        0xec, 0xed, 0xee, 0xef, 0xf4, 0xf6, 0xf7, 0xfa, 0xfb, 0xfe, 0xff};
    static const uint8_t two[] = {0x00, 0x01, 0x06, 0x08, 0x09, 0x20, 0x21,
                                  0x22, 0x23, 0x24, 0x30, 0x31, 0x32, 0x33,
                                  0xa2, 0xa3, 0xab, 0xb0, 0xb1, 0xb3, 0xba,
                                  0xbb, 0xc0, 0xc1, 0xc2, 0xc3, 0xc7, 0xae};
    static const uint8_t group[] = {0x80, 0x81, 0x83, 0xc6, 0xc7,
                                    0xf6, 0xf7, 0xfe, 0xff};
    unsigned int at = 0, kind = random_below(16);

    for (unsigned int i = 0; i < INSN_MAX; i++)
        bytes[i] = (uint8_t)random_next();
    if (kind == 0)
        return;
    while (at < 14 && random_below(2))
        bytes[at++] = prefix[random_below(sizeof(prefix))];
    if (at < 14 && random_below(2))
        bytes[at++] = (uint8_t)(0x40 | random_below(16));
    if (kind < 6) {
        bytes[at] = one[random_below(sizeof(one))];
    } else if (kind < 8) {
        bytes[at] = group[random_below(sizeof(group))];
    } else if (kind < 10) {
        bytes[at] = (uint8_t)(random_below(8) * 8 + random_below(2));
    } else if (at + 1 < INSN_MAX) {
        bytes[at++] = 0x0f;
        bytes[at] = two[random_below(sizeof(two))];
        if (bytes[at] == 1 && at + 1 < INSN_MAX)
            bytes[at + 1] =
                0xc0 |
                (random_below(2) ? bytes[at + 1] : (bytes[at + 1] & 0x38) | 1);
    }
}

#endif /* TESTS_UNIT_PV_INSN_RANDOM_H */
