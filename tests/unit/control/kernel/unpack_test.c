/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompressing what nobody trusts: good data of each format in every shape,
 * and bad data of every kind, which end with a sentence and nothing else.
 */
/* LINK: guests/control/kernel/unpack.c */
/* LIBS: -lz -llz4 -llzma -lzstd */

#include "test.h"

#include <sys/mman.h>

#include <rt/thread.h>

#include "control/kernel/pack.h"

#define MIB       (1UL << 20)
#define LIMIT     (18 * MIB)
#define LZ4_MAGIC 0x184c2102U

static const enum unpack_format formats[] = {UNPACK_GZIP, UNPACK_XZ,
                                             UNPACK_ZSTD, UNPACK_LZ4};

static const char damaged[] = "its compressed data are damaged";
static const char cut_short[] = "its compressed data end too early";
static const char too_big[] = "it holds more than fits";

static unsigned int yields;

void thread_yield(void)
{
    yields++;
}

/* --- What comes out ------------------------------------------------------- */

static uint8_t *in, *out; /* LIMIT bytes each */
static size_t got, wanted;
static unsigned int pieces;
static bool had_enough;
static const char *why;

static bool gather(void *context, const void *bytes, size_t size)
{
    EXPECT_PTR(context, &got);
    EXPECT_FALSE(had_enough);
    REQUIRE(size && size <= LIMIT - got);
    memcpy(out + got, bytes, size);
    got += size;
    pieces++;
    had_enough = got >= wanted;

    return !had_enough;
}

static bool unpack_bytes(enum unpack_format format, const void *data,
                         size_t size, uint64_t limit)
{
    bool ok;

    got = 0;
    pieces = yields = 0;
    had_enough = false;
    why = "nothing was said";
    ok = unpack(format, data, size, limit, gather, &got, &why);
    EXPECT_TRUE(ok ? !why : why && why[0]);
    EXPECT_TRUE(got <= limit);

    return ok;
}

static bool unpack_packed(enum unpack_format format, const struct packed *p)
{
    return unpack_bytes(format, p->data, p->size, LIMIT);
}

/* @p is refused for @reason, and freed. */
static void refused(enum unpack_format format, struct packed p,
                    const char *reason)
{
    EXPECT_FALSE(unpack_packed(format, &p));
    EXPECT_STR(why, reason);
    free(p.data);
}

/* --- What goes in --------------------------------------------------------- */

static uint32_t seed;

static uint32_t next(void)
{
    seed = seed * 1103515245 + 12345;

    return seed >> 8;
}

/* Like code: words that come again, calls, and bytes like no others. */
static void fill(uint8_t *to, size_t size)
{
    size_t at = 0;

    seed = 1;
    while (at < size) {
        size_t n = 1 + next() % 60, from = next() % 5000;

        if (n > size - at)
            n = size - at;
        if (from >= n && from <= at && next() % 4)
            memcpy(to + at, to + at - from, n);
        else
            for (size_t i = 0; i < n; i++)
                to[at + i] = (uint8_t)(i % 5 ? next() : 0xe8);
        at += n;
    }
}

void setup(void)
{
    in = malloc(LIMIT);
    out = malloc(LIMIT);
    wanted = SIZE_MAX;
}

void teardown(void)
{
    free(in);
    free(out);
}

/* Round and back. */
static void round_trip(enum unpack_format format, size_t size, size_t block)
{
    struct packed p = pack(format, in, size, block);

    EXPECT_EQ(unpack_format(p.data, p.size), format);
    EXPECT_TRUE(unpack_packed(format, &p));
    EXPECT_EQ(got, size);
    EXPECT_MEM(out, in, size < got ? size : got);
    EXPECT_TRUE(yields >= pieces);
    free(p.data);
}

