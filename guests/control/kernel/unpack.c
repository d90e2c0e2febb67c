/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four libraries behind one loop: each step turns some input into at most a
 * buffer of output.
 */

#include "kernel/unpack.h"

#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST /* z_stream.next_in */
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <rt/thread.h>

/* Of the legacy frame of lz4: every block but the last makes so much. */
#define LZ4_BLOCK   (8UL << 20)
#define LZ4_MAGIC   0x184c2102U
#define LZ4_WORD    4U
#define OUT_BYTES   (256UL << 10)
#define ZSTD_WINDOW 25 /* log2 of UNPACK_WINDOW_MAX */

static const char out_of_memory[] = "the control domain is out of memory";
static const char damaged[] = "its compressed data are damaged";
static const char cut_short[] = "its compressed data end too early";
static const char too_big[] = "it holds more than fits";

struct run {
    const uint8_t *in;
    size_t left;
    uint64_t limit;
    unpack_sink *sink;
    void *context;
    const char *why;
    bool enough; /* the sink wants no more */
};

enum unpack_format unpack_format(const void *data, size_t size)
{
    static const struct {
        uint8_t magic[6], size;
        enum unpack_format format;
    } formats[] = {
        {{0x1f, 0x8b}, 2, UNPACK_GZIP},
        {{0x02, 0x21, 0x4c, 0x18}, 4, UNPACK_LZ4},
        {{0xfd, '7', 'z', 'X', 'Z', 0}, 6, UNPACK_XZ},
        {{0x28, 0xb5, 0x2f, 0xfd}, 4, UNPACK_ZSTD},
    };

    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (size >= formats[i].size &&
            memcmp(data, formats[i].magic, formats[i].size) == 0)
            return formats[i].format;

    return UNPACK_NONE;
}

static bool stop(struct run *r, const char *why)
{
    r->why = why;

    return false;
}

/* False: no more is to be made. */
static bool give(struct run *r, const void *bytes, size_t size)
{
    if (size > r->limit)
        return stop(r, too_big);
    r->limit -= size;
    if (r->sink(r->context, bytes, size))
        return true;
    r->enough = true;

    return false;
}

/* Step after step: what one makes is in @out.  True: it was the last. */
typedef bool step_fn(void *state, struct run *r, uint8_t *out, size_t *made);

static void run_steps(struct run *r, step_fn *step, void *state, size_t room)
{
    uint8_t *out = malloc(room);
    bool last = false;

    if (!out)
        r->why = out_of_memory;
    while (!last && !r->why && !r->enough) {
        size_t made = 0, left = r->left;

        thread_yield(); /* Guests are served meanwhile. */
        last = step(state, r, out, &made);
        if (r->why)
            break;
        if (made)
            (void)give(r, out, made);
        else if (!last && left == r->left)
            r->why = cut_short;
    }
    free(out);
}

/* --- gzip ----------------------------------------------------------------- */

static bool gzip_step(void *state, struct run *r, uint8_t *out, size_t *made)
{
    z_stream *z = state;
    int rc;

    z->next_in = r->in;
    z->avail_in = r->left < UINT32_MAX ? (uInt)r->left : UINT32_MAX;
    z->next_out = out;
    z->avail_out = OUT_BYTES;
    r->left -= z->avail_in;
    rc = inflate(z, Z_NO_FLUSH);
    r->left += z->avail_in;
    r->in = z->next_in;
    *made = OUT_BYTES - z->avail_out;
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return stop(r, rc == Z_MEM_ERROR ? out_of_memory : damaged);

    return rc == Z_STREAM_END;
}

static void run_gzip(struct run *r)
{
    z_stream z = {0};

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        r->why = out_of_memory;
        return;
    }
    run_steps(r, gzip_step, &z, OUT_BYTES);
    (void)inflateEnd(&z);
}

/* --- lz4 ------------------------------------------------------------------ */

static uint32_t lz4_word(struct run *r)
{
    uint32_t word;

    memcpy(&word, r->in, sizeof(word));
    r->in += LZ4_WORD;
    r->left -= LZ4_WORD;

    return word;
}

/*
 * Linux appends the size of what comes out: a last word that is no block, so
 * the data end when no block can follow.
 */
