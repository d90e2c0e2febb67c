/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Kernels as they come: an ELF file, a compressed one, or a Linux bzImage with
 * one inside.
 *
 * A compressed one is never in memory as a whole: it is decompressed once for
 * its headers and notes, and once to be loaded.
 */

#ifndef KERNEL_KERNEL_IMAGE_H
#define KERNEL_KERNEL_IMAGE_H

#include "kernel/unpack.h"
#include "lib/elf_image.h"

struct kernel_image {
    const uint8_t *data;       /* the ELF file, or what is compressed */
    size_t size;               /* bytes of that */
    enum unpack_format format; /* UNPACK_NONE: an ELF file */
    struct elf_image elf;
};

/* No kernel is larger when it is decompressed: 1 GiB. */
#define KERNEL_BYTES_MAX (1ULL << 30)

/*
 * Find and read the ELF file in @file, which must stay where it is.  False:
 * *@why is a sentence part.
 */
bool kernel_read(struct kernel_image *k, const void *file, size_t size,
                 const char **why);

/* Put @size bytes at @paddr, counted from pfn 0.  False: end with an error. */
typedef bool kernel_put(void *context, uint64_t paddr, const void *bytes,
                        size_t size);

/*
 * Give @put what the file holds of all segments, in no order.  False: *@why
 * says why, NULL if @put had enough.
 */
bool kernel_load(const struct kernel_image *k, kernel_put *put, void *context,
                 const char **why);

#endif /* KERNEL_KERNEL_IMAGE_H */
