/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompressing, in pieces, what nobody trusts.
 *
 * The data are given out in order as they come; nothing is kept but what the
 * format needs (xz: its dictionary, at most UNPACK_WINDOW_MAX).  Between two
 * pieces all other threads run: this takes long.
 */

#ifndef KERNEL_UNPACK_H
#define KERNEL_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest dictionary: what Linux's own build uses with xz. */
#define UNPACK_WINDOW_MAX (32UL << 20)

enum unpack_format {
    UNPACK_NONE, /* none of these */
    UNPACK_GZIP,
    UNPACK_LZ4, /* the legacy frame */
    UNPACK_XZ,
    UNPACK_ZSTD,
};

enum unpack_format unpack_format(const void *data, size_t size);

/* The next @size bytes.  False: no more are wanted, which is no error. */
typedef bool unpack_sink(void *context, const void *bytes, size_t size);

/*
 * Give the contents of @data to @sink.  At most @limit bytes come out.  False:
 * *@why is a sentence part that says what is wrong.
 */
bool unpack(enum unpack_format format, const void *data, size_t size,
            uint64_t limit, unpack_sink *sink, void *context, const char **why);

#endif /* KERNEL_UNPACK_H */
