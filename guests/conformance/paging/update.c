/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update and update_va_mapping. */

#include <string.h>

#include <abi/domid.h>

#include "paging/tables.h"

#define A_PATTERN 0x1122334455667788UL
#define NO_DOMAIN 0x7000U

/* No machine has that frame. */
#define NO_FRAME 0xffffff000UL

PAGES(page, 1);
PAGES(other, 1);
PAGES(window, 1);
PAGES(tables, 3);
PAGES(requests, 2);

static volatile uint64_t *word(volatile void *va)
{
    return va;
}

TEST("a list of no updates is done")
{
    struct mmu_update none = {0};
    uint32_t done = 7;

    NEEDS_PV;
    EXPECT_EQ(mmu_update(&none, 0, NULL), 0);
    EXPECT_EQ(mmu_update(&none, 0, &done), 0);
    EXPECT_EQ(done, 0);
}

TEST("an update changes what an address maps")
{
    NEEDS_PV;
    *word(page) = 1;
    *word(other) = 2;
    EXPECT_EQ(mmu_set(entry_address(window), entry_for(page, PAGE_BITS)), 0);
    EXPECT_EQ(mmuext_one(MMUEXT_INVLPG_LOCAL, (uintptr_t)window, 0), 0);
    EXPECT_EQ(*word(window), 1);
    EXPECT_EQ(set_va(window, entry_for(other, PAGE_BITS), UVMF_INVLPG), 0);
    EXPECT_EQ(*word(window), 2);
    EXPECT_EQ(set_va(window, entry_for(page, PAGE_BITS), UVMF_TLB_FLUSH), 0);
    EXPECT_EQ(*word(window), 1);
    EXPECT_TRUE(make_writable(window));
}

TEST("a page that is not the kernel's alone is marked, and so is one that is")
{
    NEEDS_PV;
    EXPECT_EQ(
        set_va(window, entry_for(page, READ_BITS & ~PTE_USER), UVMF_INVLPG), 0);
    EXPECT_EQ(*entry_of(window) & (PTE_USER | PTE_KERNEL),
              PTE_USER | PTE_KERNEL);
    EXPECT_EQ(set_va(window, entry_for(page, READ_BITS), UVMF_INVLPG), 0);
    EXPECT_EQ(*entry_of(window) & (PTE_USER | PTE_KERNEL), PTE_USER);
    /* What was read back is as good. */
    EXPECT_EQ(mmu_set(entry_address(window), *entry_of(window)), 0);
    EXPECT_TRUE(make_writable(window));
}

TEST("accessed and dirty are kept if that is asked for, and only then")
{
    struct mmu_update request = {.val = entry_for(page, PTE_PRESENT)};

    NEEDS_PV;
    request.ptr = entry_address(window) | MMU_PT_UPDATE_PRESERVE_AD;
    request.val = entry_for(window, PTE_PRESENT | PTE_USER | PTE_WRITE);
    EXPECT_EQ(set_va(window, entry_for(window, PAGE_BITS), UVMF_INVLPG), 0);
    EXPECT_EQ(mmu_update(&request, 1, NULL), 0);
    EXPECT_EQ(*entry_of(window) & (PTE_ACCESSED | PTE_DIRTY),
              PTE_ACCESSED | PTE_DIRTY);
    EXPECT_EQ(mmu_set(entry_address(window), request.val), 0);
    EXPECT_EQ(*entry_of(window) & (PTE_ACCESSED | PTE_DIRTY), 0);
    EXPECT_TRUE(make_writable(window));
}

TEST("the first request that fails ends the list, and done tells which")
{
    struct mmu_update list[3];
    uint32_t done = 7;

    NEEDS_PV;
    for (unsigned int i = 0; i < 3; i++)
        list[i] = (struct mmu_update){entry_address(window),
                                      entry_for(page, READ_BITS)};
    list[1].ptr |= 4;
    EXPECT_EQ(mmu_update(list, 3, &done), -ABI_ENOSYS);
    EXPECT_EQ(done, 1);
    list[1].ptr = NO_FRAME;
    EXPECT_EQ(mmu_update(list, 3, &done), -ABI_EINVAL);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(mmu_update(&list[2], 1, &done), 0);
    EXPECT_EQ(done, 1);
    EXPECT_TRUE(make_writable(window));
}

