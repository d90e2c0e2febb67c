/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables of a light space: four levels, made as pages are first
 * touched, freed with the space.
 *
 * Every table it can ever need is promised when the space is created, so a
 * page that has a frame never lacks a table.  That is one frame for 2 MiB of
 * the layout, windows included: promised pages can be anywhere in it, so a
 * smaller promise could be broken.
 */

#include "memory/light_leaf.h"

#include "arch/x86_64/address_map.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/xpti.h"
#include "core/panic.h"
#include "lib/atomic.h"
#include "lib/string.h"
#include "memory/direct_map.h"
#include "memory/frame.h"
#include "memory/light.h"

#define TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

static vaddr_t page_va(const struct light_space *s, uint64_t page)
{
    return light_va(s, gfn(page));
}

/* Which table of @level maps @va: equal for all addresses it maps. */
static uint64_t table_number(vaddr_t va, unsigned int level)
{
    return va >> (PT_SHIFT_L1 + 9 * level);
}

static struct frame *table_alloc(struct light_space *s)
{
    struct frame *f;

    if (s->tables_left == 0)
        panic("the space of domain %u needs more tables than promised",
              s->owner);
    f = frame_alloc_reserved(DOMID_XEN);
    if (!frame_get_type(f, FRAME_HV))
        panic("a fresh frame has a type");
    s->tables_left--;
    s->table_pages++;
    return f;
}

static void table_free(struct light_space *s, mfn_t m)
{
    struct frame *f = mfn_to_frame(m);

    frame_put_type(f);
    frame_put(f);
    s->table_pages--;
}

/* Write an entry of a table of @level; the guest's L4 table follows ours. */
static void entry_write(struct light_space *s, unsigned int level,
                        uint64_t *entry, uint64_t value)
{
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
    if (level == 4 && !mfn_eq(s->guest_root, s->root)) {
        uint64_t *guests = mfn_to_virt(s->guest_root);

        atomic_write(&guests[entry - s->root_table], value);
    }
}

/*
 * The entry for @va in a table of @level, 1 is a leaf.  NULL: there is no such
 * table; with @make it is made, and all above it.
 */
static uint64_t *entry_at(struct light_space *s, vaddr_t va, unsigned int level,
                          bool make)
{
    uint64_t *table = s->root_table;

    for (unsigned int at = 4; at > level; at--) {
        uint64_t *entry = &table[pt_index(va, at)];

        if (!(atomic_read(entry) & PTE_PRESENT)) {
            if (!make)
                return NULL;
            /* A table is cleared before the processor can see it. */
            entry_write(s, at, entry,
                        pte_make(frame_to_mfn(table_alloc(s)), TABLE_FLAGS));
        }
        table = table_of_entry(*entry);
    }
    return &table[pt_index(va, level)];
}

uint64_t *light_leaf_walk(struct light_space *s, uint64_t page)
{
    return entry_at(s, page_va(s, page), 1, false);
}

uint64_t *light_leaf_make(struct light_space *s, uint64_t page)
{
    return entry_at(s, page_va(s, page), 1, true);
}

uint64_t light_tables_needed(const struct light_space *s)
{
    uint64_t tables = cpu_features.xpti ? 2 : 1; /* the roots */

    for (unsigned int level = 1; level < 4; level++)
        tables += table_number(page_va(s, s->pages - 1), level) -
                  table_number(page_va(s, 0), level) + 1;
    return tables;
}

void light_root_make(struct light_space *s)
{
    vaddr_t base = s->layout.virt_base;

    s->root = frame_to_mfn(table_alloc(s));
    s->root_table = mfn_to_virt(s->root);
    memcpy(&s->root_table[HV_L4_FIRST], hv_l4_slots(),
           HV_L4_COUNT * sizeof(uint64_t));
    s->guest_root = s->root;
    if (cpu_features.xpti) {
        s->guest_root = frame_to_mfn(table_alloc(s));
        ((uint64_t *)mfn_to_virt(s->guest_root))[XPTI_L4_INDEX] = xpti_l4_entry;
    }
    s->first_l2 = entry_at(s, base, 2, true) - pt_index(base, 2);
    s->first_leaf = pt_index(base, 2) * PT_ENTRIES + pt_index(base, 1);
    s->near_pages = PT_ENTRIES * PT_ENTRIES - s->first_leaf;
    if (s->near_pages > s->layout.ram_pages)
        s->near_pages = s->layout.ram_pages;
}

void light_root_free(struct light_space *s)
{
    if (!mfn_eq(s->guest_root, s->root))
        table_free(s, s->guest_root);
    table_free(s, s->root);
    s->root = MFN_NONE;
    s->root_table = NULL;
    s->first_l2 = NULL;
}

uint64_t light_skip_tables(struct light_space *s, uint64_t page)
{
    vaddr_t va = page_va(s, page);
    unsigned int level = 3;
    uint64_t *entry;

    /* The largest that lacks; if only its like do next to it, that is cheap. */
    while (level > 1 && (entry = entry_at(s, va, level + 1, false)) &&
           *entry & PTE_PRESENT)
        level--;
    va = (table_number(va, level) + 1) << (PT_SHIFT_L1 + 9 * level);

    /* Also at the end of the address space, where it is 0 now. */
    page = (va - s->layout.virt_base) >> PAGE_SHIFT;
    return page < s->pages ? page : s->pages;
}

void light_tables_leave(struct light_space *s, uint64_t page, uint64_t next)
{
    vaddr_t va = page_va(s, page);

    for (unsigned int level = 1; level < 4; level++) {
        uint64_t *entry;

        if (next < s->pages &&
            table_number(page_va(s, next), level) == table_number(va, level))
            break;
        entry = entry_at(s, va, level + 1, false);
        if (!entry || !(*entry & PTE_PRESENT))
            continue;
        table_free(s, pte_mfn(*entry));
        entry_write(s, level + 1, entry, 0);
    }
}
