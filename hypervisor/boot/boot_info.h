/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the boot loader says, copied out of its hands: the command line, where
 * RAM is, and the modules (boot/modules.h).
 */

#ifndef BOOT_BOOT_INFO_H
#define BOOT_BOOT_INFO_H

#include <stdint.h>

#include "lib/frame_number.h"

#define BOOT_COMMAND_LINE 1024

/* Firmware of large machines lists some dozens. */
#define BOOT_RAM_RANGES_MAX 128

struct ram_span {
    maddr_t start, end; /* page-aligned */
};

struct boot_info {
    char command_line[BOOT_COMMAND_LINE]; /* without the image's name */
    unsigned int ram_count;
    struct ram_span ram[BOOT_RAM_RANGES_MAX]; /* ascending, apart */
};
extern struct boot_info boot_info;

/*
 * Read the Multiboot 1 information at machine address @info, while the early
 * map is loaded.  NULL, or what is wrong with it.
 */
const char *multiboot_read(uint32_t magic, uint32_t info);

/* Take a range of RAM up into boot_info, whole pages of it, in order. */
void boot_ram_add(uint64_t start, uint64_t bytes);

#endif /* BOOT_BOOT_INFO_H */
