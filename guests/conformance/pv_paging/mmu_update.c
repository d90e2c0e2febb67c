/* SPDX-License-Identifier: BSD-2-Clause */
/* mmu_update: its commands, its lists, and what may be written where. */

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

#define ACCESSED_DIRTY (PTE_ACCESSED | PTE_DIRTY)

/* What may be compared of an entry: the rest is adjusted when it is set. */
#define COMPARED (PTE_FRAME | PTE_PRESENT | PTE_WRITE | ACCESSED_DIRTY)

/* A level-1 table, pinned, and a page to map. */
static uint64_t *table, *data;

static bool make_table(void)
{
    table = page_at(0);
    data = page_at(1);
    return map_readable(table) == 0 && pin(table, 1) == 0;
}

TEST("commands 0, 2 and 3 write an entry, and 2 keeps its two bits")
{
    static const unsigned int commands[] = {MMU_NORMAL_PT_UPDATE,
                                            MMU_PT_UPDATE_PRESERVE_AD,
                                            MMU_PT_UPDATE_NO_TRANSLATE};

    REQUIRE(make_table());
    for (unsigned int i = 0; i < 3; i++) {
        uint64_t plain = entry_for(data, PTE_PRESENT | PTE_USER);
        uint64_t keeps = commands[i] == MMU_PT_UPDATE_PRESERVE_AD;

        EXPECT_EQ(mmu_one(entry_at(table, 7), plain | ACCESSED_DIRTY), 0);
        EXPECT_EQ(table[7] & COMPARED, (plain | ACCESSED_DIRTY) & COMPARED);
        EXPECT_EQ(mmu_one(entry_at(table, 7) | commands[i], plain), 0);
        EXPECT_EQ(table[7] & ACCESSED_DIRTY, keeps ? ACCESSED_DIRTY : 0);
        EXPECT_EQ(mmu_one(entry_at(table, 7) | commands[i], plain | PTE_WRITE),
                  0);
        EXPECT_EQ(table[7] & PTE_WRITE, PTE_WRITE);
        EXPECT_EQ(mmu_one(entry_at(table, 7), 0), 0);
        EXPECT_EQ(table[7], 0);
    }
}

TEST("commands 4 to 7 are -ENOSYS, and change nothing")
{
    REQUIRE(make_table());
    for (unsigned int command = 4; command < 8; command++)
        EXPECT_EQ(
            mmu_one(entry_at(table, 7) | command, entry_for(data, TO_READ)),
            -ABI_ENOSYS);
    EXPECT_EQ(table[7], 0);
}

TEST("a list ends at the first failure, and tells how many were done")
{
    struct mmu_update list[5];
    uint32_t done = 99;

    REQUIRE(make_table());
    for (unsigned int i = 0; i < 5; i++)
        list[i] =
            (struct mmu_update){entry_at(table, i), entry_for(data, TO_READ)};
    list[2].val |= PTE_FRAME;
    EXPECT_EQ(hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list), 5,
                         hypercall_ptr(&done), DOMID_SELF),
              -ABI_EINVAL);
    EXPECT_EQ(done, 2);
    EXPECT_EQ(table[1] & PTE_PRESENT, 1);
    EXPECT_EQ(table[2] | table[3] | table[4], 0);
    EXPECT_EQ(hypercall4(HYPERCALL_mmu_update, hypercall_ptr(list), 0,
                         hypercall_ptr(&done), DOMID_SELF),
              0);
    EXPECT_EQ(done, 0);
}

TEST("a list that cannot be read is -EFAULT")
{
    EXPECT_EQ(
        hypercall4(HYPERCALL_mmu_update, 0xffff830000000000, 1, 0, DOMID_SELF),
        -ABI_EFAULT);
    EXPECT_EQ(hypercall4(HYPERCALL_mmu_update, FREE_ADDRESS, 1, 0, DOMID_SELF),
              -ABI_EFAULT);
}

TEST("domains that are none of ours are -ESRCH, the caller's number too")
{
    struct mmu_update request = {leaf_at(page_at(0)),
                                 entry_for(page_at(0), TO_WRITE)};
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};
    uint64_t domains[] = {0x7000, own_domid, DOMID_IDLE};

    for (unsigned int i = 0; i < 3; i++) {
        EXPECT_EQ(hypercall4(HYPERCALL_mmu_update, hypercall_ptr(&request), 1,
                             0, domains[i]),
                  -ABI_ESRCH);
        EXPECT_EQ(hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(&op), 1, 0,
                             domains[i]),
                  -ABI_ESRCH);
    }
}

TEST("a word of an ordinary page is stored as it is")
{
    data = page_at(1);
    EXPECT_EQ(mmu_one(entry_at(data, 3), 0xdeadbeef12345fffUL), 0);
    EXPECT_EQ(data[3], 0xdeadbeef12345fffUL);
    EXPECT_EQ(map_readable(data), 0);
    EXPECT_EQ(mmu_one(entry_at(data, 4), ~0UL), 0);
    EXPECT_EQ(data[4], ~0UL);
}

