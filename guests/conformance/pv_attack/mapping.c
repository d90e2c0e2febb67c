/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attacks on what isolation rests on: a frame that is a table is never mapped
 * writable, and a frame of somebody else's never at all.
 */

#include <string.h>

#include <abi/assist.h>
#include <abi/vcpu.h>
#include <abi/version.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/tables.h"
#include "framework/test.h"

/* A frame that a guest wants to write though it is a table of @level. */
static uint64_t *victim;

static bool make_victim(unsigned int level)
{
    tables_reset();
    victim = page_at(0);
    return map_readable(victim) == 0 && pin(victim, level) == 0;
}

/* --- Ways to a writable mapping; each is called with a victim ---------------
 */

static void by_update_va(void)
{
    EXPECT_EQ(map_at(victim, entry_for(victim, TO_WRITE)), -ABI_EBUSY);
    EXPECT_EQ(map_at(page_at(1), entry_for(victim, TO_WRITE)), -ABI_EBUSY);
}

/* Each entry that differs by RW and any of the bits that need no check. */
static void by_flipped_bits(void)
{
    static const uint64_t bits[] = {PTE_ACCESSED, PTE_DIRTY,  PTE_NX,
                                    PTE_USER,     PTE_GLOBAL, 1ULL << 9,
                                    PTE_KERNEL,   1ULL << 62};
    uint64_t at = leaf_at(victim), base = leaf_of(victim);

    for (unsigned int set = 0; set < 256; set++) {
        uint64_t flip = PTE_WRITE;

        for (unsigned int i = 0; i < 8; i++)
            flip |= set & 1U << i ? bits[i] : 0;
        if (mmu_one(at, base ^ flip) != -ABI_EBUSY ||
            mmu_one(at | MMU_PT_UPDATE_PRESERVE_AD, base ^ flip) !=
                -ABI_EBUSY ||
            map_at(victim, base ^ flip) != -ABI_EBUSY) {
            EXPECT_EQ(flip, 0);
            return;
        }
    }
    EXPECT_EQ(leaf_of(victim) & PTE_WRITE, 0);
}

/* Not present, then present again: whatever was stored meanwhile counts. */
static void by_two_steps(void)
{
    uint64_t at = leaf_at(victim), write = entry_for(victim, TO_WRITE);

    EXPECT_EQ(mmu_one(at, write & ~PTE_PRESENT), 0);
    EXPECT_EQ(mmu_one(at, write), -ABI_EBUSY);
    EXPECT_EQ(mmu_one(at | MMU_PT_UPDATE_PRESERVE_AD, write), -ABI_EBUSY);
    EXPECT_EQ(mmu_one(at, entry_for(victim, TO_READ)), 0);
}

/* A level-1 table that already has such an entry. */
static void by_table(void)
{
    uint64_t *table = page_at(2);

    table[100] = entry_for(victim, TO_WRITE);
    REQUIRE_EQ(map_readable(table), 0);
    EXPECT_EQ(pin(table, 1), -ABI_EBUSY);
    table = page_at(3);
    table[100] = entry_for(page_at(2), TO_TABLE);
    REQUIRE_EQ(map_readable(table), 0);
    EXPECT_TRUE(pin(table, 2) < 0);
    EXPECT_EQ(map_writable(page_at(3)), 0);
    EXPECT_EQ(map_writable(page_at(2)), 0);
}

/* A table of another level that the victim is linked into as a leaf's table. */
static void by_other_level(void)
{
    for (unsigned int level = 2; level <= 4; level++) {
        uint64_t *table = page_at(4);

        memset(table, 0, PAGE_SIZE);
        table[0] = entry_for(victim, TO_WRITE | PTE_PSE);
        REQUIRE_EQ(map_readable(table), 0);
        EXPECT_EQ(pin(table, level), -ABI_EINVAL);
        EXPECT_EQ(map_writable(table), 0);
    }
}

static void by_ptwr(void *unused)
{
    volatile uint64_t *table = page_at(5);

    (void)unused;
    table[3] = entry_for(victim, TO_WRITE);
}

