/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's own tables.  They are reached through the direct map, which
 * boot.S begins for the first 4 GiB, where all of them are.
 */

#include "arch/x86_64/paging.h"

#include "arch/x86_64/upcalls.h"

/* In the image; what else is in it is only reached by hv_l4_slots(). */
extern uint64_t hv_l4[PT_ENTRIES]; /* the trampoline loads it, too. */
uint64_t hv_l4[PT_ENTRIES] __page_aligned;

static_assert(HV_L4_FIRST + HV_L4_COUNT <= PT_ENTRIES, "slots are in the L4");

const uint64_t *hv_l4_slots(void)
{
    return hv_l4 + HV_L4_FIRST;
}

void hv_tables_load(void)
{
    tables_load((uintptr_t)hv_l4 - IMAGE_BASE);
}

static uint64_t *table_at(uint64_t entry)
{
    return (uint64_t *)(DIRECT_MAP_BASE + (entry & PTE_MADDR_MASK));
}

/*
 * The table that @entry points to, made if there is none yet; or NULL.  Those
 * below the L4 leave it to their pages whether users get there.
 */
static uint64_t *next_table(uint64_t *entry, unsigned int level)
{
    mfn_t m;

    if (*entry & PTE_LARGE)
        return NULL;
    if (!(*entry & PTE_PRESENT)) {
        m = upcall_alloc_table();
        if (mfn_eq(m, MFN_NONE))
            return NULL;
        *entry =
            pte_make(m, PTE_PRESENT | PTE_WRITE | (level < 4 ? PTE_USER : 0));
    }
    return table_at(*entry);
}

static uint64_t page_bytes(unsigned int level)
{
    return 1UL << (PT_SHIFT_L1 + 9 * (level - 1));
}

/* The level of the largest page that can begin a mapping. */
static unsigned int leaf_level(vaddr_t va, maddr_t maddr, uint64_t size)
{
    unsigned int level = cpu_features.gib_pages ? 3 : 2;

    while (level > 1 && (size < page_bytes(level) ||
                         ((va | maddr) & (page_bytes(level) - 1))))
        level--;
    return level;
}

static bool map_one(uint64_t *table, vaddr_t va, maddr_t maddr,
                    unsigned int leaf, uint64_t flags)
{
    for (unsigned int level = 4; level > leaf; level--) {
        table = next_table(&table[pt_index(va, level)], level);
        if (!table)
            return false;
    }
    if (table[pt_index(va, leaf)] & PTE_PRESENT)
        return false;
    table[pt_index(va, leaf)] = pte_make(
        maddr_to_mfn(maddr), flags | PTE_PRESENT | (leaf > 1 ? PTE_LARGE : 0));
    return true;
}

bool hv_map(vaddr_t va, maddr_t maddr, uint64_t size, uint64_t flags)
{
    assert(!((va | maddr | size) & (PAGE_SIZE - 1)));
    assert(va >= HV_VIRT_START && va < HV_VIRT_END);
    while (size) {
        unsigned int leaf = leaf_level(va, maddr, size);
        uint64_t step = page_bytes(leaf);

        if (!map_one(hv_l4, va, maddr, leaf, flags))
            return false;
        va += step;
        maddr += step;
        size -= step;
    }
    return true;
}

void hv_remap(vaddr_t va, uint64_t entry)
{
    uint64_t *table = hv_l4;

    for (unsigned int level = 4; level > 1; level--)
        table = table_at(table[pt_index(va, level)]);
    atomic_write(&table[pt_index(va, 1)], entry | PTE_NX);
    tlb_flush_page(va);
}

bool hv_map_again(uint64_t *l4, vaddr_t va)
{
    const uint64_t *table = hv_l4;
    unsigned int level = 4;
    uint64_t entry = table[pt_index(va, level)];

    while (level > 1 && !(entry & PTE_LARGE)) {
        assert(entry & PTE_PRESENT);
        table = table_at(entry);
        entry = table[pt_index(va, --level)];
    }
    va &= PAGE_MASK;
    return map_one(l4, va,
                   (entry & PTE_MADDR_MASK) + (va & (page_bytes(level) - 1)), 1,
                   entry & (PTE_WRITE | PTE_NX));
}
