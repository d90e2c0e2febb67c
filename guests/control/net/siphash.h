/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SipHash-1-3 of short keys: a hash whose collisions nobody can choose
 * without knowing the secret, for tables that guests or the network fill.
 */

#ifndef CONTROL_NET_SIPHASH_H
#define CONTROL_NET_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
    uint64_t k0, k1;
};

/* Hash @count words. */
uint64_t siphash_words(const struct siphash_key *key, const uint64_t *word,
                       size_t count);

#endif /* CONTROL_NET_SIPHASH_H */