TEST("formats are told apart by their magic, all of it")
{
    static const uint8_t none[6] = {0x7f, 'E', 'L', 'F', 2, 1};

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct packed p = pack(formats[i], "abc", 3, 0);
        size_t magic = 0;

        while (magic < 6 && unpack_format(p.data, magic) == UNPACK_NONE)
            magic++;
        EXPECT_EQ(magic, formats[i] == UNPACK_GZIP ? 2
                         : formats[i] == UNPACK_XZ ? 6
                                                   : 4);
        EXPECT_EQ(unpack_format(p.data, p.size), formats[i]);
        p.data[magic - 1] ^= 1;
        EXPECT_EQ(unpack_format(p.data, p.size), UNPACK_NONE);
        free(p.data);
    }
    EXPECT_EQ(unpack_format(none, sizeof(none)), UNPACK_NONE);
    EXPECT_EQ(unpack_format(none, 0), UNPACK_NONE);
    EXPECT_FALSE(unpack_bytes(UNPACK_NONE, none, sizeof(none), LIMIT));
    EXPECT_STR(why, "it is compressed in no way that is known here");
}

TEST("what was compressed comes out, whatever its size")
{
    static const size_t sizes[] = {
        0, 1, 4, 5, 100000, 1 << 18, (1 << 18) + 1, 600001};

    fill(in, 600001);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
            round_trip(formats[i], sizes[s], 0);
}

TEST("what was compressed in several blocks comes out whole")
{
    static const size_t blocks[] = {1, 10, 4096, 70000, 1 << 18};

    fill(in, 300000);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        for (size_t b = 0; b < sizeof(blocks) / sizeof(blocks[0]); b++)
            round_trip(formats[i], blocks[b] < 100 ? 300 : 300000, blocks[b]);
}

TEST("lz4's blocks make up to 8 MiB each")
{
    fill(in, 17 * MIB);
    round_trip(UNPACK_LZ4, 8 * MIB, 0);
    EXPECT_EQ(pieces, 1);
    round_trip(UNPACK_LZ4, 17 * MIB, 0);
    EXPECT_EQ(pieces, 3);
    refused(UNPACK_LZ4, pack_lz4(in, 8 * MIB + 1, 8 * MIB + 1), damaged);
}

TEST("lz4's frames may follow one another, with or without a size at the end")
{
    struct packed a = pack_lz4("first", 5, 0), b = pack_lz4("second", 6, 0);
    size_t frame = a.size - 4; /* without the size */
    uint8_t both[64];

    memcpy(both, a.data, frame);
    memcpy(both + frame, both, 4);
    memcpy(both + frame + 4, b.data, b.size);
    EXPECT_TRUE(unpack_bytes(UNPACK_LZ4, both, frame + 4 + b.size, LIMIT));
    EXPECT_EQ(got, 11);
    EXPECT_MEM(out, "firstsecond", 11);
    EXPECT_TRUE(unpack_bytes(UNPACK_LZ4, both, frame + b.size, LIMIT));
    EXPECT_EQ(got, 11);
    free(a.data);
    free(b.data);
}

TEST("other threads run while magic after magic of lz4 is skipped")
{
    uint32_t *magics = (uint32_t *)(void *)in;

    for (size_t i = 0; i < 1000; i++)
        magics[i] = LZ4_MAGIC;
    EXPECT_TRUE(unpack_bytes(UNPACK_LZ4, in, 4000, LIMIT));
    EXPECT_EQ(got, 0);
    EXPECT_TRUE(yields >= 999);
}

TEST("blocks of lz4 that lie about their size are refused")
{
    static const uint32_t lies[] = {0, 7, 0x7fffffff, 0x80000000, 0xffffffff};
    const size_t huge = (2UL << 30) + 4096;
    struct packed p;
    uint8_t *map;

    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        p = pack_lz4("abcde", 5, 0);
        (void)put_word(p.data, 4, lies[i]);
        refused(UNPACK_LZ4, p, lies[i] > p.size ? cut_short : damaged);
    }

    /* More than any block of 8 MiB becomes, and it is all there. */
    map = mmap(NULL, huge, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    REQUIRE(map != MAP_FAILED);
    (void)put_word(map, 0, LZ4_MAGIC);
    for (size_t i = 0; i < 3; i++) {
        static const uint32_t sizes[] = {LZ4_COMPRESSBOUND(LZ4_BLOCK_MAX) + 1,
                                         0x7fffffff, 0x80000000};

        (void)put_word(map, 4, sizes[i]);
        EXPECT_FALSE(unpack_bytes(UNPACK_LZ4, map, huge, LIMIT));
        EXPECT_STR(why, damaged);
        EXPECT_EQ(got, 0);
    }
    (void)munmap(map, huge);
}