static void by_store(void)
{
    uint64_t *table = page_at(5);

    table[3] = 0;
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable,
                         VMASST_TYPE_writable_pagetables),
              0);
    REQUIRE_EQ(map_readable(table), 0);
    REQUIRE_EQ(pin(table, 1), 0);
    EXPECT_TRUE(fault_probe(by_ptwr, NULL));
    EXPECT_EQ(table[3], 0);
    EXPECT_EQ(mmu_one(entry_at(table, 3), entry_for(victim, TO_READ)), 0);
    EXPECT_TRUE(fault_probe(by_ptwr, NULL));
    EXPECT_EQ(table[3] & PTE_WRITE, 0);
    EXPECT_EQ(unpin(table), 0);
    EXPECT_EQ(map_writable(table), 0);
}

/* The hypervisor's own writes for a guest. */
static void by_hypercall(void)
{
    uint64_t frame = frame_of(victim);
    struct vcpu_register_vcpu_info info = {.mfn = frame};
    uint64_t was = victim[0];

    EXPECT_EQ(mmuext_call(MMUEXT_CLEAR_PAGE, frame, 0), -ABI_EINVAL);
    EXPECT_EQ(mmuext_call(MMUEXT_COPY_PAGE, frame, frame_of(page_at(1))),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_update_descriptor, frame * PAGE_SIZE, 0),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&frame), 1),
              -ABI_EINVAL);
    EXPECT_TRUE(hypercall_vcpu_op(VCPUOP_register_vcpu_info, 0, &info) < 0);
    EXPECT_EQ(hypercall_xen_version(XENVER_extraversion, victim), -ABI_EFAULT);
    EXPECT_EQ(victim[0], was);
}

TEST("a table of any level is never mapped writable, whichever way is tried")
{
    static void (*const ways[])(void) = {
        by_update_va,   by_flipped_bits, by_two_steps, by_table,
        by_other_level, by_store,        by_hypercall};

    for (unsigned int level = 1; level <= 4; level++)
        for (unsigned int way = 0; way < 7; way++) {
            REQUIRE(make_victim(level));
            ways[way]();
        }
}

TEST("a table that is only linked, not pinned, is not mapped writable, either")
{
    tree_make(0);
    REQUIRE_EQ(pin(page_at(0), 4), 0);
    for (unsigned int i = 0; i < 4; i++) {
        victim = page_at(i);
        by_update_va();
        by_flipped_bits();
        by_two_steps();
        by_hypercall();
    }
    /* Unlinked, each is an ordinary page at once. */
    EXPECT_EQ(mmu_one(entry_at(page_at(0), 0), 0), 0);
    for (unsigned int i = 1; i < 4; i++)
        EXPECT_EQ(map_writable(page_at(i)), 0);
}

TEST("the tables that run are not mapped writable")
{
    for (unsigned int level = 1; level <= 4; level++) {
        victim = builders_table(page_at(1), level);
        EXPECT_EQ(map_at(victim, entry_for(victim, TO_WRITE)), -ABI_EBUSY);
        EXPECT_EQ(map_at(page_at(1), entry_for(victim, TO_WRITE)), -ABI_EBUSY);
        by_flipped_bits();
    }
}

TEST("the running tables survive that their pin is taken")
{
    const void *base = (const void *)(uintptr_t)start_info->pt_base;

    EXPECT_EQ(unpin(base), 0);
    EXPECT_EQ(map_at(base, entry_for(base, TO_WRITE)), -ABI_EBUSY);
    EXPECT_EQ(map_at(page_at(1), entry_for(base, TO_WRITE)), -ABI_EBUSY);
    EXPECT_EQ(pin(base, 4), 0);
}

TEST("a table is lent for reading only")
{
    struct gnttab_map_grant_ref op;

    REQUIRE(grants_init());
    for (unsigned int level = 1; level <= 4; level++) {
        REQUIRE(make_victim(level));
        grant_give(20, own_domid, victim, 0);
        op = grant_map(own_domid, 20, hypercall_ptr(page_at(6)),
                       GNTMAP_host_map);
        EXPECT_FALSE(op.status == GNTST_okay);
        EXPECT_FALSE(grant_copy_out(page_at(7), own_domid, 20, 0, 64) ==
                     GNTST_okay);
        EXPECT_EQ(victim[0], 0);
        EXPECT_TRUE(grant_take_back(20));
    }
}

