/* SPDX-License-Identifier: BSD-2-Clause */
/* vCPUs that begin as no kernel makes them. */

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