TEST("xz without a filter, and with filters that are not ours")
{
    lzma_options_lzma options;
    lzma_options_delta delta = {.type = LZMA_DELTA_TYPE_BYTE, .dist = 4};
    lzma_filter plain[] = {{LZMA_FILTER_LZMA2, &options},
                           {LZMA_VLI_UNKNOWN, NULL}};
    lzma_filter other[] = {{LZMA_FILTER_DELTA, &delta},
                           {LZMA_FILTER_LZMA2, &options},
                           {LZMA_VLI_UNKNOWN, NULL}};
    struct packed p;

    fill(in, 5000);
    (void)lzma_lzma_preset(&options, 0);
    p = pack_xz_filters(in, 5000, 0, plain);
    EXPECT_TRUE(unpack_packed(UNPACK_XZ, &p));
    EXPECT_EQ(got, 5000);
    EXPECT_MEM(out, in, 5000);
    free(p.data);

    /* This machine's library knows it; the control domain's does not. */
    p = pack_xz_filters(in, 5000, 0, other);
    (void)unpack_packed(UNPACK_XZ, &p);
    p.data[14] = 0x7f; /* An identifier that nobody has. */
    (void)put_word(p.data, 12 + (p.data[12] + 1U) * 4 - 4,
                   lzma_crc32(p.data + 12, p.data[12] * 4U, 0));
    refused(UNPACK_XZ, p, damaged);
}

TEST("data that end too early are refused, wherever they end")
{
    fill(in, 250);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct packed p = pack(formats[i], in, 250, 100);

        for (size_t n = 0; n < p.size; n++) {
            struct packed part = packed_copy(p.data, n);
            bool ok = unpack_packed(formats[i], &part);

            /* A frame of lz4 does not say where it ends. */
            if (formats[i] != UNPACK_LZ4)
                EXPECT_FALSE(ok);
            if (!ok)
                EXPECT_STR(why, cut_short);
            EXPECT_TRUE(!ok || got == 250 || got % 100 == 0);
            EXPECT_MEM(out, in, got);
            free(part.data);
        }
        EXPECT_TRUE(unpack_packed(formats[i], &p));
        free(p.data);
    }
}

TEST("what stands behind the data is not looked at")
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct packed p = pack(formats[i], "abc", 3, 0);

        if (formats[i] != UNPACK_LZ4) {
            memcpy(in, p.data, p.size);
            memset(in + p.size, 0xa5, 100);
            EXPECT_TRUE(unpack_bytes(formats[i], in, p.size + 100, LIMIT));
            EXPECT_EQ(got, 3);
        }
        free(p.data);
    }
}

TEST("any one byte changed, data are refused, or right, where they are summed")
{
    fill(in, 250);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct packed p = pack(formats[i], in, 250, 100);

        for (size_t at = 0; at < p.size; at++) {
            uint8_t was = p.data[at];

            bool ok;

            p.data[at] = (uint8_t)(was ^ 1U << at % 8);
            ok = unpack_packed(formats[i], &p);
            if (ok && formats[i] != UNPACK_LZ4) {
                EXPECT_EQ(got, 250);
                EXPECT_MEM(out, in, 250);
            }
            p.data[at] = was;
        }
        free(p.data);
    }
}

