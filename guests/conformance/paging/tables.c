/* SPDX-License-Identifier: BSD-2-Clause */
/* The functions of tables.h. */

#include "paging/tables.h"

#include <abi/domid.h>

#define LEVELS 4U

/* Table of level 1 for @va: tables are pages of ours, mapped for reading. */
static uint64_t *table_of(uint64_t va, uint64_t *mfn)
{
    uint64_t *table = (void *)(uintptr_t)start_info->pt_base;

    for (unsigned int shift = 12 + 9 * (LEVELS - 1); shift > 12; shift -= 9) {
        *mfn = (table[va >> shift & (ENTRIES - 1)] & PTE_FRAME) / PAGE_SIZE;
        table = pv_page(*mfn);
    }
    return table;
}

volatile uint64_t *entry_of(const volatile void *va)
{
    uint64_t at = (uint64_t)(uintptr_t)va, mfn;

    return &table_of(at, &mfn)[at / PAGE_SIZE & (ENTRIES - 1)];
}

uint64_t entry_address(const volatile void *va)
{
    uint64_t at = (uint64_t)(uintptr_t)va, mfn = 0;

    (void)table_of(at, &mfn);
    return mfn * PAGE_SIZE + (at / PAGE_SIZE & (ENTRIES - 1)) * 8;
}

uint64_t entry_for(const volatile void *va, uint64_t bits)
{
    return frame_of(va) * PAGE_SIZE | bits;
}

long mmu_update_of(const struct mmu_update *list, uint64_t count,
                   uint32_t *done, uint32_t subject)
{
    return hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list), count,
                      hypercall_ptr(done), subject);
}

long mmu_update(const struct mmu_update *list, uint64_t count, uint32_t *done)
{
    return mmu_update_of(list, count, done, DOMID_SELF);
}

long mmu_set(uint64_t address, uint64_t value)
{
    struct mmu_update request = {.ptr = address, .val = value};

    return mmu_update(&request, 1, NULL);
}

long set_va(const volatile void *va, uint64_t entry, uint64_t flags)
{
    return hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(va), entry,
                      flags);
}

bool make_read_only(void *va)
{
    return set_va(va, entry_for(va, READ_BITS), UVMF_INVLPG) == 0;
}

bool make_writable(void *va)
{
    return set_va(va, entry_for(va, PAGE_BITS), UVMF_INVLPG) == 0;
}

long mmuext(const struct mmuext_op *list, uint64_t count, uint32_t *done)
{
    return hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(list), count,
                      hypercall_ptr(done), DOMID_SELF);
}

long mmuext_one(uint32_t cmd, uint64_t arg1, uint64_t arg2)
{
    struct mmuext_op op = {.cmd = cmd, .arg1 = arg1, .arg2 = arg2};

    return mmuext(&op, 1, NULL);
}
