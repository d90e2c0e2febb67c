/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader says, by Multiboot 1 or 2, copied out of its hands: the
 * command line, where RAM is, and the modules (control/module.h).
 *
 * The modules' frames belong to no allocator until boot_module_free() or
 * somebody takes them over.
 */

#pragma once

#include "control/module.h"

#define BOOT_COMMAND_LINE 1024

/* UEFI of large machines lists a hundred, most of which meet. */
#define BOOT_RAM_RANGES_MAX 256

struct ram_span {
    maddr_t start, end; /* page-aligned */
};

struct boot_info {
    char command_line[BOOT_COMMAND_LINE]; /* without the image's name */
    unsigned int ram_count;
    struct ram_span ram[BOOT_RAM_RANGES_MAX]; /* ascending, apart */
    maddr_t rsdp; /* ACPI's root pointer, until memory is taken; 0: not told */
};
extern struct boot_info boot_info;

/*
 * Read the information at machine address @info of the loader that left @magic
 * in eax, while the early map is loaded.  NULL, or what is wrong with it.
 */
const char *boot_info_read(uint32_t magic, uint32_t info);

/* Give the frames of module @i to the allocator; its bytes are gone. */
void boot_module_free(unsigned int i);
