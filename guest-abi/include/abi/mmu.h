/* SPDX-License-Identifier: MIT */
/*
 * mmu_update, update_va_mapping and mmuext_op: how a guest of class pv changes
 * its own page tables, whose entries hold machine frames, under the
 * hypervisor's validation.  Class light has none: -ENOSYS.
 *
 * A list stops at the first request that fails; how many were done goes to
 * *done, if that is not null.  domid: DOMID_SELF.
 */

#ifndef ABI_MMU_H
#define ABI_MMU_H

#include <stddef.h>
#include <stdint.h>

/* Of the count of a list: it goes on, and *done is to be added to. */
#define MMU_UPDATE_PREEMPTED 0x80000000U

/*
 * mmu_update(requests, count, done, domid): each request writes one word; the
 * low three bits of ptr are the command.
 */
#define MMU_NORMAL_PT_UPDATE       0U /* ptr: machine address of the entry */
#define MMU_MACHPHYS_UPDATE        1U /* ptr: of a frame; val: its pfn */
#define MMU_PT_UPDATE_PRESERVE_AD  2U
#define MMU_PT_UPDATE_NO_TRANSLATE 3U
#define MMU_COMMAND_MASK           7U

struct mmu_update {
    uint64_t ptr; /* IN */
    uint64_t val; /* IN */
};

/*
 * update_va_mapping(va, entry, flags): the level-1 entry that maps va.  Flags:
 * what is flushed, and where: UVMF_LOCAL, UVMF_ALL, or the address of a bitmap
 * of vCPUs.
 */
#define UVMF_NONE      0U
#define UVMF_TLB_FLUSH 1U
#define UVMF_INVLPG    2U
#define UVMF_TYPE_MASK 3U
#define UVMF_LOCAL     0U
#define UVMF_ALL       4U

/* mmuext_op(ops, count, done, domid) */
#define MMUEXT_PIN_L1_TABLE       0
#define MMUEXT_PIN_L2_TABLE       1
#define MMUEXT_PIN_L3_TABLE       2
#define MMUEXT_PIN_L4_TABLE       3
#define MMUEXT_UNPIN_TABLE        4
#define MMUEXT_NEW_BASEPTR        5
#define MMUEXT_TLB_FLUSH_LOCAL    6
#define MMUEXT_INVLPG_LOCAL       7
#define MMUEXT_TLB_FLUSH_MULTI    8
#define MMUEXT_INVLPG_MULTI       9
#define MMUEXT_TLB_FLUSH_ALL      10
#define MMUEXT_INVLPG_ALL         11
#define MMUEXT_FLUSH_CACHE        12
#define MMUEXT_SET_LDT            13
#define MMUEXT_NEW_USER_BASEPTR   15
#define MMUEXT_CLEAR_PAGE         16
#define MMUEXT_COPY_PAGE          17
#define MMUEXT_FLUSH_CACHE_GLOBAL 18
#define MMUEXT_MARK_SUPER         19
#define MMUEXT_UNMARK_SUPER       20

struct mmuext_op {
    uint32_t cmd;  /* IN */
    uint64_t arg1; /* IN: mfn, or linear address */
    uint64_t arg2; /* IN: entries, address of a bitmap of vCPUs, or mfn */
};

_Static_assert(sizeof(struct mmu_update) == 16, "ABI");
_Static_assert(sizeof(struct mmuext_op) == 24, "ABI");

#endif /* ABI_MMU_H */
