/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU that changes an entry, or an argument, while another one uses it. */

#include <string.h>

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/grants.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define REF   60U
#define TURNS 2000U /* at which the other one has changed enough */

PAGES(one, 1);
PAGES(two, 1);
PAGES(target, 2);

/* What the other vCPU does, until it is told to stop. */
static volatile bool stop;

/* How often the other one has changed what it changes. */
static volatile unsigned int turns;

static bool start_other(vcpu_fn *fn)
{
    stop = false;
    turns = 0;
    return vcpu_start(1, fn, 0);
}

static void stop_other(void)
{
    stop = true;
    EXPECT_TRUE(vcpu_wait(1));
}

/* So that the entry is seen as it is for a while, and not only changing. */
static void pause_a_while(unsigned int i)
{
    turns = i + 1;
    if (i % 16 == 0)
        vcpu_yield();
    for (volatile unsigned int n = 0; n < 200; n++)
        ;
}

/* The entry is one page, the other, nobody's, readonly; the flags last. */
static void change_entry(uint64_t unused)
{
    (void)unused;
    for (unsigned int i = 0; !stop; i++) {
        grants[REF].frame = (uint32_t)frame_of(i % 2 ? one : two);
        grants[REF].domid = i % 3 ? own_domid : 0x5555;
        __atomic_store_n(&grants[REF].flags,
                         GTF_permit_access | (i % 5 ? 0 : GTF_readonly),
                         __ATOMIC_SEQ_CST);
        pause_a_while(i);
    }
}

TEST("an entry that another vCPU changes is mapped as it was once, or not")
{
    volatile uint8_t *at = (volatile uint8_t *)(uintptr_t)grant_slot(0);
    unsigned int mapped = 0, tried = 0;

    SKIP_UNLESS_VCPUS(2);
    memset(one, 0x11, 16);
    memset(two, 0x22, 16);
    REQUIRE(start_other(change_entry));
    YIELD_UNTIL(turns != 0);
    for (; turns < TURNS && test_failures == 0; tried++) {
        struct gnttab_map_grant_ref op;

        if (tried % 16 == 0)
            vcpu_yield();
        op = grant_map(own_domid, REF, grant_slot(0), GNTMAP_host_map);
        if (op.status != GNTST_okay) {
            EXPECT_TRUE(op.status == GNTST_general_error ||
                        op.status == GNTST_eagain);
            continue;
        }
        mapped++;
        EXPECT_TRUE(at[0] == 0x11 || at[0] == 0x22);
        EXPECT_EQ(grant_unmap(op.handle, grant_slot(0)), GNTST_okay);
    }
    stop_other();
    print("# mapped %u of %u\n", mapped, tried);
    grant_give(REF, own_domid, one, 0);
    EXPECT_TRUE(grant_take_back(REF));
}

static struct gnttab_copy shared_copy;

static void change_copy(uint64_t unused)
{
    (void)unused;
    for (unsigned int i = 0; !stop; i++) {
        shared_copy.dest.offset = i % 2 ? 0 : PAGE_SIZE - 8;
        shared_copy.len = i % 3 ? 8 : 64;
        shared_copy.source.offset = i % 5 ? 0 : 0xfff0;
        turns = i + 1;
        if (i % 16 == 0)
            vcpu_yield();
    }
}

TEST("a copy whose argument another vCPU changes stays within its page")
{
    SKIP_UNLESS_VCPUS(2);
    memset(one, 0x33, PAGE_SIZE);
    memset(target, 0, 2 * PAGE_SIZE);
    shared_copy = (struct gnttab_copy){
        .source = {.u.gmfn = frame_of(one), .domid = DOMID_SELF},
        .dest = {.u.gmfn = frame_of(target), .domid = DOMID_SELF},
        .len = 8,
    };
    REQUIRE(start_other(change_copy));
    YIELD_UNTIL(turns != 0);
    for (unsigned int i = 0; turns < TURNS; i++) {
        int16_t status;

        shared_copy.status = 77;
        EXPECT_EQ(hypercall_grant_table_op(GNTTABOP_copy, &shared_copy, 1), 0);
        status = shared_copy.status;
        EXPECT_TRUE(status == GNTST_okay || status == GNTST_bad_copy_arg);
        if (i % 16 == 0)
            vcpu_yield();
    }
    stop_other();
    for (unsigned int i = 64; i < PAGE_SIZE - 8; i++)
        EXPECT_EQ(target[i], 0);
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        EXPECT_EQ(target[PAGE_SIZE + i], 0);
}
