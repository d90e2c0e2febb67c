/* SPDX-License-Identifier: BSD-2-Clause */
/* What gzip compressed, by zlib. */

#pragma once

/* Whether the @bytes at @file begin like gzip's. */
bool is_gzip(const void *file, uint64_t bytes);

/* How many come out of them, as its last ones say: nobody has checked that. */
uint64_t gzip_size(const uint8_t *file, uint64_t bytes);

/* zlib's own records, and what a copy of the last 32 KiB takes. */
#define GZIP_WORK (64UL << 10)

/*
 * Unpack them into the @size bytes at @to, with GZIP_WORK bytes of memory at
 * @work, aligned as any object.  NULL, or what is wrong with them.
 */
const char *gzip_unpack(void *to, uint64_t size, const void *file,
                        uint64_t bytes, void *work);
