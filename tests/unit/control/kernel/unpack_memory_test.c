/* SPDX-License-Identifier: BSD-2-Clause */
/* Decompressing when memory is short: the sanitizer gives out no large piece.
 */
/* LINK: guests/control/kernel/unpack.c */
/* LIBS: -lz -llz4 -llzma -lzstd */

#include "test.h"

#include <rt/thread.h>

#include "control/kernel/pack.h"

const char *__asan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=4:verbosity=0";
}

void thread_yield(void)
{
}

static bool gather(void *context, const void *bytes, size_t size)
{
    (void)bytes;
    *(size_t *)context += size;

    return true;
}

static void short_of_memory(enum unpack_format format, struct packed p)
{
    const char *why = NULL;
    size_t got = 0;

    EXPECT_FALSE(unpack(format, p.data, p.size, 1000, gather, &got, &why));
    EXPECT_STR(why, "the control domain is out of memory");
    EXPECT_EQ(got, 0);
    free(p.data);
}

TEST("that memory is short is told from data that are damaged")
{
    lzma_options_lzma options;
    lzma_filter plain[] = {{LZMA_FILTER_LZMA2, &options},
                           {LZMA_VLI_UNKNOWN, NULL}};
    struct packed p;

    /* Its blocks are 8 MiB. */
    short_of_memory(UNPACK_LZ4, pack_lz4("abc", 3, 0));

    /* A dictionary of 32 MiB, claimed. */
    (void)lzma_lzma_preset(&options, 0);
    p = pack_xz_filters("abc", 3, 0, plain);
    p.data[16] = 26;
    (void)put_word(p.data, 20, lzma_crc32(p.data + 12, 8, 0));
    short_of_memory(UNPACK_XZ, p);

    /* And a window. */
    p = pack_zstd("abc", 3, 0);
    p.data[5] = 15 << 3;
    short_of_memory(UNPACK_ZSTD, p);
}
