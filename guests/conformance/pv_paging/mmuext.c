/* SPDX-License-Identifier: BSD-2-Clause */
/* mmuext_op and update_va_mapping: pins, base pointers, flushes, pages. */

#include <string.h>

#include <abi/assist.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

TEST("a table is pinned once, and unpinned once")
{
    for (unsigned int level = 1; level <= 4; level++) {
        REQUIRE_EQ(map_readable(page_at(0)), 0);
        EXPECT_EQ(unpin(page_at(0)), -ABI_EINVAL);
        EXPECT_EQ(pin(page_at(0), level), 0);
        EXPECT_EQ(pin(page_at(0), level), -ABI_EINVAL);
        EXPECT_EQ(map_writable(page_at(0)), -ABI_EBUSY);
        EXPECT_EQ(unpin(page_at(0)), 0);
        EXPECT_EQ(unpin(page_at(0)), -ABI_EINVAL);
        EXPECT_EQ(map_writable(page_at(0)), 0);
    }
}

TEST("frames that are not ours can be neither pinned nor unpinned")
{
    static const uint64_t frames[] = {~0UL, PTE_FRAME / PAGE_SIZE, 1UL << 40,
                                      1UL << 28, 0xffffffff};

    for (unsigned int i = 0; i < 5; i++) {
        for (unsigned int level = 1; level <= 4; level++)
            EXPECT_EQ(
                mmuext_call(MMUEXT_PIN_L1_TABLE + level - 1, frames[i], 0),
                -ABI_EINVAL);
        EXPECT_EQ(mmuext_call(MMUEXT_UNPIN_TABLE, frames[i], 0), -ABI_EINVAL);
        EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frames[i], 0), -ABI_EINVAL);
        EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, frames[i], 0),
                  -ABI_EINVAL);
        EXPECT_EQ(mmuext_call(MMUEXT_CLEAR_PAGE, frames[i], 0), -ABI_EINVAL);
        EXPECT_EQ(
            mmuext_call(MMUEXT_COPY_PAGE, frames[i], frame_of(page_at(0))),
            -ABI_EINVAL);
        EXPECT_EQ(
            mmuext_call(MMUEXT_COPY_PAGE, frame_of(page_at(0)), frames[i]),
            -ABI_EINVAL);
    }
}

TEST("what is no table of level 4 is no base, and the old one stays")
{
    for (unsigned int level = 0; level <= 3; level++) {
        if (level != 0) {
            REQUIRE_EQ(map_readable(page_at(level)), 0);
            REQUIRE_EQ(pin(page_at(level), level), 0);
        }
        EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(page_at(level)), 0),
                  -ABI_EINVAL);
        EXPECT_EQ(
            mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(page_at(level)), 0),
            -ABI_EINVAL);
    }
    EXPECT_EQ(leaf_of(page_at(0)) & PTE_FRAME, machine_of(page_at(0)));
}

TEST("a copy of the tables is a base, and shows the machine's frames, too")
{
    const volatile uint64_t *m2p =
        (const volatile uint64_t *)(uintptr_t)MACH2PHYS_ADDRESS;
    const void *old = (const void *)(uintptr_t)start_info->pt_base;
    uint64_t *new = page_at(0);
    uint64_t number;

    memcpy(new, old, PAGE_SIZE);
    REQUIRE_EQ(map_readable(new), 0);
    REQUIRE_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(new), 0), 0);
    number = m2p[frame_of(new)];
    EXPECT_EQ(number, (uint64_t)(uintptr_t) new / PAGE_SIZE);
    EXPECT_EQ(map_writable(new), -ABI_EBUSY);
    EXPECT_EQ(unpin(new), -ABI_EINVAL);
    EXPECT_EQ(pin(new, 4), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(new), 0), 0);
    EXPECT_EQ(unpin(new), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(new), 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_BASEPTR, frame_of(old), 0), 0);
    EXPECT_EQ(map_writable(new), -ABI_EBUSY); /* the user's yet */
    EXPECT_EQ(mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
    EXPECT_EQ(map_writable(new), 0);
}

