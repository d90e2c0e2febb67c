/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Class pv: pages that tables are made of, and words for them.
 *
 * Each page has a level that it mostly is a table of, so that trees come about
 * of themselves; but for one word in some it is taken for another.
 */

#include <string.h>

#include <abi/grant_table.h>
#include <abi/mmu.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/tables.h"
#include "framework/test.h"
#include "fuzz/fuzz.h"

#define LEVELS       5U /* 0: data */
#define BUSY_ENTRIES 8U /* of each table: where half of all changes are */
#define NEIGHBOURS   4096U

extern const char rt_text_start[], rt_text_end[];

PAGES(pages, PV_PAGES);

uint64_t *pv_fuzz_page(unsigned int index)
{
    return (uint64_t *)(void *)(pages + (size_t)index * PAGE_SIZE);
}

unsigned int pv_role(unsigned int index)
{
    return index < PV_CLONES ? 4 : index % LEVELS;
}

long pv_map(const uint64_t *page, bool write)
{
    return map_at(page, entry_for(page, (write ? TO_WRITE : TO_READ) | PTE_NX));
}

/* Page @index has another frame at times: see the list. */
static uint64_t page_mfn(unsigned int index)
{
    return frame_of(pv_fuzz_page(index));
}

static unsigned int any_page(struct fuzzer *f)
{
    return (unsigned int)below(f, PV_PAGES);
}

/* One whose level is that, mostly. */
static unsigned int page_of_role(struct fuzzer *f, unsigned int role)
{
    unsigned int index = any_page(f);

    if (role == 4 && rarely(f, 4))
        return (unsigned int)below(f, PV_CLONES);
    while (!rarely(f, 32) && pv_role(index) != role)
        index = (index + 1) % PV_PAGES;
    return index;
}

uint64_t pv_page_mfn(struct fuzzer *f)
{
    return page_mfn(any_page(f));
}

/* Those of the builder's that map the pages, by level - 1. */
static uint64_t running[4];

/*
 * Our text is executed, so nobody may write there by another way: half an
 * instruction is as good as code out of step, see pv_code.c.
 */
static bool is_text(uint64_t mfn)
{
    for (const char *at = rt_text_start; at < rt_text_end; at += PAGE_SIZE)
        if (frame_of(at) == mfn)
            return true;
    return false;
}

static uint64_t any_mfn(struct fuzzer *f)
{
    switch (below(f, 64)) {
    case 0:
        return wild(f);
    case 1:
        return start_info->shared_info / PAGE_SIZE;
    case 2:
        return running[below(f, 4)];
    case 3: /* anybody's */
        return frame_of(pages) + below(f, NEIGHBOURS) - NEIGHBOURS / 2;
    case 4:
    case 5:
        return frame_of(f->arena) + below(f, ARENA_PAGES);
    case 6:
        return PTE_FRAME / PAGE_SIZE;
    case 7:
        return below(f, 1 << 20);
    default:
        return pv_page_mfn(f);
    }
}

uint64_t pv_mfn(struct fuzzer *f)
{
    uint64_t mfn = any_mfn(f);

    return is_text(mfn) ? frame_of(f->arena) : mfn;
}

/* --- Entries ---------------------------------------------------------------
 */

static uint64_t flags(struct fuzzer *f, unsigned int level)
{
    static const uint64_t usual[] = {TO_READ, TO_READ, TO_WRITE};
    uint64_t value = level > 1 ? TO_TABLE : usual[below(f, 3)];

    if (rarely(f, 16))
        value ^= 1ULL << (52 + below(f, 12));
    while (rarely(f, 4))
        value ^= 1ULL << below(f, 12);
    /*
     * What entries are is not to be executed, see pv_code.c; and the table of
     * another level that this may get into has it for a leaf.
     */
    return value | PTE_NX;
}

uint64_t pv_entry(struct fuzzer *f, unsigned int level)
{
    uint64_t target;

    switch (below(f, 32)) {
    case 0:
        return wild(f);
    case 1:
        return any(f) & ~PTE_PRESENT;
    case 2:
    case 3:
    case 4:
        return 0;
    default:
        break;
    }
    target = level > 1 && !rarely(f, 16) ? page_mfn(page_of_role(f, level - 1))
                                         : pv_mfn(f);
    return (target << 12 & PTE_FRAME) | flags(f, level);
}

static unsigned int slot(struct fuzzer *f)
{
    return (unsigned int)below(f, rarely(f, 2) ? BUSY_ENTRIES : TABLE_ENTRIES);
}

