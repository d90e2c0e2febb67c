/* SPDX-License-Identifier: MIT */
/*
 * Direct paging: how a guest of class pv changes its own page tables, whose
 * entries hold machine frames, under the hypervisor's validation.
 *
 * Class light has no page tables of its own: there these calls answer -ENOSYS.
 */

#ifndef ABI_PAGING_H
#define ABI_PAGING_H

#include <stddef.h>
#include <stdint.h>

#include <abi/mmu.h>

/* Entries. */
#define PTE_PRESENT  0x001ULL
#define PTE_WRITE    0x002ULL
#define PTE_USER     0x004ULL
#define PTE_ACCESSED 0x020ULL
#define PTE_DIRTY    0x040ULL
#define PTE_FRAME    0x000ffffffffff000ULL
#define PTE_NX       0x8000000000000000ULL

/* The table from machine to pseudo-physical frames, read-only, uint64_t[]. */
#define MACH2PHYS_ADDRESS 0xffff800000000000ULL

#endif /* ABI_PAGING_H */
