/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/boot/unpack.c */
/* LIBS: -lz */
/* A compressed image as a boot loader brings it: good, and bad in every place.
 */

#include "boot/unpack.h"

#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "unit/test.h"

#define SIZE    100000U /* three times zlib's window */
#define TRAILER 8U      /* sum and length */

static uint8_t plain[SIZE], packed[2 * SIZE];
static uint64_t bytes;

static const char early[] = "its compressed data end too early";

void setup(void)
{
    z_stream z = {0};
    uint32_t noise = 1;

    for (unsigned int i = 0; i < SIZE; i++) {
        noise = noise * 1664525 + 1013904223;
        plain[i] = i % 4 ? (uint8_t)(i / 100) : (uint8_t)(noise >> 24);
    }
    (void)deflateInit2(&z, 9, Z_DEFLATED, 16 + MAX_WBITS, 8,
                       Z_DEFAULT_STRATEGY);
    z.next_in = plain;
    z.avail_in = SIZE;
    z.next_out = packed;
    z.avail_out = sizeof(packed);
    EXPECT_EQ(deflate(&z, Z_FINISH), Z_STREAM_END);
    bytes = z.total_out;
    (void)deflateEnd(&z);
}

/* From and to memory of just the size that it may touch. */
static const char *unpack(uint64_t size, uint64_t count)
{
    uint8_t *to = malloc(size + 1), *file = malloc(count + 1);
    void *work = malloc(GZIP_WORK);
    const char *wrong;

    memcpy(file + 1, packed, count);
    wrong = gzip_unpack(to + 1, size, file + 1, count, work);
    if (!wrong)
        EXPECT_EQ(memcmp(to + 1, plain, size), 0);
    free(to);
    free(file);
    free(work);
    return wrong;
}

static void set_length(uint32_t length)
{
    memcpy(packed + bytes - sizeof(length), &length, sizeof(length));
}

TEST("what gzip has compressed is known, as is its length, and comes out")
{
    EXPECT_TRUE(is_gzip(packed, bytes));
    EXPECT_EQ(gzip_size(packed, bytes), SIZE);
    EXPECT_TRUE(unpack(SIZE, bytes) == NULL);
}

TEST("what has another beginning, or hardly any, is not gzip's")
{
    EXPECT_FALSE(is_gzip("\177ELF", 4));
    EXPECT_FALSE(is_gzip("\37\212", 2));
    EXPECT_FALSE(is_gzip("\37", 1));
    EXPECT_FALSE(is_gzip(NULL, 0));
    EXPECT_TRUE(is_gzip("\37\213", 2));
    EXPECT_EQ(gzip_size(packed, 3), 0);
    EXPECT_EQ(gzip_size(packed, 0), 0);
}

TEST("data that end too early are refused, wherever that is")
{
    for (uint64_t count = 0; count < bytes; count += count < 64 ? 1 : 499)
        EXPECT_STR(unpack(SIZE, count), early);
    for (uint64_t count = bytes - 1; count >= bytes - TRAILER; count--)
        EXPECT_STR(unpack(SIZE, count), early);
}

TEST("a length that is not theirs is refused, less or more")
{
    set_length(SIZE - 1);
    EXPECT_STR(unpack(SIZE - 1, bytes), "there is more in it than it says");
    set_length(SIZE + 1);
    EXPECT_STR(unpack(SIZE + 1, bytes), "incorrect length check");
    set_length(0);
    EXPECT_STR(unpack(0, bytes), "there is more in it than it says");
    set_length(UINT32_MAX);
    EXPECT_EQ(gzip_size(packed, bytes), UINT32_MAX);
    EXPECT_STR(gzip_unpack(plain, 1UL << 32, packed, bytes, plain),
               "it has more than 4 GiB");
    EXPECT_STR(gzip_unpack(plain, SIZE, packed, 1UL << 32, plain),
               "it has more than 4 GiB");
}

TEST("a wrong sum, and what follows the data, are refused")
{
    packed[bytes - TRAILER] ^= 1;
    EXPECT_STR(unpack(SIZE, bytes), "incorrect data check");
    packed[bytes - TRAILER] ^= 1;
    EXPECT_STR(unpack(SIZE, bytes + 5),
               "something follows its compressed data");
}

TEST("no byte that is changed is taken for what it was not")
{
    unsigned int refused = 0;

    for (uint64_t at = 0; at < bytes; at += at < 64 ? 1 : 97) {
        uint8_t old = packed[at];

        packed[at] ^= 0x55;
        refused += unpack(SIZE, bytes) != NULL;
        packed[at] = old;
    }
    EXPECT_TRUE(refused > bytes / 97);
}
