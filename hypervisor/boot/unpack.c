/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All of a file at once, so that its output serves as zlib's window.  zlib
 * checks the sum and the length behind the data.
 */

#include "boot/unpack.h"

#define ZLIB_CONST
#include <zlib.h>

#include "lib/string.h"

#define ALIGNMENT 16U

bool is_gzip(const void *file, uint64_t bytes)
{
    return bytes >= 2 && !memcmp(file, "\37\213", 2);
}

uint64_t gzip_size(const uint8_t *file, uint64_t bytes)
{
    uint32_t size = 0;

    if (bytes >= sizeof(size))
        memcpy(&size, file + bytes - sizeof(size), sizeof(size));
    return size;
}

struct arena {
    uint8_t *at;
    uint64_t left;
};

static void *arena_take(void *opaque, unsigned int items, unsigned int size)
{
    struct arena *a = opaque;
    uint64_t bytes = ((uint64_t)items * size + ALIGNMENT - 1) & -ALIGNMENT;
    uint8_t *at = a->at;

    if (bytes > a->left)
        return NULL;
    a->at += bytes;
    a->left -= bytes;
    return at;
}

/* All of it is the caller's, and goes at once. */
static void arena_give(void *opaque, void *address)
{
    (void)opaque;
    (void)address;
}

const char *gzip_unpack(void *to, uint64_t size, const void *file,
                        uint64_t bytes, void *work)
{
    struct arena arena = {work, GZIP_WORK};
    z_stream z = {
        .next_in = file,
        .avail_in = (uint32_t)bytes,
        .next_out = to,
        .avail_out = (uint32_t)size,
        .zalloc = arena_take,
        .zfree = arena_give,
        .opaque = &arena,
    };
    int rc;

    if (bytes > UINT32_MAX || size > UINT32_MAX)
        return "it has more than 4 GiB";
    rc = inflateInit2(&z, 16 + MAX_WBITS); /* gzip's header, and no other */
    if (rc == Z_OK)
        rc = inflate(&z, Z_FINISH);
    if (rc == Z_STREAM_END)
        return z.avail_in ? "something follows its compressed data" : NULL;
    if (z.msg)
        return z.msg;
    return z.avail_in ? "there is more in it than it says"
                      : "its compressed data end too early";
}
