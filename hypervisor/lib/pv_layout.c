/* SPDX-License-Identifier: BSD-2-Clause */
/* The layout of a class pv domain at its start, and its first page tables. */

#include "lib/pv_layout.h"

#include "lib/errno.h"
#include "lib/frame_number.h"
#include "lib/string.h"

#define LEVELS      4U
#define LEVEL_SHIFT 9U

/* The kernel's mapping ends at a multiple of this, */
#define MAPPING_ALIGN (4UL << 20)
/* with so many pages mapped behind the stack. */
#define SLACK_PAGES 128U

/* What no guest may map.  Below it are addresses in neither half. */
#define LOWER_END   (1UL << 47)
#define UPPER_BEGIN 0xffff880000000000UL

/* Bits of entries, before validation adds its own. */
#define ENTRY_TABLE 0x067U /* P RW US A D */
#define ENTRY_DATA  0x023U /* P RW A */
#define ENTRY_RO    0x021U /* P A: maps a table */

/* The most a domain can have: more frames are in no machine. */
#define PAGES_MAX (1UL << 40)

/* Bits of an address below what an entry of level @level selects. */
static unsigned int shift_of(unsigned int level)
{
    return PAGE_SHIFT + LEVEL_SHIFT * (level - 1);
}

/* Which entry of all those of @level, from its mapping's first, is for @va. */
static uint64_t entry_from(const struct pv_mapping *m, unsigned int level,
                           uint64_t va)
{
    return (va >> shift_of(level)) - (m->first >> shift_of(level));
}

/* How many tables of each level but the last map the range. */
static uint64_t count_tables(struct pv_mapping *m)
{
    uint64_t sum = 0;

    for (unsigned int level = 1; level < LEVELS; level++) {
        m->count[level - 1] = (uint32_t)(entry_from(m, level + 1, m->last) + 1);
        sum += m->count[level - 1];
    }
    return sum;
}

static uint64_t sum_tables(const struct pv_mapping *m)
{
    return (uint64_t)m->count[0] + m->count[1] + m->count[2] + m->count[3];
}

/* pfn of the first table of @level: higher ones come first. */
static uint64_t first_table(const struct pv_mapping *m, unsigned int level)
{
    uint64_t pfn = m->tables;

    for (unsigned int above = LEVELS; above > level; above--)
        pfn += m->count[above - 1];
    return pfn;
}

static bool is_guests(uint64_t first, uint64_t last)
{
    return first <= last && (last < LOWER_END || first >= UPPER_BEGIN);
}

static unsigned int l4_slot(uint64_t va)
{
    return (unsigned int)(va >> shift_of(LEVELS)) % PV_TABLE_ENTRIES;
}

/* The list gets tables of its own where the image wants that and it can be. */
static bool list_fits_apart(const struct pv_layout *l,
                            const struct elf_image *image)
{
    uint64_t last = image->init_p2m + (l->p2m_pages - 1) * PAGE_SIZE;

    return image->init_p2m && image->init_p2m % PAGE_SIZE == 0 &&
           image->init_p2m < l->virt_base && is_guests(image->init_p2m, last) &&
           l4_slot(last) < l4_slot(l->virt_base);
}

/*
 * Tables, stack, slack: how many tables there are depends on how much is
 * mapped, which they are part of.
 */
static void place_tables(struct pv_layout *l, uint64_t at)
{
    struct pv_mapping *m = &l->kernel;
    uint64_t count, wanted = 0;

    m->first = l->virt_base;
    m->tables = l->l4 = at;
    m->count[LEVELS - 1] = 1;
    do {
        count = wanted;
        m->last = (pv_layout_va(l, at + count + 1 + SLACK_PAGES) - 1) |
                  (MAPPING_ALIGN - 1);
        m->last &= PAGE_MASK;
        wanted = count_tables(m) + 1;
    } while (wanted > count && m->last > m->first);
    l->stack = at + count;
    l->table_count = (uint32_t)count;
    l->end = (m->last - m->first) / PAGE_SIZE + 1;
}

/* The list and its tables: behind all that is mapped with the kernel. */
static void place_list(struct pv_layout *l, uint64_t address)
{
    struct pv_mapping *m = &l->list;

    l->p2m = l->end;
    l->p2m_address = address;
    m->first = address;
    m->last = address + (l->p2m_pages - 1) * PAGE_SIZE;
    m->pfn = l->p2m;
    m->tables = l->p2m + l->p2m_pages;
    l->end = m->tables + count_tables(m);
    l->table_count += (uint32_t)sum_tables(m);
}

static void place(struct pv_layout *l, const struct elf_image *image)
{
    uint64_t at = pages_of(image->end), pages = pages_of(l->ramdisk_bytes);

    if (l->ramdisk_mapped) {
        l->ramdisk = at;
        at += pages;
    }
    if (!l->p2m_apart) {
        l->p2m = at;
        l->p2m_address = pv_layout_va(l, at);
        at += l->p2m_pages;
    }
    l->start_info = at++;
    if (!l->initial) {
        l->store = at++;
        l->console = at++;
    }
    place_tables(l, at);
    if (pages && !l->ramdisk_mapped) {
        l->ramdisk = l->end;
        l->end += pages;
    }
    if (l->p2m_apart)
        place_list(l, image->init_p2m);
}

