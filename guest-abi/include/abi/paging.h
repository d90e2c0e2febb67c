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

/* Hypercall numbers. */
#define PAGING_mmu_update        1
#define PAGING_update_va_mapping 14
#define PAGING_mmuext_op         26

/*
 * mmu_update(requests, count, done, domid): each request writes one entry;
 * the low three bits of ptr are the command.  The first that fails stops it.
 */
#define MMU_NORMAL_PT_UPDATE      0U /* ptr: machine address of the entry */
#define MMU_MACHPHYS_UPDATE       1U
#define MMU_PT_UPDATE_PRESERVE_AD 2U

struct mmu_update {
    uint64_t ptr; /* IN */
    uint64_t val; /* IN */
};

/* update_va_mapping(va, entry, flags): the level-1 entry that maps va. */
#define UVMF_NONE      0U
#define UVMF_TLB_FLUSH 1U
#define UVMF_INVLPG    2U

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

_Static_assert(sizeof(struct mmu_update) == 16, "ABI");

#endif /* ABI_PAGING_H */