/* What ends us, when it is wrong, is changed seldom: see pv_after(). */
static uint64_t table_word(struct fuzzer *f)
{
    unsigned int index = any_page(f);
    uint64_t at = page_mfn(index) * PAGE_SIZE + 8ULL * slot(f);

    f->level = pv_role(index);
    if (index < PV_CLONES && !rarely(f, 64))
        at = page_mfn(index) * PAGE_SIZE + 8ULL * (FREE_SLOT + below(f, 4));
    if (rarely(f, 16)) {
        f->level = 4;
        at = start_info->pt_base;
        at = entry_at((const void *)(uintptr_t)at,
                      FREE_SLOT + (unsigned int)below(f, 4));
    }
    if (rarely(f, 128))
        at = pv_mfn(f) << 12 | below(f, PAGE_SIZE);
    if (rarely(f, 4))
        at |= below(f, rarely(f, 8) ? 8 : 4);
    return at;
}

static uint64_t page_va(struct fuzzer *f)
{
    uint64_t at = FREE_ADDRESS | (uint64_t)below(f, 4) << 39;

    if (!rarely(f, 4))
        return hypercall_ptr(pv_fuzz_page(any_page(f)));
    if (rarely(f, 1024))
        return own_va(f) & ~(PAGE_SIZE - 1);
    return at | (uint64_t)slot(f) << 30 | (uint64_t)slot(f) << 21 |
           (uint64_t)slot(f) << 12;
}

/* Tables on which we go on, but for once in a while. */
static uint64_t base(struct fuzzer *f)
{
    if (rarely(f, 64))
        return pv_mfn(f);
    if (rarely(f, 4))
        return frame_of((const void *)(uintptr_t)start_info->pt_base);
    return page_mfn((unsigned int)below(f, PV_CLONES));
}

static uint64_t flush(struct fuzzer *f)
{
    if (rarely(f, 16))
        return wild(f);
    if (rarely(f, 8))
        return own_va(f) | below(f, 4);
    return below(f, 8);
}

/* --- Descriptors -----------------------------------------------------------
 */

uint64_t pv_descriptor(struct fuzzer *f)
{
    static const uint64_t known[] = {
        0x00affb000000ffff, /* code of 64 bits, */
        0x00cffb000000ffff, /* of 32, */
        0x00cff3000000ffff, /* data, all for ring 3 */
        0x00af9b000000ffff, 0x00cf93000000ffff,
        0x0000000000000000, 0x0000ec0000000000, /* a call gate */
        0x0000890000000067, 0x0000820000000fff, /* a TSS, an LDT */
        0x00008e0000080000,                     /* an interrupt gate */
    };
    uint64_t d = known[below(f, sizeof(known) / sizeof(known[0]))];

    while (rarely(f, 3))
        d ^= 1ULL << below(f, 64);
    return rarely(f, 32) ? any(f) : d;
}

uint64_t pv_value_of(struct fuzzer *f, enum kind kind)
{
    switch ((unsigned int)kind) {
    case KIND_TABLE_WORD:
        return table_word(f);
    case KIND_ENTRY:
        return pv_entry(f, rarely(f, 16) ? (unsigned int)below(f, LEVELS)
                                         : f->level);
    case KIND_TABLE:
        return rarely(f, 16) ? pv_mfn(f) : pv_page_mfn(f);
    case KIND_BASE:
        return base(f);
    case KIND_PAGE:
        return page_va(f);
    case KIND_FLUSH:
        return flush(f);
    case KIND_DESCRIPTORS:
        return rarely(f, 16) ? wild(f) : below(f, 16 * TABLE_ENTRIES);
    case KIND_DESCRIPTOR:
        return pv_descriptor(f);
    case KIND_ENTRY_FLAGS:
        return rarely(f, 8) ? below(f, 64)
                            : GNTMAP_host_map | GNTMAP_contains_pte |
                                  (rarely(f, 2) ? GNTMAP_readonly : 0);
    default:
        return 0;
    }
}

/* Level-4 tables that map what runs, and have room for a tree besides. */
void pv_values_init(void)
{
    const uint64_t *l4 = (const uint64_t *)(uintptr_t)start_info->pt_base;

    for (unsigned int level = 1; level <= 4; level++)
        running[level - 1] = frame_of(builders_table(pages, level));
    for (unsigned int i = 0; i < PV_CLONES; i++) {
        pv_fuzz_page(i)[0] = l4[0];
        (void)pv_map(pv_fuzz_page(i), false);
        (void)pin(pv_fuzz_page(i), 4);
    }
}
