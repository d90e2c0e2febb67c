/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader put into memory beside the hypervisor.  The first
 * module is the initial domain; it reads the others as files.
 *
 * Their frames belong to no allocator until boot_modules_free() or somebody
 * takes them over.
 */

#ifndef BOOT_MODULES_H
#define BOOT_MODULES_H

#include <stdint.h>

#include "lib/frame_number.h"

/* As many as the command line of a boot loader reasonably names. */
#define BOOT_MODULES_MAX 64

#define BOOT_MODULE_STRING 256

struct boot_module {
    maddr_t start; /* page-aligned */
    uint64_t bytes;
    char string[BOOT_MODULE_STRING]; /* with the file's name in front */
};

unsigned int boot_module_count(void);

/* Module @i, below boot_module_count(). */
const struct boot_module *boot_module(unsigned int i);

/* Give the frames of module @i to the allocator; its bytes are gone. */
void boot_module_free(unsigned int i);

#endif /* BOOT_MODULES_H */