TEST("what is lent for writing, and mapped so, becomes no table")
{
    struct gnttab_map_grant_ref op;

    REQUIRE(grants_init());
    grant_give(20, own_domid, page_at(0), 0);
    op = grant_map(own_domid, 20, hypercall_ptr(page_at(6)), GNTMAP_host_map);
    REQUIRE_EQ(op.status, GNTST_okay);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    for (unsigned int level = 1; level <= 4; level++)
        EXPECT_EQ(pin(page_at(0), level), -ABI_EINVAL);
    EXPECT_EQ(grant_unmap(op.handle, hypercall_ptr(page_at(6))), GNTST_okay);
    EXPECT_TRUE(grant_take_back(20));
    for (unsigned int level = 1; level <= 4; level++) {
        EXPECT_EQ(pin(page_at(0), level), 0);
        EXPECT_EQ(unpin(page_at(0)), 0);
    }
}

TEST("a grant is mapped by an entry only in a level-1 table of ours")
{
    struct gnttab_map_grant_ref op;
    const uint64_t places[] = {
        machine_of(page_at(4)), /* an ordinary page */
        PTE_FRAME,
        ~7UL,
        1UL << 45,
    };

    REQUIRE(grants_init());
    grant_give(20, own_domid, page_at(7), 0);
    for (unsigned int i = 0; i < 4; i++) {
        op = grant_map(own_domid, 20, places[i],
                       GNTMAP_host_map | GNTMAP_contains_pte);
        EXPECT_FALSE(op.status == GNTST_okay);
    }
    tree_make(0);
    REQUIRE_EQ(pin(page_at(0), 4), 0);
    for (unsigned int i = 0; i < 3; i++) {
        op = grant_map(own_domid, 20, entry_at(page_at(i), 7),
                       GNTMAP_host_map | GNTMAP_contains_pte);
        EXPECT_FALSE(op.status == GNTST_okay);
        EXPECT_EQ(page_at(i)[7], 0);
    }
    /* Not a multiple of 8: that would be two entries. */
    op = grant_map(own_domid, 20, entry_at(page_at(3), 7) + 4,
                   GNTMAP_host_map | GNTMAP_contains_pte);
    EXPECT_FALSE(op.status == GNTST_okay);
    EXPECT_EQ(page_at(3)[7] | page_at(3)[8], 0);
    op = grant_map(own_domid, 20, entry_at(page_at(3), 7),
                   GNTMAP_host_map | GNTMAP_contains_pte);
    EXPECT_EQ(op.status, GNTST_okay);
    EXPECT_EQ(page_at(3)[7] & PTE_FRAME, machine_of(page_at(7)));
    /* The entry has been changed: not the grant's any more. */
    EXPECT_FALSE(grant_unmap(op.handle, entry_at(page_at(3), 8)) == GNTST_okay);
    EXPECT_EQ(grant_unmap(op.handle, entry_at(page_at(3), 7)), GNTST_okay);
    EXPECT_EQ(page_at(3)[7], 0);
    EXPECT_TRUE(grant_take_back(20));
}

/* --- Frames of others' ------------------------------------------------------
 */

/* As much of the machine as is looked at, each so many frames. */
#define MACHINE_FRAMES 0x10000U
#define STEP           13U

/* That of our grant table's first page; all there are. */
static uint64_t grant_frame(void)
{
    uint64_t frame = 0;
    struct gnttab_setup_table op = {
        .dom = DOMID_SELF, .nr_frames = 1, .frame_list = hypercall_ptr(&frame)};

    EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_setup_table, &op, 1), 0);
    return frame;
}

/* Ours, or one that is shared with us. */
static bool is_ours(uint64_t m, uint64_t lent_frame)
{
    const volatile uint64_t *m2p =
        (const volatile uint64_t *)(uintptr_t)MACH2PHYS_ADDRESS;
    const uint64_t *p2m = (const uint64_t *)(uintptr_t)start_info->mfn_list;
    uint64_t pfn = m2p[m];

    return m == start_info->shared_info / PAGE_SIZE || m == lent_frame ||
           (pfn < start_info->nr_pages && p2m[pfn] == m);
}

