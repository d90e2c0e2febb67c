/* SPDX-License-Identifier: BSD-2-Clause */
/* Two vCPUs on the same grants at the same time. */

#include <string.h>

#include <abi/memory.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/grants.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define REF    40U
#define ROUNDS 500U
#define BYTES  64U

PAGES(lent, 1);
PAGES(lent_instead, 1);
PAGES(copied, 1);

/* Rounds begun and done by the second vCPU; what went wrong there. */
static volatile uint32_t begun, done, wrong;
static volatile grant_handle_t handle;
static volatile uint32_t unmapped;
static volatile bool stop;

static void begin(void)
{
    begun = done = wrong = unmapped = 0;
    stop = false;
}

/* Both map the entry at one address; who has it may use it until it unmaps. */
static uint32_t map_and_unmap(void)
{
    volatile uint8_t *byte = (volatile uint8_t *)(uintptr_t)grant_slot(0);
    uint32_t had = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        struct gnttab_map_grant_ref op =
            grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);

        if (op.status == GNTST_general_error)
            continue; /* The other has it there. */
        if (op.status != GNTST_okay) {
            wrong++;
            continue;
        }
        had++;
        *byte = (uint8_t)i;
        if (*byte != (uint8_t)i ||
            grant_unmap(op.handle, grant_slot(0)) != GNTST_okay)
            wrong++;
    }
    return had;
}

static void map_too(uint64_t unused)
{
    (void)unused;
    map_and_unmap();
    stop = true;
}

TEST("two vCPUs map one entry at one address, and one of them at a time has it")
{
    SKIP_ON_XEN("class pv replaces what is mapped there");
    SKIP_UNLESS_VCPUS(2);
    begin();
    grant_give(REF, own_domid, lent, 0);
    REQUIRE(vcpu_start(1, map_too, 0));
    EXPECT_TRUE(map_and_unmap() > 0);
    EXPECT_TRUE(vcpu_wait(1));
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(grant_take_back(REF));
}

/* Unmap what the first has mapped, at the same time as it does itself. */
static void unmap_it(uint64_t unused)
{
    (void)unused;
    for (uint32_t i = 1; i <= ROUNDS; i++) {
        YIELD_UNTIL(begun == i || stop);
        if (stop)
            return;
        if (grant_unmap(handle, grant_slot(0)) == GNTST_okay)
            __atomic_fetch_add(&unmapped, 1, __ATOMIC_SEQ_CST);
        done = i;
    }
}

TEST("a handle that two vCPUs unmap at once goes once")
{
    SKIP_UNLESS_VCPUS(2);
    begin();
    grant_give(REF, own_domid, lent, 0);
    REQUIRE(vcpu_start(1, unmap_it, 0));
    for (uint32_t i = 1; i <= ROUNDS && test_failures == 0; i++) {
        struct gnttab_map_grant_ref op =
            grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);

        EXPECT_EQ(op.status, GNTST_okay);
        handle = op.handle;
        begun = i;
        if (grant_unmap(op.handle, grant_slot(0)) == GNTST_okay)
            __atomic_fetch_add(&unmapped, 1, __ATOMIC_SEQ_CST);
        YIELD_UNTIL(done == i);
        EXPECT_EQ(unmapped, i);
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    EXPECT_TRUE(grant_take_back(REF));
}

/* Take the entry back whenever nobody uses it, and lend another page. */
static void lend_in_turns(uint64_t unused)
{
    bool instead = false;

    (void)unused;
    while (!stop)
        if (grant_take_back(REF)) {
            instead = !instead;
            grant_give(REF, own_domid, instead ? lent_instead : lent, 0);
            done++;
        }
}

static bool is_one_page(void)
{
    for (unsigned int i = 1; i < BYTES; i++)
        if (copied[i] != copied[0])
            return false;
    return copied[0] == 0x11 || copied[0] == 0x22;
}

TEST("a copy is of the page that the entry names, while another is put there")
{
    SKIP_UNLESS_VCPUS(2);
    begin();
    memset(lent, 0x11, sizeof(lent));
    memset(lent_instead, 0x22, sizeof(lent_instead));
    grant_give(REF, own_domid, lent, 0);
    REQUIRE(vcpu_start(1, lend_in_turns, 0));
    for (unsigned int i = 0; i < ROUNDS || done < ROUNDS / 10; i++) {
        int16_t status = grant_copy_in(own_domid, REF, 0, copied, BYTES);

        if (status != GNTST_okay && status != GNTST_general_error)
            wrong++;
        if (status == GNTST_okay && !is_one_page())
            wrong++;
        if (i % 16 == 0)
            vcpu_yield();
    }
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
    EXPECT_EQ(wrong, 0);
    EXPECT_TRUE(grant_take_back(REF));
}

/* --- A table that grows --------------------------------------------------- */

#define GROWN LIGHT_GRANT_FRAMES_MAX

static volatile uint32_t arrived;

/* Both go on together. */
static void meet(uint32_t round)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    YIELD_UNTIL(arrived >= 2 * round);
}

/* Each frame, perhaps before it is made, to where it will be anyway. */
static void move_frames(uint64_t unused)
{
    struct xen_add_to_physmap op = {.domid = DOMID_SELF,
                                    .space = XENMAPSPACE_grant_table};

    (void)unused;
    for (uint32_t n = 1; n < GROWN; n++) {
        op.idx = n;
        op.gpfn = layout.special_gfn + LIGHT_SPECIAL_GRANT_TABLE + n;
        meet(n);
        /* Now earlier, now later in the making. */
        for (volatile uint32_t wait = n * 37 % 64 * 32; wait; wait--)
            ;
        if (hypercall_memory_op(XENMEM_add_to_physmap, &op) != 0)
            wrong++;
    }
}

static uint64_t grow_together(uint64_t unused)
{
    uint64_t list[GROWN];
    struct gnttab_setup_table setup = {.dom = DOMID_SELF,
                                       .frame_list = hypercall_ptr(list)};

    (void)unused;
    arrived = wrong = 0;
    if (!vcpu_start(1, move_frames, 0))
        return 1;
    for (uint32_t n = 1; n < GROWN; n++) {
        setup.nr_frames = n + 1;
        meet(n);
        if (hypercall_grant_table_op(GNTTABOP_setup_table, &setup, 1) != 0 ||
            setup.status != GNTST_okay)
            wrong++;
    }
    if (!vcpu_wait(1))
        wrong++;
    return wrong;
}

TEST("a frame of the table is moved while another vCPU makes it")
{
    static const struct child_limits limits = {.vcpus = 2,
                                               .grant_frames = GROWN};
    struct child child;

    SKIP_ON_XEN("a domain of class pv has no such map");
    for (unsigned int i = 0; i < 3; i++) {
        REQUIRE(child_start(&child, &limits, grow_together, 0));
        EXPECT_TRUE(child_wait(&child));
        EXPECT_EQ(child.result, 0);
        child_destroy(&child);
    }
}