TEST("bytes changed at random, all that comes is a sentence or bounded data")
{
    struct packed good[4];

    fill(in, 1500);
    for (size_t i = 0; i < 4; i++)
        good[i] = pack(formats[i], in, 1500, 700);
    for (unsigned int round = 0; round < 20000; round++) {
        /* Most rounds without lz4: its 8 MiB take the sanitizer long. */
        size_t format = round % 80 ? round % 3 : 3;
        const struct packed *g = &good[format];
        struct packed p = packed_copy(g->data, g->size);

        /* What stands at the beginning decides more. */
        for (unsigned int k = 0; k < 1 + round % 3; k++) {
            size_t room = next() % 4 ? p.size : 32;

            p.data[next() % room] = (uint8_t)next();
        }
        (void)unpack_bytes(formats[format], p.data, p.size, 10000);
        free(p.data);
    }
    for (size_t i = 0; i < 4; i++)
        free(good[i].data);
}

TEST("no more than the limit comes out of a bomb")
{
    memset(in, 0, LIMIT);
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct packed p = pack(formats[i], in, LIMIT, 0);

        EXPECT_TRUE(p.size < LIMIT / 100);
        EXPECT_FALSE(unpack_bytes(formats[i], p.data, p.size, MIB));
        EXPECT_STR(why, too_big);
        EXPECT_FALSE(unpack_bytes(formats[i], p.data, p.size, LIMIT - 1));
        EXPECT_STR(why, too_big);
        EXPECT_FALSE(unpack_bytes(formats[i], p.data, p.size, 0));
        EXPECT_STR(why, too_big);
        EXPECT_EQ(got, 0);
        EXPECT_TRUE(unpack_bytes(formats[i], p.data, p.size, LIMIT));
        EXPECT_EQ(got, LIMIT);
        free(p.data);
    }
}

TEST("who has enough gets no more, and that is no error")
{
    fill(in, 4 * MIB);
    wanted = 5;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct packed p = pack(formats[i], in, 4 * MIB, MIB);

        /* What is wrong behind that is not seen. */
        p.size -= p.size / 4;
        memset(p.data + p.size / 2, 0xa5, p.size / 2);
        EXPECT_TRUE(unpack_packed(formats[i], &p));
        EXPECT_TRUE(had_enough);
        EXPECT_EQ(pieces, 1);
        EXPECT_MEM(out, in, got);
        free(p.data);
    }
}

/* The dictionary of the first block of an xz file: 2 or 3 times 2^n. */
static struct packed xz_with_dictionary(uint8_t code)
{
    lzma_options_lzma options;
    lzma_filter plain[] = {{LZMA_FILTER_LZMA2, &options},
                           {LZMA_VLI_UNKNOWN, NULL}};
    struct packed p;

    (void)lzma_lzma_preset(&options, 0);
    p = pack_xz_filters("abc", 3, 0, plain);
    p.data[16] = code;
    (void)put_word(p.data, 20, lzma_crc32(p.data + 12, 8, 0));

    return p;
}

TEST("a dictionary of 32 MiB is allowed, and none that is larger")
{
    struct packed p = xz_with_dictionary(26);

    EXPECT_EQ(UNPACK_WINDOW_MAX, 32 * MIB);
    EXPECT_TRUE(unpack_packed(UNPACK_XZ, &p));
    EXPECT_EQ(got, 3);
    free(p.data);
    for (uint8_t code = 27; code <= 40; code++)
        refused(UNPACK_XZ, xz_with_dictionary(code),
                "its dictionary is larger than 32 MiB");
    refused(UNPACK_XZ, xz_with_dictionary(41), damaged);
}

TEST("a window of 32 MiB is allowed, and none that is larger")
{
    struct packed p = pack_zstd("abc", 3, 0);

    EXPECT_EQ(p.data[4], 4);      /* A sum, no size; */
    EXPECT_EQ(p.data[5], 7 << 3); /* and a window of 2^17. */
    p.data[5] = 15 << 3;
    EXPECT_TRUE(unpack_packed(UNPACK_ZSTD, &p));
    EXPECT_EQ(got, 3);
    for (unsigned int code = (15 << 3) + 1; code < 256; code++) {
        p.data[5] = (uint8_t)code;
        EXPECT_FALSE(unpack_packed(UNPACK_ZSTD, &p));
        EXPECT_STR(why, "its window is larger than 32 MiB");
    }
    free(p.data);
}
