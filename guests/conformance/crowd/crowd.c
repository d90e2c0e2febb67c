/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hundred domains that never sleep: what each gets, and how long one that
 * sleeps waits beside them.  Figures mean something only where the emulator
 * counts instructions; "exact=1" on the command line says so.  "cpus=" says how
 * many processors the machine has.
 */

#include <abi/hypercall.h>

#include <rt/hypercall.h>

#include "framework/child.h"
#include "framework/ports.h"
#include "framework/test.h"

#define MS     1000000UL
#define CROWD  100U
#define SLEEPS 100U

/* Each gets so much time of a processor while it is measured. */
#define PART_NS (200 * MS)

/* A slice, which is what one that wakes waits at most, and its way. */
#define WAIT_NS (6 * MS)

static struct child crowd[CROWD];
static const struct child_limits small = {.extra_pages = 8};

static bool start_crowd(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        if (!child_start(&crowd[i], &small, child_spin, 0))
            return false;
    return true;
}

static void end_crowd(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        child_destroy(&crowd[i]);
}

static uint64_t cpu_time(const struct child *child)
{
    struct control_domain_info info = {0};
    struct control_op op = {
        .cmd = CONTROL_OP_list,
        .domid = child->domid,
        .u.list = {.buffer = hypercall_ptr(&info), .room = 1}};

    control(&op);
    return info.cpu_time_ns;
}

TEST("a hundred busy domains get the same, each within 5 percent")
{
    static uint64_t used[CROWD];
    uint64_t cpus = option_number("cpus", 1), sum = 0, least = ~0UL, most = 0;

    ONLY_EXACT;
    if (!start_crowd(CROWD))
        return;
    sleep_until(now_ns() + 1000 * MS);
    for (unsigned int i = 0; i < CROWD; i++)
        used[i] = cpu_time(&crowd[i]);
    sleep_until(now_ns() + PART_NS * CROWD / cpus);
    for (unsigned int i = 0; i < CROWD; i++) {
        used[i] = cpu_time(&crowd[i]) - used[i];
        sum += used[i];
        least = used[i] < least ? used[i] : least;
        most = used[i] > most ? used[i] : most;
    }
    print("## %lu CPUs: least %lu mean %lu most %lu us\n", cpus, least / 1000,
          sum / CROWD / 1000, most / 1000);
    EXPECT_TRUE(least * 100 >= sum / CROWD * 95);
    EXPECT_TRUE(most * 100 <= sum / CROWD * 105);
    /* And nothing is lost to anything else. */
    EXPECT_TRUE(sum >= PART_NS * CROWD / 100 * 97);
    end_crowd(CROWD);
}

static uint64_t late_most, late_sum;

/* Wakes, works for a moment, sleeps: like one that answers requests. */
static uint64_t serve(uint64_t period)
{
    for (unsigned int i = 0; i < SLEEPS; i++) {
        uint64_t when = now_ns() + period, late;

        sleep_until(when);
        late = now_ns() - when;
        late_sum += late;
        late_most = late > late_most ? late : late_most;
    }
    return late_most;
}

TEST("one that sleeps and works by turns is in time beside a hundred busy ones")
{
    struct child server;
    uint64_t sum = 0;

    ONLY_EXACT;
    if (!start_crowd(CROWD))
        return;
    sleep_until(now_ns() + 500 * MS);
    if (!child_start(&server, &small, serve, 9700000))
        return;
    EXPECT_TRUE(child_wait(&server));
    child_peek(&server, &late_sum, &sum, sizeof(sum));
    print("## wakes late by %lu us in the mean, %lu us at most\n",
          sum / SLEEPS / 1000, server.result / 1000);
    EXPECT_TRUE(sum / SLEEPS <= 1 * MS);
    EXPECT_TRUE(server.result <= WAIT_NS);
    child_destroy(&server);
    end_crowd(CROWD);
}

/* What the first of @n gets, in thousandths of a processor. */
static uint64_t part_of_first(uint64_t ns)
{
    uint64_t used = cpu_time(&crowd[0]), start = now_ns();

    sleep_until(start + ns);
    used = cpu_time(&crowd[0]) - used;
    return used * 1000 / (now_ns() - start);
}

static void expect_near(uint64_t got, uint64_t want)
{
    print("## %lu of 1000, bound %lu\n", got, want);
    EXPECT_TRUE(got * 100 >= want * 94);
    EXPECT_TRUE(got * 100 <= want * 106);
}

TEST("a capped domain gets its cap, alone or not")
{
    ONLY_EXACT;
    if (!start_crowd(1))
        return;
    EXPECT_EQ(child_schedule(&crowd[0], CHILD_KEEP, 30, CHILD_KEEP, 0), 0);
    sleep_until(now_ns() + 100 * MS);
    expect_near(part_of_first(1000 * MS), 300);
    EXPECT_EQ(child_schedule(&crowd[0], CHILD_KEEP, 0, CHILD_KEEP, 0), 0);
    sleep_until(now_ns() + 20 * MS);
    expect_near(part_of_first(500 * MS), 1000);
    end_crowd(1);
}

TEST("a reservation is kept against ten of the largest weight")
{
    ONLY_EXACT;
    if (!start_crowd(11))
        return;
    for (unsigned int i = 1; i < 11; i++)
        EXPECT_EQ(child_schedule(&crowd[i], 65535, CHILD_KEEP, CHILD_KEEP, 1),
                  0);
    EXPECT_EQ(child_schedule(&crowd[0], 1, CHILD_KEEP, 40, 1), 0);
    sleep_until(now_ns() + 300 * MS);
    expect_near(part_of_first(2000 * MS), 400);
    end_crowd(11);
}
