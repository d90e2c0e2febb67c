/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains of class pv that end while their tables are being validated, undone
 * and changed: all that they had comes back.
 */

#include <abi/hypercall.h>
#include <abi/mmu.h>
#include <abi/sched.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/tables.h"
#include "framework/test.h"
#include "framework/vcpu.h"

#define ROUNDS 30U

/* Moments between two rounds' ends: a pin of the whole tree takes some. */
#define STEP_NS 23000U

/* Tables of each level, the lowest first, and as many entries as there are. */
#define LEVEL_1S 16U
#define LEVEL_2S 4U
#define LEVEL_3  (LEVEL_1S + LEVEL_2S)
#define LEVEL_4  (LEVEL_3 + 1)

/* As in leaks.c: pools keep a frame or two. */
#define SLACK_FRAMES 16U

PAGES(tables, LEVEL_4 + 1);
PAGES(data, 1);

static uint64_t *table(unsigned int i)
{
    return (uint64_t *)(void *)(tables + i * PAGE_SIZE);
}

static void fill(unsigned int index, unsigned int first, unsigned int count)
{
    for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
        table(index)[i] = count ? entry_for(table(first + i % count), TO_TABLE)
                                : entry_for(data, TO_WRITE);
    EXPECT_EQ(map_readable(table(index)), 0);
}

static void make_tree(void)
{
    for (unsigned int i = 0; i < LEVEL_1S; i++)
        fill(i, 0, 0);
    for (unsigned int i = LEVEL_1S; i < LEVEL_3; i++)
        fill(i, 0, LEVEL_1S);
    fill(LEVEL_3, LEVEL_1S, LEVEL_2S);
    table(LEVEL_4)[5] = entry_for(table(LEVEL_3), TO_TABLE);
    EXPECT_EQ(map_readable(table(LEVEL_4)), 0);
}

/* Takes over what the first one has left half done, and undoes it. */
static void disturb(uint64_t unused)
{
    (void)unused;
    for (unsigned int i = 0;; i++) {
        (void)pin(table(i % LEVEL_4), 1 + i % 3);
        (void)mmuext_call(MMUEXT_NEW_USER_BASEPTR, frame_of(table(LEVEL_4)), 0);
        (void)mmu_one(entry_at(table(LEVEL_4), 6), table(LEVEL_4)[5]);
        (void)unpin(table(i % LEVEL_4));
        (void)mmuext_call(MMUEXT_NEW_USER_BASEPTR, 0, 0);
    }
}

static volatile unsigned int pins;

static _Noreturn uint64_t pin_for_ever(uint64_t unused)
{
    (void)unused;
    make_tree();
    EXPECT_TRUE(vcpu_start(1, disturb, 0));
    for (;;) {
        pins += pin(table(LEVEL_4), 4) == 0;
        (void)unpin(table(LEVEL_4));
        (void)mmu_one(entry_at(table(LEVEL_4), 6), 0);
    }
}

static uint64_t unreserved_frames(void)
{
    struct control_op op = {.cmd = CONTROL_OP_host_info};

    return control(&op) == 0 ? op.u.host_info.unreserved_pages : 0;
}

/* Paused before, or told to shut down, or neither. */
static void press(domid_t domid, unsigned int round)
{
    struct control_op op = {.domid = domid};

    op.cmd = round % 3 ? CONTROL_OP_pause : CONTROL_OP_shutdown;
    if (round % 3 == 0)
        op.u.shutdown.reason = SHUTDOWN_poweroff;
    if (round % 3 != 2)
        EXPECT_EQ(control(&op), 0);
}

TEST("domains end amid the validation of their tables, and leave nothing")
{
    static const struct child_limits limits = {.pv = true, .vcpus = 2};
    struct control_op key = {.cmd = CONTROL_OP_debug_key,
                             .u.debug_key = {.key = 'f'}};
    uint64_t before = 0, free_before = 0;

    SKIP_ON_XEN("control_op is Cairn's");
    NEEDS_INITIAL_DOMAIN;
    if (!child_pv_possible())
        SKIP("no class pv with spec-ctrl=xpti");
    for (unsigned int i = 0; i < ROUNDS; i++) {
        uint64_t deadline = now_ns() + CHILD_TIMEOUT_NS;
        unsigned int done = 0;
        struct child child;

        if (!child_start(&child, &limits, pin_for_ever, 0))
            return;
        while (done == 0 && now_ns() < deadline) {
            sleep_until(now_ns() + 1000000);
            REQUIRE(child_peek(&child, (const void *)(uintptr_t)&pins, &done,
                               sizeof(done)));
        }
        REQUIRE(done > 0);
        sleep_until(now_ns() + i * STEP_NS);
        press(child.domid, i);
        child_destroy(&child);
        EXPECT_EQ(control(&key), 0);
        if (i == 2) { /* pools have grown */
            before = unreserved_frames();
            free_before = free_pages();
        }
    }
    EXPECT_TRUE(unreserved_frames() + SLACK_FRAMES > before);
    EXPECT_TRUE(free_pages() + SLACK_FRAMES > free_before);
}