TEST("no other frame of the machine is written, renamed, typed or mapped")
{
    bool devices = on_xen && initial_domain;
    uint64_t lent_frame = grant_frame();
    unsigned int refused = 0;

    for (uint64_t m = 0; m < MACHINE_FRAMES; m += STEP) {
        uint64_t entry = m * PAGE_SIZE;
        long rc;

        if (is_ours(m, lent_frame))
            continue;
        refused++;
        rc = mmu_one(entry, 0x1122334455667788) | mmu_one(entry | 1, 5);
        if (rc == 0 || mmuext_call(MMUEXT_PIN_L1_TABLE, m, 0) == 0 ||
            mmuext_call(MMUEXT_NEW_USER_BASEPTR, m == 0 ? 1 : m, 0) == 0 ||
            hypercall2(HYPERCALL_update_descriptor, entry, 0) == 0)
            EXPECT_EQ(m, 0);
        if (!devices && (map_at(page_at(1), entry | TO_READ) == 0 ||
                         map_at(page_at(1), entry | TO_WRITE) == 0))
            EXPECT_EQ(m, 0);
    }
    EXPECT_TRUE(refused > 1000);
}

TEST("what is shared with us is no table, and can be mapped")
{
    uint64_t m = start_info->shared_info / PAGE_SIZE;

    for (unsigned int level = 1; level <= 4; level++)
        EXPECT_EQ(mmuext_call(MMUEXT_PIN_L1_TABLE + level - 1, m, 0),
                  -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&m), 1), -ABI_EINVAL);
    EXPECT_EQ(map_at(page_at(1), m * PAGE_SIZE | TO_WRITE), 0);
    EXPECT_EQ(map_at(page_at(1), m * PAGE_SIZE | TO_READ), 0);
}

TEST("the table of all frames cannot be written")
{
    uint64_t own = frame_of(page_at(0));
    uint64_t at = MACH2PHYS_ADDRESS + own * 8;
    uint64_t *word = (uint64_t *)(uintptr_t)at;

    EXPECT_EQ(hypercall3(HYPERCALL_update_va_mapping, at,
                         entry_for(page_at(0), TO_WRITE), UVMF_INVLPG),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall_xen_version(XENVER_extraversion, word), -ABI_EFAULT);
    EXPECT_EQ(*word, (uint64_t)(uintptr_t)page_at(0) / PAGE_SIZE);
}

static void write_word(void *at)
{
    *(volatile uint64_t *)at = 5;
}

static void read_word(void *at)
{
    (void)*(volatile uint64_t *)at;
}

TEST("nothing of the hypervisor's part can be read but that table")
{
    static const uint64_t places[] = {
        0xffff804000000000, 0xffff810000000000, 0xffff820000000000,
        0xffff82c000000000, 0xffff82d040200000, 0xffff830000000000,
        0xffff830000100000, 0xffff840000000000, 0xffff87fffffff000};

    for (unsigned int i = 0; i < 9; i++) {
        void *at = (void *)(uintptr_t)places[i];

        EXPECT_TRUE(fault_probe(read_word, at));
        EXPECT_TRUE(fault_probe(write_word, at));
    }
    EXPECT_TRUE(
        fault_probe(write_word, (void *)(uintptr_t)(MACH2PHYS_ADDRESS + 4096)));
}

/* An address like any other, and yet what a record may say for none. */
TEST("a grant at address 0 is not ended while it is mapped there")
{
    struct gnttab_map_grant_ref op;
    uint64_t was = leaf_of(NULL);

    REQUIRE(grants_init());
    grant_give(21, own_domid, page_at(7), 0);
    op = grant_map(own_domid, 21, 0, GNTMAP_host_map);
    if (op.status != GNTST_okay) {
        EXPECT_TRUE(grant_take_back(21));
        return;
    }
    (void)grant_unmap(op.handle, 0);
    EXPECT_FALSE(grant_take_back(21));
    EXPECT_EQ(map_at(NULL, was), 0);
}