TEST("a page of descriptors takes no entry")
{
    uint64_t frame;

    data = page_at(1);
    frame = frame_of(data);
    REQUIRE_EQ(map_readable(data), 0);
    REQUIRE_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frame), 512), 0);
    EXPECT_EQ(mmu_one(entry_at(data, 3), 0), -ABI_EINVAL);
    EXPECT_EQ(mmu_one(entry_at(data, 3), 0x00cff3000000ffffUL), -ABI_EINVAL);
    EXPECT_EQ(data[3], 0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, 0, 0), 0);
    EXPECT_EQ(mmu_one(entry_at(data, 3), 5), 0);
}

TEST("the number of a frame of ours can be changed, and of no other")
{
    const volatile uint64_t *m2p =
        (const volatile uint64_t *)(uintptr_t)MACH2PHYS_ADDRESS;
    uint64_t m, pfn;

    data = page_at(1);
    m = frame_of(data);
    pfn = m2p[m];
    EXPECT_EQ(pfn, (uint64_t)(uintptr_t)data / PAGE_SIZE);
    EXPECT_EQ(mmu_one(m * PAGE_SIZE | MMU_MACHPHYS_UPDATE, 0x1234567), 0);
    EXPECT_EQ(m2p[m], 0x1234567);
    EXPECT_EQ(mmu_one(m * PAGE_SIZE | MMU_MACHPHYS_UPDATE, pfn), 0);
    EXPECT_EQ(m2p[m], pfn);
    EXPECT_EQ(mmu_one(PTE_FRAME | MMU_MACHPHYS_UPDATE, 0), -ABI_EINVAL);
    EXPECT_EQ(mmu_one(~7UL | MMU_MACHPHYS_UPDATE, 0), -ABI_EINVAL);
    EXPECT_EQ(mmu_one(0x100000000000UL | MMU_MACHPHYS_UPDATE, 0), -ABI_EINVAL);
}

TEST("slots of the hypervisor can be neither set nor cleared")
{
    uint64_t *l4 = (uint64_t *)(uintptr_t)start_info->pt_base;

    tree_make(0);
    REQUIRE_EQ(pin(page_at(0), 4), 0);
    for (unsigned int i = RESERVED_SLOT_FIRST; i < RESERVED_SLOT_END; i++) {
        uint64_t was = l4[i];

        for (unsigned int command = 0; command < 4; command++) {
            if (command == MMU_MACHPHYS_UPDATE)
                continue;
            EXPECT_EQ(mmu_one(entry_at(l4, i) | command, 0), -ABI_EINVAL);
            EXPECT_EQ(mmu_one(entry_at(l4, i) | command,
                              entry_for(page_at(1), TO_TABLE)),
                      -ABI_EINVAL);
            EXPECT_EQ(mmu_one(entry_at(page_at(0), i) | command, 0),
                      -ABI_EINVAL);
        }
        EXPECT_EQ(l4[i], was);
    }
    EXPECT_EQ(mmu_one(entry_at(page_at(0), RESERVED_SLOT_FIRST - 1),
                      entry_for(page_at(1), TO_TABLE)),
              0);
    EXPECT_EQ(mmu_one(entry_at(page_at(0), RESERVED_SLOT_END),
                      entry_for(page_at(1), TO_TABLE)),
              0);
}

TEST("what a guest left in the hypervisor's slots is not looked at, nor kept")
{
    uint64_t *l4 = page_at(0);

    for (unsigned int i = RESERVED_SLOT_FIRST; i < RESERVED_SLOT_END; i++)
        l4[i] = entry_for(page_at(8), TO_WRITE | PTE_PSE);
    tree_make(0);
    REQUIRE_EQ(pin(l4, 4), 0);
    for (unsigned int i = RESERVED_SLOT_FIRST; i < RESERVED_SLOT_END; i++)
        EXPECT_FALSE((l4[i] & PTE_FRAME) == machine_of(page_at(8)));
}

TEST("user and kernel bits are adjusted in place, and may be written again")
{
    REQUIRE(make_table());
    EXPECT_EQ(mmu_one(entry_at(table, 0), entry_for(data, PTE_PRESENT)), 0);
    EXPECT_EQ(table[0] & (PTE_USER | PTE_KERNEL), PTE_USER | PTE_KERNEL);
    EXPECT_EQ(mmu_one(entry_at(table, 1), table[0]), 0);
    EXPECT_EQ(table[1], table[0]);
    EXPECT_EQ(mmu_one(entry_at(table, 2),
                      entry_for(data, PTE_PRESENT | PTE_USER | PTE_GLOBAL)),
              0);
    EXPECT_EQ(table[2] & (PTE_USER | PTE_KERNEL), PTE_USER);
}
