/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/lib/pv_layout.c */
/*
 * Layouts of class pv: those that guests expect to the page, and tables that
 * are walked as a processor would.
 */

#include "lib/pv_layout.h"

#include <stdlib.h>
#include <string.h>

#include "lib/errno.h"
#include "unit/test.h"

#define KERNEL_BASE 0xffffffff80000000UL
#define INIT_P2M    0x8000000000UL
#define MFN_OF(pfn) ((pfn)*3 + 7) /* any order, none twice */
#define PAGES_MAX   0x20000UL

static uint64_t mfns[PAGES_MAX];
static struct pv_layout layout;
static const char *why;

/* A kernel like Debian's: from 16 MiB on, list apart, ramdisk not mapped. */
static const struct elf_image linux_like = {
    .end = 0x3e00000,
    .virt_base = KERNEL_BASE,
    .init_p2m = INIT_P2M,
    .mod_start_pfn = 1,
};

static const struct elf_image small = {.end = 0x21000};

void setup(void)
{
    for (uint64_t i = 0; i < PAGES_MAX; i++)
        mfns[i] = MFN_OF(i);
}

static int make(const struct elf_image *image, uint64_t pages, uint64_t ramdisk,
                bool initial)
{
    return pv_layout_make(&layout, image, pages, ramdisk, initial, &why);
}

/* All tables, by pfn. */
static uint64_t *tables_made(void)
{
    uint64_t *all = calloc(layout.nr_pages, PV_TABLE_ENTRIES * 8);
    uint64_t page[PV_TABLE_ENTRIES];

    for (uint32_t i = 0; i < layout.table_count; i++) {
        uint64_t pfn = pv_layout_table(&layout, i, mfns, page);

        if (pfn >= layout.nr_pages)
            abort();
        memcpy(all + pfn * PV_TABLE_ENTRIES, page, sizeof(page));
    }
    return all;
}

/* The level-1 entry for @va; 0: none. */
static uint64_t walk(const uint64_t *all, uint64_t va)
{
    uint64_t pfn = layout.l4, entry = 0;

    for (unsigned int shift = 39; shift >= 12; shift -= 9) {
        entry = all[pfn * PV_TABLE_ENTRIES + (va >> shift & 511)];
        if (!(entry & 1))
            return 0;
        pfn = ((entry >> 12) - 7) / 3;
        if (shift > 12 && (entry & 0xfff) != 0x067)
            abort();
    }
    return entry;
}

TEST("Debian's kernel finds all where it has always been")
{
    REQUIRE(make(&linux_like, 131072, 5000000, false) == 0);
    EXPECT_EQ(layout.start_info, 0x3e00);
    EXPECT_EQ(layout.store, 0x3e01);
    EXPECT_EQ(layout.console, 0x3e02);
    EXPECT_EQ(layout.l4, 0x3e03);
    EXPECT_EQ(layout.stack, 0x3e26);
    EXPECT_EQ(layout.kernel.last, 0xffffffff83fff000);
    EXPECT_EQ(layout.ramdisk, 0x4000);
    EXPECT_EQ(layout.p2m, 0x4000 + 1221);
    EXPECT_EQ(layout.p2m_pages, 256);
    EXPECT_EQ(layout.table_count, 35 + 3);
    EXPECT_EQ(layout.end, layout.p2m + 259);
    EXPECT_EQ(pv_layout_stack(&layout), 0xffffffff83e27000);
}

TEST("start_info says where that is")
{
    struct start_info info = {0};

    REQUIRE(make(&linux_like, 131072, 5000000, false) == 0);
    pv_layout_start_info(&layout, mfns, &info);
    EXPECT_STR(info.magic, "xen-3.0-x86_64");
    EXPECT_EQ(info.nr_pages, 131072);
    EXPECT_EQ(info.flags, SIF_MOD_START_PFN);
    EXPECT_EQ(info.store_mfn, MFN_OF(0x3e01));
    EXPECT_EQ(info.console.domU.mfn, MFN_OF(0x3e02));
    EXPECT_EQ(info.pt_base, 0xffffffff83e03000);
    EXPECT_EQ(info.nr_pt_frames, 35);
    EXPECT_EQ(info.mfn_list, INIT_P2M);
    EXPECT_EQ(info.mod_start, 0x4000);
    EXPECT_EQ(info.mod_len, 1221 * 4096);
    EXPECT_EQ(info.first_p2m_pfn, 0x4000 + 1221);
    EXPECT_EQ(info.nr_p2m_frames, 259);
}

