/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The address space on Xen, by page tables of our own.
 *
 * The builder has mapped the image and what follows it (P2M list, start_info,
 * rings, page tables, stack) and some room, at address = pseudo-physical
 * address.  The same picture is extended over all RAM, and behind it by a
 * window for shared_info and the grant table, where Cairn has its own.
 *
 * A page table must not be mapped writable anywhere: a new one is filled while
 * it is an ordinary page, then mapped read-only, then linked.
 */

#include "internal.h"

#include <string.h>

#include <abi/domid.h>
#include <abi/errno.h>
#include <abi/paging.h>
#include <abi/sched.h>

#include <rt/hypercall.h>
#include <rt/page.h>
#include <rt/start.h>

#define ENTRIES 512U

/* Levels by the shift of the address bits that index them. */
#define SHIFT_L1 12
#define SHIFT_L2 21
#define SHIFT_L3 30
#define SHIFT_L4 39

#define PTE_RAM   (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define PTE_RO    (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#define PTE_TABLE (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

/* The first page that nothing uses; new tables are taken from here. */
static uint64_t first_free;

static const uint64_t *p2m(void)
{
    return (const uint64_t *)rt_start_info->mfn_list;
}

/* There is nobody yet to tell what went wrong, and how. */
static void must(long rc)
{
    if (rc != 0)
        rt_shutdown(SHUTDOWN_crash);
}

static long update_va(const volatile void *va, uint64_t entry)
{
    return hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(va), entry,
                      UVMF_INVLPG);
}

void *rt_frame_va(uint64_t frame)
{
    if (rt_is_light())
        return rt_gfn_va(frame);
    return rt_gfn_va(((const uint64_t *)MACH2PHYS_ADDRESS)[frame]);
}

static uint64_t *table_at(uint64_t entry)
{
    return rt_frame_va((entry & PTE_FRAME) / PAGE_BYTES);
}

static unsigned int index_of(uint64_t va, unsigned int shift)
{
    return (unsigned int)(va >> shift) % ENTRIES;
}

static void link_table(uint64_t *parent, unsigned int index, uint64_t pfn)
{
    uint64_t parent_mfn = p2m()[rt_va_gfn(parent)];
    struct mmu_update request = {
        .ptr = (parent_mfn * PAGE_BYTES + index * sizeof(uint64_t)) |
               MMU_NORMAL_PT_UPDATE,
        .val = p2m()[pfn] * PAGE_BYTES | PTE_TABLE,
    };

    must(update_va(rt_gfn_va(pfn), p2m()[pfn] * PAGE_BYTES | PTE_RO));
    must(hypercall4(HYPERCALL_mmu_update, hypercall_ptr(&request), 1, 0,
                    DOMID_SELF));
}

/* The table below entry @index of @parent, an empty new one if need be. */
static uint64_t *table_below(uint64_t *parent, unsigned int index)
{
    if (!(parent[index] & PTE_PRESENT)) {
        uint64_t pfn = first_free++;

        memset(rt_gfn_va(pfn), 0, PAGE_BYTES);
        link_table(parent, index, pfn);
    }
    return table_at(parent[index]);
}

static uint64_t *level2_of(uint64_t va)
{
    uint64_t *l4 = (uint64_t *)rt_start_info->pt_base;
    uint64_t *l3 = table_below(l4, index_of(va, SHIFT_L4));

    return table_below(l3, index_of(va, SHIFT_L3));
}

/* Map RAM in the 2 MiB that start at @va, as far as it is not. */
static void map_2m(uint64_t va, uint64_t pfn_end)
{
    uint64_t *l2 = level2_of(va);
    unsigned int slot = index_of(va, SHIFT_L2);
    uint64_t first_pfn = va / PAGE_BYTES;
    uint64_t table, *l1;

    if (l2[slot] & PTE_PRESENT) {
        l1 = table_at(l2[slot]);
        for (unsigned int i = 0; i < ENTRIES && first_pfn + i < pfn_end; i++)
            if (!(l1[i] & PTE_PRESENT))
                must(update_va(rt_gfn_va(first_pfn + i),
                               p2m()[first_pfn + i] * PAGE_BYTES | PTE_RAM));
        return;
    }

    table = first_free++;
    l1 = rt_gfn_va(table);
    for (unsigned int i = 0; i < ENTRIES; i++)
        l1[i] = first_pfn + i < pfn_end
                    ? p2m()[first_pfn + i] * PAGE_BYTES | PTE_RAM
                    : 0;
    link_table(l2, slot, table);
}

int rt_xen_map_special(void *va, uint64_t frame)
{
    return (int)update_va(va, frame * PAGE_BYTES | PTE_RAM);
}

int rt_xen_page_guard(void *va, bool guarded)
{
    return (int)update_va(
        va, guarded ? 0 : rt_xen_frame_of(va) * PAGE_BYTES | PTE_RAM);
}

uint64_t rt_xen_frame_of(const volatile void *va)
{
    return p2m()[rt_va_gfn(va)];
}

/* What class light has by its segments: no null page, no writable text. */
static void protect_image(void)
{
    char *end = rt_data_start;

    for (char *va = NULL; va < end; va += PAGE_BYTES) {
        uint64_t entry = rt_xen_frame_of(va) * PAGE_BYTES | PTE_RO;

        must(update_va(va, va < rt_text_start ? 0 : entry));
    }
}

void rt_xen_memory_init(void)
{
    const struct start_info *si = rt_start_info;
    struct page_range reserved = {0, 0};

    rt_layout.ram_pages = si->nr_pages;
    rt_layout.special_gfn = (si->nr_pages + ENTRIES - 1) / ENTRIES * ENTRIES;

    /* Behind the tables lies the boot stack, which is not used any more. */
    first_free = si->pt_base / PAGE_BYTES + si->nr_pt_frames;

    for (uint64_t pfn = 0; pfn < si->nr_pages; pfn += ENTRIES)
        map_2m(pfn * PAGE_BYTES, si->nr_pages);
    map_2m(rt_layout.special_gfn * PAGE_BYTES, 0);
    protect_image();

    rt_shared_info =
        rt_gfn_va(rt_layout.special_gfn + LIGHT_SPECIAL_SHARED_INFO);
    must(rt_xen_map_special(rt_shared_info, si->shared_info / PAGE_BYTES));

    reserved.count = first_free;
    rt_pages_init(&reserved, 1);
}
