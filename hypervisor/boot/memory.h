/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking possession of the machine's memory, once. */

#ifndef BOOT_MEMORY_H
#define BOOT_MEMORY_H

/*
 * Find out what is free: RAM but for the first MiB, the image and the modules.
 * Ends the run when that is too little.
 */
void boot_memory_find(void);

/* Make and load the final page tables, and the frame table. */
void boot_memory_map(void);

/* Give all that is still free to the frame allocator. */
void boot_memory_release(void);

#endif /* BOOT_MEMORY_H */
