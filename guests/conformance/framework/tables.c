/* SPDX-License-Identifier: BSD-2-Clause */
/* Page tables of a guest of class pv: see tables.h. */

#include "framework/tables.h"

#include <string.h>

#include <rt/hypercall.h>

#include "framework/test.h"

static uint8_t *pool;
static unsigned int pool_count;

uint64_t machine_of(const volatile void *va)
{
    return frame_of(va) * PAGE_SIZE;
}

uint64_t *builders_table(const volatile void *va, unsigned int level)
{
    uint64_t *table = (uint64_t *)(uintptr_t)start_info->pt_base;
    uint64_t at = (uint64_t)(uintptr_t)va;

    for (unsigned int l = 4; l > level; l--) {
        uint64_t e = table[at >> (12 + 9 * (l - 1)) & (TABLE_ENTRIES - 1)];

        table = pv_page((e & PTE_FRAME) / PAGE_SIZE);
    }
    return table;
}

static unsigned int index_of(const volatile void *va)
{
    return (unsigned int)((uint64_t)(uintptr_t)va / PAGE_SIZE % TABLE_ENTRIES);
}

uint64_t leaf_of(const volatile void *va)
{
    const volatile uint64_t *table = builders_table(va, 1);

    return table[index_of(va)];
}

uint64_t leaf_at(const volatile void *va)
{
    return entry_at(builders_table(va, 1), index_of(va));
}

long mmu_one(uint64_t ptr, uint64_t value)
{
    struct mmu_update request = {.ptr = ptr, .val = value};

    return hypercall4(HYPERCALL_mmu_update, hypercall_ptr(&request), 1, 0,
                      DOMID_SELF);
}

long mmuext_call(uint32_t cmd, uint64_t arg1, uint64_t arg2)
{
    struct mmuext_op op = {.cmd = cmd, .arg1 = arg1, .arg2 = arg2};

    return hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(&op), 1, 0,
                      DOMID_SELF);
}

long map_at(const volatile void *va, uint64_t entry)
{
    return hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(va), entry,
                      UVMF_INVLPG | UVMF_ALL);
}

long map_readable(const volatile void *va)
{
    return map_at(va, entry_for(va, TO_READ));
}

long map_writable(const volatile void *va)
{
    return map_at(va, entry_for(va, TO_WRITE));
}

long pin(const volatile void *va, unsigned int level)
{
    return mmuext_call(MMUEXT_PIN_L1_TABLE + level - 1, frame_of(va), 0);
}

long unpin(const volatile void *va)
{
    return mmuext_call(MMUEXT_UNPIN_TABLE, frame_of(va), 0);
}

void tables_use(void *pages, unsigned int count)
{
    pool = pages;
    pool_count = count;
}

uint64_t *page_at(unsigned int index)
{
    return (uint64_t *)(pool + (size_t)index * PAGE_SIZE);
}

void tables_reset(void)
{
    uint64_t l4 = start_info->pt_base;

    (void)mmu_one(entry_at((const void *)(uintptr_t)l4, FREE_SLOT), 0);
    for (unsigned int i = 0; i < pool_count; i++)
        (void)unpin(page_at(i));
    for (unsigned int i = 0; i < pool_count; i++) {
        if (map_writable(page_at(i)) != 0) {
            test_error("a page is not ordinary any more");
            print("# page %u\n", i);
            return;
        }
        memset(page_at(i), 0, PAGE_SIZE);
    }
}

void tree_make(unsigned int first)
{
    for (unsigned int i = first; i < first + 3; i++)
        page_at(i)[0] = entry_for(page_at(i + 1), TO_TABLE);
    page_at(first + 3)[0] = entry_for(page_at(first + 4), TO_READ);
    for (unsigned int i = first; i < first + 4; i++)
        EXPECT_EQ(map_readable(page_at(i)), 0);
}