TEST("a list that cannot be read is done up to there")
{
    struct mmu_update *list =
        (void *)(requests + PAGE_SIZE - sizeof(struct mmu_update));
    uint32_t done = 7;

    NEEDS_PV;
    *list =
        (struct mmu_update){entry_address(window), entry_for(page, READ_BITS)};
    EXPECT_EQ(set_va(requests + PAGE_SIZE, 0, UVMF_INVLPG), 0);
    EXPECT_EQ(mmu_update(list, 2, &done), -ABI_EFAULT);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(mmu_update((void *)(requests + PAGE_SIZE), 1, &done),
              -ABI_EFAULT);
    EXPECT_EQ(done, 0);
    EXPECT_EQ(mmu_update((void *)MACH2PHYS_ADDRESS, 1, NULL), -ABI_EFAULT);
    EXPECT_TRUE(make_writable(requests + PAGE_SIZE));
    EXPECT_TRUE(make_writable(window));
}

TEST("a long list is done in several turns, all of it")
{
    static struct mmu_update list[1000];
    uint32_t done = 0;

    NEEDS_PV;
    for (unsigned int i = 0; i < 1000; i++)
        list[i] = (struct mmu_update){
            entry_address(window), entry_for(i % 2 ? page : other, PAGE_BITS)};
    EXPECT_EQ(mmu_update(list, 1000, &done), 0);
    EXPECT_EQ(done, 1000);
    EXPECT_EQ(*entry_of(window) & PTE_FRAME, frame_of(page) * PAGE_SIZE);
    EXPECT_EQ(mmu_update(list, 999, NULL), 0);
    EXPECT_EQ(*entry_of(window) & PTE_FRAME, frame_of(other) * PAGE_SIZE);
    EXPECT_TRUE(make_writable(window));
}

TEST("a word of an ordinary page is just stored")
{
    NEEDS_PV;
    EXPECT_EQ(mmu_set(frame_of(page) * PAGE_SIZE + 64, A_PATTERN), 0);
    EXPECT_EQ(word(page)[8], A_PATTERN);
    EXPECT_EQ(
        mmu_set((frame_of(page) * PAGE_SIZE + 72) | MMU_PT_UPDATE_NO_TRANSLATE,
                A_PATTERN),
        0);
    EXPECT_EQ(word(page)[9], A_PATTERN);
}

TEST("a word of a descriptor table is none that an update may change")
{
    uint64_t frame = frame_of(other);

    NEEDS_PV;
    memset(other, 0, PAGE_SIZE);
    EXPECT_TRUE(make_read_only(other));
    EXPECT_EQ(hypercall2(2, hypercall_ptr(&frame), 8), 0); /* set_gdt */
    EXPECT_EQ(mmu_set(frame * PAGE_SIZE + 8, 0), -ABI_EINVAL);
    EXPECT_EQ(set_va(window, entry_for(other, PAGE_BITS), 0), -ABI_EBUSY);
    EXPECT_EQ(hypercall2(2, 0, 0), 0);
    EXPECT_TRUE(make_writable(other));
}

TEST("a frame's number in the table of all is its owner's to say")
{
    uint64_t mfn = frame_of(page), pfn;

    NEEDS_PV;
    pfn = M2P[mfn];
    EXPECT_EQ(mmu_set(mfn * PAGE_SIZE | MMU_MACHPHYS_UPDATE, 12345), 0);
    EXPECT_EQ(M2P[mfn], 12345);
    EXPECT_EQ(mmu_set(mfn * PAGE_SIZE | MMU_MACHPHYS_UPDATE, pfn), 0);
    EXPECT_EQ(M2P[mfn], pfn);
    EXPECT_EQ(mmu_set(NO_FRAME | MMU_MACHPHYS_UPDATE, 1), -ABI_EINVAL);
}

