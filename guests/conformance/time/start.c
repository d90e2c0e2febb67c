/* SPDX-License-Identifier: BSD-2-Clause */
/* What a domain finds when it starts: registers, start_info, shared_info. */

#include <string.h>

#include <abi/hypercall.h>
#include <abi/trap.h>

#include "framework/test.h"

extern uint64_t start_rsp, start_others, start_rflags;
extern uint32_t start_cs, start_ss;

TEST("registers at the start are as the ABI says")
{
    EXPECT_EQ(start_others, 0);
    EXPECT_EQ(start_rflags & ~0x8d5UL, 0x202);
    EXPECT_EQ(start_cs & 0xffff, FLAT_RING3_CS64);
    EXPECT_EQ(start_ss & 0xffff, FLAT_RING3_DS);
    EXPECT_EQ(start_rsp % 4096, 0);
}

TEST("start_info has the magic, and says whether this is the initial domain")
{
    NEEDS_INITIAL_DOMAIN;
    EXPECT_EQ(memcmp(start_info->magic, START_INFO_MAGIC,
                     sizeof(START_INFO_MAGIC) - 1),
              0);
    EXPECT_EQ(start_info->flags & (SIF_PRIVILEGED | SIF_INITDOMAIN),
              initial_domain ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0);
    EXPECT_EQ(start_info->store_mfn != 0, !initial_domain);
    EXPECT_EQ(start_info->store_evtchn != 0, !initial_domain);
    EXPECT_TRUE(start_info->nr_pages > 0);
}

TEST("start_info of class light names no page tables, and its windows")
{
    SKIP_ON_XEN("class pv has page tables");
    NEEDS_INITIAL_DOMAIN;
    EXPECT_EQ(start_info->pt_base, 0);
    EXPECT_EQ(start_info->nr_pt_frames, 0);
    EXPECT_EQ(start_info->mfn_list, 0);
    EXPECT_EQ(start_info->nr_pages, layout.ram_pages);
    EXPECT_EQ(start_info->shared_info,
              (layout.special_gfn + LIGHT_SPECIAL_SHARED_INFO) * PAGE_SIZE);
}

TEST("the command line ends within its field")
{
    NEEDS_INITIAL_DOMAIN;
    EXPECT_TRUE(strnlen((const char *)start_info->cmd_line,
                        START_INFO_CMDLINE) < START_INFO_CMDLINE);
}

TEST("upcalls start masked, for all 32 vCPUs")
{
    /* The framework masked vCPU 0 itself by now. */
    for (int i = 0; i < LEGACY_MAX_VCPUS; i++)
        EXPECT_EQ(shared_info->vcpu_info[i].evtchn_upcall_mask, 1);
}
