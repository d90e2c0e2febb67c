/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed data, made with the libraries of this machine. */

#ifndef TESTS_UNIT_CONTROL_KERNEL_PACK_H
#define TESTS_UNIT_CONTROL_KERNEL_PACK_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "kernel/unpack.h"

#define LZ4_BLOCK_MAX (8U << 20)

struct packed {
    uint8_t *data; /* of just this size, so that reading on is found */
    size_t size;
};

static inline struct packed packed_copy(const void *data, size_t size)
{
    struct packed p = {malloc(size), size};

    if (size)
        memcpy(p.data, data, size);

    return p;
}

/* @data is freed. */
static inline struct packed packed_shrink(uint8_t *data, size_t size)
{
    struct packed p = packed_copy(data, size);

    free(data);

    return p;
}

static inline size_t pack_room(size_t size)
{
    return size + size / 8 + (64U << 10);
}

/* Each @block bytes are a block of their own; 0: as the library likes. */
static inline struct packed pack_gzip(const void *data, size_t size,
                                      size_t block)
{
    uint8_t *out = malloc(pack_room(size));
    z_stream z = {0};
    size_t left = size;

    (void)deflateInit2(&z, 1, Z_DEFLATED, 16 + MAX_WBITS, 8,
                       Z_DEFAULT_STRATEGY);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.next_out = out;
    z.avail_out = (uInt)pack_room(size);
    while (block && left > block) {
        z.avail_in = (uInt)block;
        left -= block;
        (void)deflate(&z, Z_FULL_FLUSH);
    }
    z.avail_in = (uInt)left;
    (void)deflate(&z, Z_FINISH);
    size = z.total_out;
    (void)deflateEnd(&z);

    return packed_shrink(out, size);
}

static inline size_t put_word(uint8_t *to, size_t at, uint32_t word)
{
    memcpy(to + at, &word, sizeof(word));

    return at + sizeof(word);
}

/* As Linux has it made: the legacy frame, and the size of all behind it. */
static inline struct packed pack_lz4(const void *data, size_t size,
                                     size_t block)
{
    uint8_t *out = malloc(pack_room(size));
    size_t at = put_word(out, 0, 0x184c2102);

    if (!block)
        block = LZ4_BLOCK_MAX;
    for (size_t done = 0; done < size; done += block) {
        size_t n = size - done < block ? size - done : block;
        int bytes = LZ4_compress_default((const char *)data + done,
                                         (char *)out + at + 4, (int)n,
                                         LZ4_compressBound((int)n));

        at = put_word(out, at, (uint32_t)bytes) + (size_t)bytes;
    }
    at = put_word(out, at, (uint32_t)size);

    return packed_shrink(out, at);
}

static inline struct packed pack_xz_filters(const void *data, size_t size,
                                            size_t block,
                                            const lzma_filter *filters)
{
    uint8_t *out = malloc(pack_room(size));
    lzma_stream xz = LZMA_STREAM_INIT;
    size_t left = size;

    if (lzma_stream_encoder(&xz, filters, LZMA_CHECK_CRC32) != LZMA_OK)
        abort();
    xz.next_in = data;
    xz.next_out = out;
    xz.avail_out = pack_room(size);
    while (block && left > block) {
        xz.avail_in = block;
        left -= block;
        while (lzma_code(&xz, LZMA_FULL_FLUSH) == LZMA_OK)
            ;
    }
    xz.avail_in = left;
    while (lzma_code(&xz, LZMA_FINISH) == LZMA_OK)
        ;
    size = xz.total_out;
    lzma_end(&xz);

    return packed_shrink(out, size);
}

/* As Linux has it made for x86, but for the size of the dictionary. */
static inline struct packed pack_xz(const void *data, size_t size, size_t block)
{
    lzma_options_lzma options;
    lzma_filter filters[] = {
        {LZMA_FILTER_X86, NULL},
        {LZMA_FILTER_LZMA2, &options},
        {LZMA_VLI_UNKNOWN, NULL},
    };

    (void)lzma_lzma_preset(&options, 0);
    options.dict_size = 64U << 10;

    return pack_xz_filters(data, size, block, filters);
}

/* The size of what is inside is not told: it comes through a pipe. */
static inline struct packed pack_zstd(const void *data, size_t size,
                                      size_t block)
{
    ZSTD_outBuffer out = {malloc(pack_room(size)), pack_room(size), 0};
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    ZSTD_inBuffer in = {data, 0, 0};

    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_compressionLevel, 1);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_windowLog, 17);
    (void)ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, 1);
    while (block && size - in.size > block) {
        in.size += block;
        (void)ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_flush);
    }
    if (!block) /* Nothing ends at once, or its size would be known. */
        (void)ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_flush);
    in.size = size;
    (void)ZSTD_compressStream2(zstd, &out, &in, ZSTD_e_end);
    (void)ZSTD_freeCCtx(zstd);

    return packed_shrink(out.dst, out.pos);
}

static inline struct packed pack(enum unpack_format format, const void *data,
                                 size_t size, size_t block)
{
    switch (format) {
    case UNPACK_GZIP:
        return pack_gzip(data, size, block);
    case UNPACK_LZ4:
        return pack_lz4(data, size, block);
    case UNPACK_XZ:
        return pack_xz(data, size, block);
    case UNPACK_ZSTD:
        return pack_zstd(data, size, block);
    case UNPACK_NONE:
        break;
    }

    return packed_copy(data, size);
}

#endif /* TESTS_UNIT_CONTROL_KERNEL_PACK_H */