TEST("only the caller itself can be meant, and not by its number")
{
    struct mmu_update list = {.ptr = 0};

    NEEDS_PV;
    list = (struct mmu_update){entry_address(window),
                               entry_for(window, PAGE_BITS)};
    EXPECT_EQ(mmu_update_of(&list, 1, NULL, own_domid), -ABI_ESRCH);
    EXPECT_EQ(mmu_update_of(&list, 1, NULL, NO_DOMAIN), -ABI_ESRCH);
    EXPECT_EQ(mmu_update_of(&list, 1, NULL, (NO_DOMAIN + 1) << 16 | DOMID_SELF),
              -ABI_ESRCH);
    EXPECT_EQ(mmu_update_of(&list, 1, NULL,
                            (uint32_t)(own_domid + 1) << 16 | DOMID_SELF),
              0);
    EXPECT_EQ(hypercall4(HYPERCALL_update_va_mapping_otherdomain,
                         hypercall_ptr(window), list.val, 0, own_domid),
              -ABI_ESRCH);
    EXPECT_EQ(hypercall4(HYPERCALL_update_va_mapping_otherdomain,
                         hypercall_ptr(window), list.val, 0, DOMID_SELF),
              0);
}

TEST("an entry's bits and frame are checked, and a refused one changes nothing")
{
    uint64_t at, was;

    NEEDS_PV;
    at = entry_address(window);
    was = *entry_of(window);
    EXPECT_EQ(mmu_set(at, PTE_FRAME | PAGE_BITS), -ABI_EINVAL);
    /* A table: to be read, not to be written. */
    EXPECT_EQ(mmu_set(at, entry_for(entry_of(window), PAGE_BITS)), -ABI_EBUSY);
    EXPECT_EQ(*entry_of(window), was);
    EXPECT_EQ(mmu_set(at, entry_for(entry_of(window), READ_BITS)), 0);
    EXPECT_TRUE(make_writable(window));
    /* Not present: whatever it holds. */
    EXPECT_EQ(mmu_set(at, ~PTE_PRESENT), 0);
    EXPECT_EQ(*entry_of(window), ~PTE_PRESENT);
    EXPECT_TRUE(make_writable(window));
}