int pv_layout_make(struct pv_layout *l, const struct elf_image *image,
                   uint64_t nr_pages, uint64_t ramdisk_bytes, bool initial,
                   const char **why)
{
    memset(l, 0, sizeof(*l));
    *why = "it and its ramdisk do not fit its memory";
    if (nr_pages > PAGES_MAX || image->end / PAGE_SIZE >= nr_pages ||
        ramdisk_bytes / PAGE_SIZE >= nr_pages)
        return -EINVAL;
    l->virt_base = image->virt_base;
    l->nr_pages = nr_pages;
    l->initial = initial;
    l->ramdisk_bytes = ramdisk_bytes;
    l->ramdisk_mapped = ramdisk_bytes && !image->mod_start_pfn;
    l->p2m_pages = pages_of(nr_pages * sizeof(uint64_t));
    l->p2m_apart = list_fits_apart(l, image);
    place(l, image);
    if (l->end > nr_pages)
        return -EINVAL;
    *why = "its addresses are not a guest's";
    if (l->virt_base % PAGE_SIZE || !is_guests(l->kernel.first, l->kernel.last))
        return -EINVAL;
    *why = "";
    return 0;
}

static bool is_table(const struct pv_layout *l, uint64_t pfn)
{
    return (pfn >= l->l4 && pfn < l->stack) ||
           (l->p2m_apart && pfn >= l->list.tables &&
            pfn < l->list.tables + sum_tables(&l->list));
}

/* What the entry of @level for @va is, if the mapping covers it. */
static uint64_t entry_of(const struct pv_layout *l, const struct pv_mapping *m,
                         unsigned int level, uint64_t index,
                         const uint64_t *mfn)
{
    uint64_t pfn;

    if (level > 1)
        return mfn[first_table(m, level - 1) + index] << PAGE_SHIFT |
               ENTRY_TABLE;
    pfn = m->pfn + index;
    return mfn[pfn] << PAGE_SHIFT | (is_table(l, pfn) ? ENTRY_RO : ENTRY_DATA);
}

/* Table @n of @level of those that map @m. */
static void fill(const struct pv_layout *l, const struct pv_mapping *m,
                 unsigned int level, uint64_t n, const uint64_t *mfn,
                 uint64_t *entries)
{
    uint64_t last = entry_from(m, level, m->last);
    uint64_t slot = (m->first >> shift_of(level)) % PV_TABLE_ENTRIES;

    /* Entries of a level are numbered from the first one that is used. */
    for (uint64_t i = 0; i < PV_TABLE_ENTRIES; i++) {
        uint64_t index = n * PV_TABLE_ENTRIES + i - slot;

        if (index <= last) /* before the first, it has wrapped */
            entries[i] = entry_of(l, m, level, index, mfn);
    }
}

uint64_t pv_layout_table(const struct pv_layout *l, uint32_t n,
                         const uint64_t *mfn,
                         uint64_t entries[PV_TABLE_ENTRIES])
{
    const struct pv_mapping *m = &l->kernel;
    uint64_t pfn, index = n;

    memset(entries, 0, PV_TABLE_ENTRIES * sizeof(*entries));
    if (index >= sum_tables(m)) {
        index -= sum_tables(m);
        m = &l->list;
    }
    pfn = m->tables + index;
    for (unsigned int level = LEVELS; level; level--) {
        if (index < m->count[level - 1]) {
            fill(l, m, level, index, mfn, entries);
            if (level == LEVELS && l->p2m_apart)
                fill(l, &l->list, level, index, mfn, entries);
            break;
        }
        index -= m->count[level - 1];
    }
    return pfn;
}

void pv_layout_start_info(const struct pv_layout *l, const uint64_t *mfn,
                          struct start_info *info)
{
    memcpy(info->magic, START_INFO_MAGIC, sizeof(START_INFO_MAGIC));
    info->nr_pages = l->nr_pages;
    info->pt_base = pv_layout_va(l, l->l4);
    info->nr_pt_frames = l->stack - l->l4;
    info->mfn_list = l->p2m_address;
    if (!l->initial) {
        info->store_mfn = mfn[l->store];
        info->console.domU.mfn = mfn[l->console];
    }
    if (l->ramdisk) {
        info->flags |= l->ramdisk_mapped ? 0 : SIF_MOD_START_PFN;
        info->mod_start =
            l->ramdisk_mapped ? pv_layout_va(l, l->ramdisk) : l->ramdisk;
        info->mod_len = l->initial ? l->ramdisk_bytes
                                   : pages_of(l->ramdisk_bytes) * PAGE_SIZE;
    }
    if (l->p2m_apart) {
        info->first_p2m_pfn = l->p2m;
        info->nr_p2m_frames = l->p2m_pages + sum_tables(&l->list);
    }
}
