/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that are unlikely to come twice. */

#include "domain/random.h"

#include <string.h>

#include <rt/time.h>

static uint64_t state;

/* SplitMix64, stirred with the clocks at each step. */
static uint64_t next(void)
{
    uint64_t z;

    state += 0x9e3779b97f4a7c15ULL + rt_wall_ns() +
             __builtin_ia32_rdtsc() * 0x2545f4914f6cdd1dULL;
    z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;

    return z ^ (z >> 31);
}

void random_uuid(uint8_t uuid[16])
{
    uint64_t words[2] = {next(), next()};

    memcpy(uuid, words, sizeof(words));
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}
