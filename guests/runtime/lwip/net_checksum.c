/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Internet checksum's sum, 32 bytes a step: 64-bit words added as halves
 * into sums that cannot overflow for any packet.
 */

#include <stdint.h>

#include "lwip/arch.h"

typedef uint64_t word8 __attribute__((aligned(1), may_alias));
typedef uint16_t word2 __attribute__((aligned(1), may_alias));

static uint64_t halves(uint64_t word)
{
    return (word & 0xffffffffU) + (word >> 32);
}

/* In the byte order of memory, which is the one lwIP expects. */
uint16_t net_checksum(const void *data, int size)
{
    const uint8_t *at = data;
    uint64_t sum = 0;

    for (; size >= 32; size -= 32, at += 32)
        sum += halves(*(const word8 *)at) + halves(*(const word8 *)(at + 8)) +
               halves(*(const word8 *)(at + 16)) +
               halves(*(const word8 *)(at + 24));
    for (; size >= 2; size -= 2, at += 2)
        sum += *(const word2 *)at;
    if (size > 0)
        sum += *at;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}