TEST("memory types and frames that are no RAM are not a guest's")
{
    uint64_t at;

    SKIP_ON_XEN_DOM0("the initial domain may have devices");
    NEEDS_PV;
    at = entry_address(window);
    EXPECT_EQ(mmu_set(at, entry_for(page, PAGE_BITS | 0x08)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(at, entry_for(page, PAGE_BITS | 0x10)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(at, entry_for(page, PAGE_BITS | 0x80)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(at, NO_FRAME | PAGE_BITS), -ABI_EPERM);
}

TEST("an address without tables, or that is the hypervisor's, has no entry")
{
    NEEDS_PV;
    EXPECT_EQ(set_va((void *)0x600000000000, 0, 0), -ABI_EINVAL);
    EXPECT_EQ(set_va((void *)MACH2PHYS_ADDRESS, 0, 0), -ABI_EINVAL);
    EXPECT_EQ(set_va((void *)0xffff830000000000, 0, 0), -ABI_EINVAL);
}

TEST("a flush reaches the vCPUs of a bitmap, if that can be read")
{
    uint64_t vcpus = 1, e = 0;

    NEEDS_PV;
    e = entry_for(window, PAGE_BITS);
    EXPECT_EQ(set_va(window, e, UVMF_INVLPG | UVMF_ALL), 0);
    EXPECT_EQ(set_va(window, e, UVMF_TLB_FLUSH | UVMF_ALL), 0);
    EXPECT_EQ(set_va(window, e, UVMF_INVLPG | hypercall_ptr(&vcpus)), 0);
    EXPECT_EQ(set_va(window, e, UVMF_TLB_FLUSH | hypercall_ptr(&vcpus)), 0);
    EXPECT_EQ(set_va(window, e, UVMF_TLB_FLUSH | 0x600000000000), -ABI_EFAULT);
}

static uint64_t *table(unsigned int level)
{
    return (void *)(tables + (level - 1) * PAGE_SIZE);
}

/* Our tables of levels 3, 2 and 1 map `page` at the first address of a slot. */
static bool link_tables(unsigned int slot)
{
    uint64_t l4 = frame_of((void *)(uintptr_t)start_info->pt_base);
    bool ok = true;

    memset(tables, 0, sizeof(tables));
    table(1)[0] = entry_for(page, PAGE_BITS);
    table(2)[0] = entry_for(table(1), TABLE_BITS);
    table(3)[0] = entry_for(table(2), TABLE_BITS);
    for (unsigned int level = 1; level <= 3; level++)
        ok = ok && make_read_only(table(level));
    return ok && mmu_set(l4 * PAGE_SIZE + slot * 8,
                         entry_for(table(3), TABLE_BITS)) == 0;
}

static bool unlink_tables(unsigned int slot)
{
    uint64_t l4 = frame_of((void *)(uintptr_t)start_info->pt_base);
    bool ok = mmu_set(l4 * PAGE_SIZE + slot * 8, 0) == 0;

    for (unsigned int level = 1; level <= 3; level++)
        ok = ok && make_writable(table(level));
    return ok;
}

#define SLOT    5U
#define SLOT_VA ((volatile uint64_t *)((uint64_t)SLOT << 39))

TEST("tables of its own map where a kernel wants, and are pages again then")
{
    NEEDS_PV;
    *word(page) = A_PATTERN;
    REQUIRE(link_tables(SLOT));
    EXPECT_EQ(*SLOT_VA, A_PATTERN);
    /* In use, they are nothing else. */
    EXPECT_EQ(set_va(table(1), entry_for(table(1), PAGE_BITS), 0), -ABI_EBUSY);
    EXPECT_EQ(set_va(table(3), entry_for(table(3), PAGE_BITS), 0), -ABI_EBUSY);
    /* A new page, by each of the ways. */
    EXPECT_EQ(mmu_set(frame_of(table(1)) * PAGE_SIZE + 8,
                      entry_for(other, PAGE_BITS)),
              0);
    EXPECT_EQ(
        set_va(SLOT_VA + 2 * ENTRIES, entry_for(other, PAGE_BITS), UVMF_INVLPG),
        0);
    *word(other) = 77;
    EXPECT_EQ(SLOT_VA[ENTRIES], 77);
    EXPECT_EQ(SLOT_VA[2 * ENTRIES], 77);
    EXPECT_TRUE(unlink_tables(SLOT));
    table(1)[0] = 0; /* no fault: it is an ordinary page */
}

TEST("what a table's entries name must be tables of the next level")
{
    uint64_t l3, l2;

    NEEDS_PV;
    REQUIRE(link_tables(SLOT));
    l3 = frame_of(table(3)) * PAGE_SIZE;
    l2 = frame_of(table(2)) * PAGE_SIZE;
    EXPECT_EQ(mmu_set(l3 + 8, entry_for(table(1), TABLE_BITS)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l3 + 8, entry_for(page, TABLE_BITS)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l2 + 8, entry_for(table(3), TABLE_BITS)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l2 + 8, entry_for(page, TABLE_BITS | 0x80)), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l2 + 8, entry_for(table(1), TABLE_BITS | 0x10)),
              -ABI_EINVAL);
    /* Twice is no error. */
    EXPECT_EQ(mmu_set(l2 + 8, entry_for(table(1), TABLE_BITS)), 0);
    EXPECT_EQ(SLOT_VA[ENTRIES * ENTRIES], *word(page));
    EXPECT_EQ(mmu_set(l2 + 8, 0), 0);
    EXPECT_TRUE(unlink_tables(SLOT));
}

TEST("the hypervisor's entries of a top table are not the guest's")
{
    uint64_t l4;

    NEEDS_PV;
    l4 = frame_of((void *)(uintptr_t)start_info->pt_base) * PAGE_SIZE;
    EXPECT_EQ(mmu_set(l4 + 256 * 8, 0), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l4 + 262 * 8, 0), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l4 + 271 * 8, 0), -ABI_EINVAL);
    EXPECT_EQ(mmu_set(l4 + 272 * 8, 0), 0);
}