TEST("pages are cleared and copied, but those that nobody may write are not")
{
    memset(page_at(0), 0x55, PAGE_SIZE);
    EXPECT_EQ(mmuext_call(MMUEXT_COPY_PAGE, frame_of(page_at(1)),
                          frame_of(page_at(0))),
              0);
    EXPECT_EQ(memcmp(page_at(0), page_at(1), PAGE_SIZE), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_CLEAR_PAGE, frame_of(page_at(0)), 0), 0);
    EXPECT_EQ(page_at(0)[0] | page_at(0)[511], 0);

    REQUIRE_EQ(map_readable(page_at(0)), 0);
    for (unsigned int level = 1; level <= 4; level++) {
        REQUIRE_EQ(pin(page_at(0), level), 0);
        EXPECT_EQ(mmuext_call(MMUEXT_CLEAR_PAGE, frame_of(page_at(0)), 0),
                  -ABI_EINVAL);
        EXPECT_EQ(mmuext_call(MMUEXT_COPY_PAGE, frame_of(page_at(0)),
                              frame_of(page_at(1))),
                  -ABI_EINVAL);
        EXPECT_EQ(page_at(0)[0], 0);
        REQUIRE_EQ(unpin(page_at(0)), 0);
    }
}

TEST("a list unpins a table and clears it at once")
{
    struct mmuext_op ops[2] = {
        {.cmd = MMUEXT_UNPIN_TABLE, .arg1 = frame_of(page_at(3))},
        {.cmd = MMUEXT_CLEAR_PAGE, .arg1 = frame_of(page_at(3))}};
    uint32_t done = 9;

    tree_make(0);
    REQUIRE_EQ(pin(page_at(3), 1), 0);
    EXPECT_EQ(hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(ops), 2,
                         hypercall_ptr(&done), DOMID_SELF),
              0);
    EXPECT_EQ(done, 2);
    EXPECT_EQ(page_at(3)[0], 0);
}

TEST("a list of mmuext_op ends at the first failure")
{
    struct mmuext_op ops[3] = {
        {.cmd = MMUEXT_TLB_FLUSH_LOCAL},
        {.cmd = MMUEXT_UNPIN_TABLE, .arg1 = frame_of(page_at(0))},
        {.cmd = MMUEXT_CLEAR_PAGE, .arg1 = frame_of(page_at(0))}};
    uint32_t done = 9;

    page_at(0)[0] = 5;
    EXPECT_EQ(hypercall4(HYPERCALL_mmuext_op, hypercall_ptr(ops), 3,
                         hypercall_ptr(&done), DOMID_SELF),
              -ABI_EINVAL);
    EXPECT_EQ(done, 1);
    EXPECT_EQ(page_at(0)[0], 5);
}

TEST("flushes of each kind, and bitmaps that are none")
{
    uint64_t bitmap[2] = {1, 0}, everybody[2] = {~0UL, ~0UL};
    uint64_t va = hypercall_ptr(page_at(0));

    EXPECT_EQ(mmuext_call(MMUEXT_TLB_FLUSH_LOCAL, 0, 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_LOCAL, va, 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_ALL, va, 0), 0);
    for (unsigned int i = 0; i < 2; i++) {
        uint64_t at = hypercall_ptr(i ? everybody : bitmap);

        EXPECT_EQ(mmuext_call(MMUEXT_TLB_FLUSH_MULTI, 0, at), 0);
        EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_MULTI, va, at), 0);
    }
    /* Addresses that nothing can be at. */
    EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_LOCAL, 0x8000000000000000, 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_ALL, 0xffff830000000000, 0), 0);
    EXPECT_EQ(mmuext_call(MMUEXT_TLB_FLUSH_MULTI, 0, 0xffff830000000000),
              -ABI_EINVAL);
    EXPECT_EQ(mmuext_call(MMUEXT_INVLPG_MULTI, va, FREE_ADDRESS), -ABI_EINVAL);
}

