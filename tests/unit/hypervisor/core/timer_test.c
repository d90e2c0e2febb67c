/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/timer.c hypervisor/lib/heap.c */
/* LINK: tests/unit/doubles/smp.c */
/* Timers, over a clock and a local APIC that the test holds in its hand. */

#include "arch/x86_64/apic.h"
#include "arch/x86_64/smp.h"
#include "core/drift.h"
#include "core/lock.h"
#include "core/time.h"
#include "lib/log.h"
#include "unit/test.h"

DEFINE_PER_CPU(unsigned int, cpu_id);

static uint64_t now;
static uint32_t hardware; /* what was programmed last */
static int programmed;    /* how often */
static bool locked;

uint32_t lapic_timer_khz = 62500; /* 16 ns a tick */

uint64_t drift_due = UINT64_MAX / 2; /* never */

void drift_compare(void)
{
}

uint64_t time_now(void)
{
    return now;
}

void lapic_timer_set(uint32_t count)
{
    hardware = count;
    programmed++;
}

void spin_lock(struct spinlock *lock) __lock_primitive
{
    EXPECT_EQ(lock->rank, LOCK_timer);
    EXPECT_FALSE(locked);
    locked = true;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    (void)lock;
    EXPECT_TRUE(locked);
    locked = false;
}

void spin_locks_assert_none(void)
{
    EXPECT_FALSE(locked);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

#define TIMERS 4
static struct timer timers[TIMERS];
static int order[16], fired;
static uint64_t again; /* timer 0 sets itself this far ahead, if not 0 */

static void expired(struct timer *t)
{
    EXPECT_FALSE(locked);
    EXPECT_FALSE(t->armed);
    order[fired++] = (int)(t - timers);
    if (t == &timers[0] && again) {
        timer_set(t, now + again);
        again = 0;
    }
}

static void counted(struct timer *t)
{
    EXPECT_FALSE(t->armed);
    fired++;
}

void setup(void)
{
    now = 1000000;
    for (int i = 0; i < TIMERS; i++)
        timer_init(&timers[i], expired);
    timer_run();
    fired = 0;
    again = 0;
    programmed = 0;
}

void teardown(void)
{
    for (int i = 0; i < TIMERS; i++)
        timer_cancel(&timers[i]);
    timer_run();
}

TEST("of many that are due at once a quantum runs, and the rest at once after")
{
    static struct timer many[100];

    for (int i = 0; i < 100; i++) {
        timer_init(&many[i], counted);
        timer_set(&many[i], now - 1);
    }
    hardware = 0;
    timer_run();
    EXPECT_TRUE(fired > 0 && fired <= 32);
    EXPECT_EQ(hardware, 1);
    for (int runs = 1; fired < 100 && runs < 100; runs++)
        timer_run();
    EXPECT_EQ(fired, 100);
    EXPECT_EQ(hardware, 0);
}

TEST("with no timer the hardware is off")
{
    timer_run();
    EXPECT_EQ(hardware, 0);
}

TEST("the hardware is set to the first deadline, rounded up")
{
    timer_set(&timers[0], now + 16000);
    EXPECT_EQ(hardware, 1001);
    timer_set(&timers[1], now + 32000);
    EXPECT_EQ(hardware, 1001);
    EXPECT_EQ(programmed, 1);
    timer_set(&timers[2], now + 8000);
    EXPECT_EQ(hardware, 501);
}

TEST("due timers run in order of their deadlines, the others stay")
{
    timer_set(&timers[0], now + 30);
    timer_set(&timers[1], now + 10);
    timer_set(&timers[2], now + 20);
    timer_set(&timers[3], now + 1600);
    now += 30;
    timer_run();
    EXPECT_EQ(fired, 3);
    EXPECT_EQ(order[0], 1);
    EXPECT_EQ(order[1], 2);
    EXPECT_EQ(order[2], 0);
    EXPECT_TRUE(timers[3].armed);
    EXPECT_EQ(hardware, (1600 - 30) * 625 / 10000 + 1);
}

TEST("a deadline in the past strikes at once")
{
    timer_set(&timers[0], 5);
    EXPECT_EQ(hardware, 1);
    timer_run();
    EXPECT_EQ(fired, 1);
}

TEST("a strike that comes too early runs nothing and sets the rest")
{
    timer_set(&timers[0], now + 16000);
    now += 8000;
    timer_run();
    EXPECT_EQ(fired, 0);
    EXPECT_EQ(hardware, 501);
}

TEST("setting moves, cancelling removes, twice is harmless")
{
    timer_set(&timers[0], now + 10);
    timer_set(&timers[0], now + 100);
    timer_set(&timers[1], now + 10);
    timer_cancel(&timers[1]);
    timer_cancel(&timers[1]);
    now += 50;
    timer_run();
    EXPECT_EQ(fired, 0);
    now += 50;
    timer_run();
    EXPECT_EQ(fired, 1);
    EXPECT_EQ(order[0], 0);
}

TEST("a timer may set itself again while it runs")
{
    again = 100;
    timer_set(&timers[0], now);
    timer_run();
    EXPECT_EQ(fired, 1);
    EXPECT_TRUE(timers[0].armed);
    now += 100;
    timer_run();
    EXPECT_EQ(fired, 2);
}

TEST("a far deadline is reached in steps, the farthest too")
{
    timer_set(&timers[0], now + 3600000000000);
    EXPECT_EQ(hardware, UINT32_MAX);
    timer_set(&timers[0], UINT64_MAX);
    EXPECT_EQ(hardware, UINT32_MAX);
    now += 70000000000;
    timer_run();
    EXPECT_EQ(fired, 0);
    EXPECT_EQ(hardware, UINT32_MAX);
}