static bool lz4_step(void *state, struct run *r, uint8_t *out, size_t *made)
{
    uint32_t size;
    int n;

    (void)state;
    if (r->left <= LZ4_WORD)
        return true;
    size = lz4_word(r);
    if (size == LZ4_MAGIC)
        return false;
    if (size > r->left)
        return stop(r, cut_short);
    if (size > LZ4_COMPRESSBOUND(LZ4_BLOCK))
        return stop(r, damaged);
    n = LZ4_decompress_safe((const char *)r->in, (char *)out, (int)size,
                            LZ4_BLOCK);
    if (n < 0)
        return stop(r, damaged);
    r->in += size;
    r->left -= size;
    *made = (size_t)n;

    return false;
}

/* --- xz ------------------------------------------------------------------- */

static bool xz_step(void *state, struct run *r, uint8_t *out, size_t *made)
{
    lzma_stream *xz = state;
    lzma_ret rc;

    xz->next_in = r->in;
    xz->avail_in = r->left;
    xz->next_out = out;
    xz->avail_out = OUT_BYTES;
    rc = lzma_code(xz, LZMA_RUN);
    r->in = xz->next_in;
    r->left = xz->avail_in;
    *made = OUT_BYTES - xz->avail_out;
    if (rc == LZMA_MEM_ERROR)
        return stop(r, out_of_memory);
    if (rc == LZMA_MEMLIMIT_ERROR)
        return stop(r, "its dictionary is larger than 32 MiB");
    if (rc != LZMA_OK && rc != LZMA_STREAM_END && rc != LZMA_BUF_ERROR)
        return stop(r, damaged);

    return rc == LZMA_STREAM_END;
}

static void run_xz(struct run *r)
{
    lzma_stream xz = LZMA_STREAM_INIT;

    /* Beside the dictionary its decoder has some tables. */
    if (lzma_stream_decoder(&xz, UNPACK_WINDOW_MAX + (1UL << 20), 0))
        r->why = out_of_memory;
    else
        run_steps(r, xz_step, &xz, OUT_BYTES);
    lzma_end(&xz);
}

/* --- zstd ----------------------------------------------------------------- */

static const char *zstd_problem(ZSTD_ErrorCode code)
{
    if (code == ZSTD_error_frameParameter_windowTooLarge)
        return "its window is larger than 32 MiB";

    return code == ZSTD_error_memory_allocation ? out_of_memory : damaged;
}

static bool zstd_step(void *state, struct run *r, uint8_t *out, size_t *made)
{
    ZSTD_inBuffer in = {r->in, r->left, 0};
    ZSTD_outBuffer to = {out, OUT_BYTES, 0};
    size_t rc = ZSTD_decompressStream(state, &to, &in);

    r->in += in.pos;
    r->left -= in.pos;
    *made = to.pos;
    if (ZSTD_isError(rc))
        return stop(r, zstd_problem(ZSTD_getErrorCode(rc)));

    return rc == 0;
}

static void run_zstd(struct run *r)
{
    ZSTD_DStream *zstd = ZSTD_createDStream();

    if (!zstd || ZSTD_isError(ZSTD_DCtx_setParameter(zstd, ZSTD_d_windowLogMax,
                                                     ZSTD_WINDOW)))
        r->why = out_of_memory;
    else
        run_steps(r, zstd_step, zstd, OUT_BYTES);
    (void)ZSTD_freeDStream(zstd);
}

bool unpack(enum unpack_format format, const void *data, size_t size,
            uint64_t limit, unpack_sink *sink, void *context, const char **why)
{
    struct run r = {data, size, limit, sink, context, NULL, false};

    switch (format) {
    case UNPACK_GZIP:
        run_gzip(&r);
        break;
    case UNPACK_LZ4:
        run_steps(&r, lz4_step, NULL, LZ4_BLOCK);
        break;
    case UNPACK_XZ:
        run_xz(&r);
        break;
    case UNPACK_ZSTD:
        run_zstd(&r);
        break;
    case UNPACK_NONE:
        r.why = "it is compressed in no way that is known here";
        break;
    }
    *why = r.why;

    return !r.why;
}