TEST("commands that there are not")
{
    EXPECT_EQ(mmuext_call(14, 0, 0), -ABI_ENOSYS);
    EXPECT_EQ(mmuext_call(21, 0, 0), -ABI_ENOSYS);
    EXPECT_EQ(mmuext_call(0xffffffff, 0, 0), -ABI_ENOSYS);
    EXPECT_EQ(mmuext_call(MMUEXT_MARK_SUPER, 0, 0), -ABI_EOPNOTSUPP);
    EXPECT_EQ(mmuext_call(MMUEXT_UNMARK_SUPER, 1UL << 40, 0), -ABI_EOPNOTSUPP);
}

TEST("who has no devices flushes no cache")
{
    SKIP_ON_XEN_DOM0("there it may map devices");
    EXPECT_EQ(mmuext_call(MMUEXT_FLUSH_CACHE, 0, 0), -ABI_EACCES);
    EXPECT_EQ(mmuext_call(MMUEXT_FLUSH_CACHE_GLOBAL, 0, 0), -ABI_EINVAL);
}

TEST("update_va_mapping changes what is mapped, and shows it")
{
    static const uint64_t flags[] = {
        UVMF_TLB_FLUSH | UVMF_LOCAL, UVMF_TLB_FLUSH | UVMF_ALL,
        UVMF_INVLPG | UVMF_LOCAL, UVMF_INVLPG | UVMF_ALL};
    volatile uint64_t *window = page_at(2);
    uint64_t bitmap[2] = {1, 0};

    page_at(0)[0] = 10;
    page_at(1)[0] = 11;
    for (unsigned int i = 0; i < 12; i++) {
        uint64_t how = i < 8 ? flags[i / 2]
                             : hypercall_ptr(bitmap) |
                                   (i < 10 ? UVMF_TLB_FLUSH : UVMF_INVLPG);

        (void)window[0];
        EXPECT_EQ(hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(window),
                             entry_for(page_at(i % 2), TO_READ), how),
                  0);
        EXPECT_EQ(window[0], 10 + i % 2);
    }
}

TEST("update_va_mapping where there is no table is -EINVAL")
{
    static const uint64_t places[] = {FREE_ADDRESS,       0xffff800000000000,
                                      0xffff830000000000, 0xffff87fffffff000,
                                      0x0000800000000000, 0x8000000000000000};

    for (unsigned int i = 0; i < 6; i++)
        EXPECT_EQ(hypercall3(HYPERCALL_update_va_mapping, places[i],
                             entry_for(page_at(0), TO_READ), UVMF_INVLPG),
                  -ABI_EINVAL);
}

TEST("update_va_mapping flushes nothing after a refusal, and needs its bitmap")
{
    EXPECT_EQ(hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(page_at(0)),
                         entry_for(page_at(0), TO_WRITE),
                         FREE_ADDRESS | UVMF_TLB_FLUSH),
              -ABI_EFAULT);
    EXPECT_EQ(hypercall3(HYPERCALL_update_va_mapping, hypercall_ptr(page_at(0)),
                         PTE_FRAME | TO_READ, FREE_ADDRESS | UVMF_TLB_FLUSH),
              -ABI_EINVAL);
}

TEST("services for class pv can be had, and others not")
{
    static const unsigned int known[] = {0, 1, 2, 3, 4, 5, 32};

    for (unsigned int i = 0; i < 7; i++) {
        EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable, known[i]),
                  0);
        EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_disable, known[i]),
                  0);
    }
    for (unsigned int type = 6; type < 64; type++)
        if (type != 32)
            EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable, type),
                      -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, VMASST_CMD_enable, ~0U),
              -ABI_EINVAL);
    EXPECT_EQ(hypercall2(HYPERCALL_vm_assist, 2, 2), -ABI_ENOSYS);
}