/* What maps each page: tables to be read, all else to be written. */
static void check_mapping(const uint64_t *all)
{
    uint64_t pages = (layout.kernel.last - layout.kernel.first) / 4096 + 1;
    uint64_t wrong = 0;

    for (uint64_t pfn = 0; pfn < pages; pfn++) {
        bool table = pfn >= layout.l4 && pfn < layout.stack;
        uint64_t entry = walk(all, pv_layout_va(&layout, pfn));

        wrong += entry != (MFN_OF(pfn) << 12 | (table ? 0x021 : 0x023));
    }
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(walk(all, layout.kernel.last + 4096), 0);
    EXPECT_TRUE(pages - layout.stack - 1 >= 128);
    EXPECT_EQ((layout.kernel.last + 4096) % (4 << 20), 0);
}

TEST("the tables map the kernel and all behind it, and the list apart")
{
    uint64_t *all;

    REQUIRE(make(&linux_like, 131072, 5000000, false) == 0);
    all = tables_made();
    check_mapping(all);
    for (uint64_t i = 0; i < layout.p2m_pages; i++)
        EXPECT_EQ(walk(all, INIT_P2M + i * 4096),
                  MFN_OF(layout.p2m + i) << 12 | 0x023);
    EXPECT_EQ(walk(all, INIT_P2M + 256 * 4096), 0);
    EXPECT_EQ(walk(all, INIT_P2M - 4096), 0);
    free(all);
}

TEST("a small kernel at address 0 has its list and ramdisk mapped with it")
{
    struct start_info info = {0};
    uint64_t *all;

    REQUIRE(make(&small, 4096, 10000, false) == 0);
    EXPECT_EQ(layout.ramdisk, 0x21);
    EXPECT_EQ(layout.p2m, 0x24);
    EXPECT_EQ(layout.p2m_pages, 8);
    EXPECT_EQ(layout.start_info, 0x2c);
    EXPECT_EQ(layout.end, 1024);
    all = tables_made();
    check_mapping(all);
    free(all);
    pv_layout_start_info(&layout, mfns, &info);
    EXPECT_EQ(info.flags, 0);
    EXPECT_EQ(info.mod_start, 0x21000);
    EXPECT_EQ(info.mfn_list, 0x24000);
    EXPECT_EQ(info.nr_p2m_frames, 0);
}

TEST("the initial domain has no rings, and its ramdisk's very length")
{
    struct start_info info = {0};

    REQUIRE(make(&linux_like, 65536, 5000000, true) == 0);
    EXPECT_EQ(layout.store | layout.console, 0);
    EXPECT_EQ(layout.l4, layout.start_info + 1);
    pv_layout_start_info(&layout, mfns, &info);
    EXPECT_EQ(info.mod_len, 5000000);
    EXPECT_EQ(info.store_mfn | info.console.domU.mfn, 0);
}

TEST("a list is not put apart where it cannot be")
{
    static const uint64_t bad[] = {0x8000000001,       /* no page */
                                   0x7ffffff01000,     /* reaches the gap */
                                   0xffff800000000000, /* the hypervisor's */
                                   KERNEL_BASE - 4096, /* the kernel's slot */
                                   KERNEL_BASE + (1UL << 30)};
    struct elf_image image = linux_like;

    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        image.init_p2m = bad[i];
        REQUIRE(make(&image, 131072, 0, false) == 0);
        EXPECT_FALSE(layout.p2m_apart);
        EXPECT_EQ(layout.p2m_address, pv_layout_va(&layout, layout.p2m));
    }
}

TEST("what does not fit is refused")
{
    struct elf_image image = small;

    EXPECT_EQ(make(&small, 1024, 0, false), 0);
    EXPECT_EQ(make(&small, 1023, 0, false), -EINVAL);
    EXPECT_TRUE(strstr(why, "fit") != NULL);
    EXPECT_EQ(make(&small, 1024, 4 << 20, false), -EINVAL);
    EXPECT_EQ(make(&small, ~0UL, 0, false), -EINVAL);
    EXPECT_EQ(make(&small, 1024, ~0UL, false), -EINVAL);
    image.end = ~0UL;
    EXPECT_EQ(make(&image, 1024, 0, false), -EINVAL);
    image.end = 0x21000;
    image.virt_base = 0xfffffffffffe0000; /* the end wraps */
    EXPECT_EQ(make(&image, 4096, 0, false), -EINVAL);
    image.virt_base = 0xffff800000000000;
    EXPECT_EQ(make(&image, 4096, 0, false), -EINVAL);
    image.virt_base = (1UL << 47) - 4096;
    EXPECT_EQ(make(&image, 4096, 0, false), -EINVAL);
    EXPECT_TRUE(strstr(why, "address") != NULL);
}
