/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs that begin as no kernel makes them. */

#include <string.h>

#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

/* What of the address of a table is no part of its number says nothing. */
TEST("a vCPU that begins in user mode has tables for that")
{
    static const uint64_t bases[] = {0, 1, 8, 0xfff, 1ULL << 63, ~0ULL};
    static struct vcpu_guest_context context;

    SKIP_UNLESS_VCPUS(VCPU_COUNT);
    for (unsigned int i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        context = *vcpu_context(VCPU_COUNT - 1, 0x1000);
        context.flags = 0;
        context.ctrlreg[1] = bases[i];
        EXPECT_EQ(
            hypercall_vcpu_op(VCPUOP_initialise, VCPU_COUNT - 1, &context),
            -ABI_EINVAL);
        EXPECT_EQ(hypercall_vcpu_op(VCPUOP_up, VCPU_COUNT - 1, NULL),
                  -ABI_EINVAL);
    }
}

/*
 * The last case: the vCPU ends so, and what its processor has of it must not be
 * the next one's.  test_pv.py has another domain run there.
 */
TEST("a vCPU ends with a GDT, an LDT, breakpoints and its FPU switched off")
{
    uint64_t gdt = frame_of(page_at(0));

    memset(page_at(0), 0, PAGE_SIZE);
    memset(page_at(1), 0, PAGE_SIZE);
    REQUIRE_EQ(map_readable(page_at(0)), 0);
    REQUIRE_EQ(map_readable(page_at(1)), 0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_gdt, hypercall_ptr(&gdt), TABLE_ENTRIES),
              0);
    EXPECT_EQ(
        mmuext_call(MMUEXT_SET_LDT, hypercall_ptr(page_at(1)), TABLE_ENTRIES),
        0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 0, hypercall_ptr(page_at(2))),
              0);
    EXPECT_EQ(hypercall2(HYPERCALL_set_debugreg, 7, 0x90403), 0);
    EXPECT_EQ(hypercall1(HYPERCALL_fpu_taskswitch, 1), 0);
}
