/* SPDX-License-Identifier: BSD-2-Clause */
/* memory_op: frames that are given back while they are in use, and lists that
 * lead elsewhere. */

#include <string.h>

#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"

static long reservation(void)
{
    struct xen_domid_arg arg = {.domid = DOMID_SELF};

    return hypercall_memory_op(XENMEM_current_reservation, &arg);
}

/* Where no list of a guest's can be, whatever is added to it. */
static const uint64_t bad_lists[] = {0xffff82d040200000, 0xffff830000000000,
                                     0xffff800000000000, 0xffff87fffffffff8,
                                     0x0000800000000000, 0x8000000000000000};

TEST("an exchange of frames has its lists where the guest may write")
{
    long before = reservation();
    uint64_t in = 0;

    for (unsigned int i = 0; i < 6; i++)
        for (unsigned int which = 0; which < 2; which++) {
            struct xen_memory_exchange x = {
                .in = {.extent_start = hypercall_ptr(&in),
                       .nr_extents = 1,
                       .domid = DOMID_SELF},
                .out = {.extent_start = hypercall_ptr(&in),
                        .nr_extents = 1,
                        .domid = DOMID_SELF},
            };

            in = PTE_FRAME / PAGE_SIZE;
            *(which ? &x.out.extent_start : &x.in.extent_start) = bad_lists[i];
            EXPECT_TRUE(hypercall_memory_op(XENMEM_exchange, &x) < 0);
        }
    EXPECT_EQ(reservation(), before);
}

TEST("an exchange that claims to be half done is looked at from there")
{
    /* The base is a guest's, what is reached from it by the index is not. */
    static const uint64_t bases[] = {0x00007ffffffff000, 0x0000000000001000,
                                     0xffff880000000000, 0x1000};
    long before = reservation();

    for (unsigned int i = 0; i < 4; i++)
        for (unsigned int shift = 8; shift < 64; shift += 5) {
            struct xen_memory_exchange x = {
                .in = {.extent_start = bases[i],
                       .nr_extents = 1ULL << shift,
                       .domid = DOMID_SELF},
                .out = {.extent_start = bases[i],
                        .nr_extents = 1ULL << shift,
                        .domid = DOMID_SELF},
                .nr_exchanged =
                    (0xffff82d040200000 - bases[i]) / sizeof(uint64_t),
            };

            EXPECT_TRUE(hypercall_memory_op(XENMEM_exchange, &x) < 0);
            x.nr_exchanged = (1ULL << shift) - 1;
            EXPECT_TRUE(hypercall_memory_op(XENMEM_exchange, &x) < 0);
            x.nr_exchanged = ~0UL;
            EXPECT_TRUE(hypercall_memory_op(XENMEM_exchange, &x) < 0);
        }
    EXPECT_EQ(reservation(), before);
}

static long decrease(const uint64_t *frames, uint64_t count, uint32_t order)
{
    struct xen_memory_reservation r = {.extent_start = hypercall_ptr(frames),
                                       .nr_extents = count,
                                       .extent_order = order,
                                       .domid = DOMID_SELF};

    return hypercall_memory_op(XENMEM_decrease_reservation, &r);
}

TEST("frames that are not ours are not given back")
{
    static const uint64_t frames[] = {~0UL, PTE_FRAME / PAGE_SIZE, 1UL << 40,
                                      0x10};
    long before = reservation();
    uint64_t shared = start_info->shared_info / PAGE_SIZE;

    for (unsigned int i = 0; i < 3; i++)
        EXPECT_TRUE(decrease(&frames[i], 1, 0) <= 0);
    (void)decrease(&shared, 1, 0);
    for (uint32_t order = 10; order < 64; order += 9)
        EXPECT_TRUE(decrease(&frames[3], 1, order) <= 0);
    EXPECT_TRUE(decrease((const uint64_t *)(uintptr_t)bad_lists[0], 1, 0) <= 0);
    EXPECT_EQ(reservation(), before);
    EXPECT_EQ(*(const volatile uint32_t *)&shared_info->wc_version & 1, 0);
}
