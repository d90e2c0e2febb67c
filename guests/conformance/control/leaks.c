/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains that come and go leave every frame behind. */

#include <abi/hypercall.h>
#include <abi/vcpu.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/ports.h"
#include "framework/test.h"

#define ROUNDS 50

#define ONLY_CAIRN SKIP_ON_XEN("control_op is Cairn's")

static uint64_t unreserved(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    return control(&op) == 0 ? op.u.host_info.unreserved_pages : 0;
}

static uint64_t domain_count(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    return control(&op) == 0 ? op.u.host_info.domain_count : 0;
}

PAGES(mine, 4);

/* Uses a bit of everything, and ends without tidying up. */
static uint64_t use_everything(uint64_t how)
{
    struct vcpu_runstate_info area;
    uint64_t va = hypercall_ptr(&area), list[2];
    struct gnttab_setup_table grow = {
        .dom = DOMID_SELF, .nr_frames = 2, .frame_list = hypercall_ptr(list)};

    for (int i = 0; i < 20; i++)
        port_alloc_unbound((domid_t)i);
    port_bind_virq(VIRQ_TIMER, 0);
    port_bind(own_domid, port_alloc_unbound(own_domid));
    hypercall_grant_table_op(GNTTABOP_setup_table, &grow, 1);
    if (grants_init()) {
        grant_give(20, own_domid, mine, 0);
        grant_give(21, 0, mine + PAGE_SIZE, 0);
        grant_map(own_domid, 20, grant_slot(0), GNTMAP_host_map);
        grant_map(own_domid, 20, grant_slot(1),
                  GNTMAP_host_map | GNTMAP_readonly);
    }
    hypercall_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &va);
    hypercall_set_timer_op(now_ns() + 3600000000000UL);
    mine[3 * PAGE_SIZE] = 1;
    switch (how % 3) {
    case 0:
        return 0;
    case 1:
        __asm__ volatile("mov $16, %%rsp; ud2" : : : "memory");
        return 0;
    default:
        for (;;)
            ;
    }
}

static void one_round(uint64_t how)
{
    struct child child;

    if (!child_start(&child, NULL, use_everything, how))
        return;
    if (how % 3 == 2)
        sleep_until(now_ns() + 2000000);
    else
        child_wait(&child);
    test_failures = 0; /* it may have crashed on purpose */
    child_destroy(&child);
}

TEST("50 domains that end, crash or are killed give every frame back")
{
    uint64_t before, promised, count;

    ONLY_CAIRN;
    for (uint64_t i = 0; i < 3; i++)
        one_round(i);
    before = free_pages();
    promised = unreserved();
    count = domain_count();
    for (uint64_t i = 0; i < ROUNDS; i++)
        one_round(i);
    EXPECT_EQ(free_pages(), before);
    EXPECT_EQ(unreserved(), promised);
    EXPECT_EQ(domain_count(), count);
}

TEST("domains that were never started give every frame back")
{
    struct child child;
    uint64_t before;

    ONLY_CAIRN;
    before = free_pages();
    for (int i = 0; i < ROUNDS; i++) {
        if (!child_make(&child, NULL, use_everything, 0))
            return;
        child_destroy(&child);
    }
    EXPECT_EQ(free_pages(), before);
}

TEST("many domains at once give every frame back")
{
    static struct child children[40];
    uint64_t before;

    ONLY_CAIRN;
    before = free_pages();
    for (int i = 0; i < 40; i++)
        child_start(&children[i], NULL, use_everything, 0);
    for (int i = 0; i < 40; i++) {
        child_wait(&children[i]);
        child_destroy(&children[i]);
    }
    /* Pools of records may have grown for forty at once. */
    EXPECT_TRUE(free_pages() + 40 >= before);
    EXPECT_EQ(domain_count(), 1);
}
