/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/time.c hypervisor/core/rtc.c */
/* From ticks to nanoseconds, and from dates to seconds. */

#include "core/time.h"

#include "arch/x86_64/apic.h"
#include "lib/log.h"
#include "unit/test.h"

void lapic_timer_set(uint32_t count)
{
    (void)count;
}

uint32_t lapic_timer_count(void)
{
    return 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
    (void)level;
    (void)fmt;
}

void panic(const char *fmt, ...)
{
    (void)fmt;
    abort();
}

/* @seconds of a clock of @hz, in ns. */
static uint64_t ns_of(uint64_t hz, uint64_t seconds)
{
    return tsc_scale_apply(tsc_scale_for(hz), hz * seconds);
}

TEST("a second is a second, at any frequency")
{
    static const uint64_t hz[] = {1000000,    999999999,  1000000000,
                                  1000000001, 1193182,    2000000000,
                                  2000000001, 2595908000, 5100000000};

    for (size_t i = 0; i < sizeof(hz) / sizeof(hz[0]); i++) {
        uint64_t ns = ns_of(hz[i], 1000);
        struct tsc_scale scale = tsc_scale_for(hz[i]);

        EXPECT_TRUE(scale.mul >> 31);
        EXPECT_TRUE(ns <= 1000000000000 + 2000);
        EXPECT_TRUE(ns >= 1000000000000 - 2000);
    }
}

TEST("years of ticks do not overflow")
{
    uint64_t year = 31556952;

    EXPECT_TRUE(ns_of(3000000000, 20 * year) / 1000000000 >= 20 * year - 1);
}

TEST("time never goes back from one tick to the next")
{
    struct tsc_scale scale = tsc_scale_for(2595908000);
    uint64_t last = 0;

    for (uint64_t t = 1ULL << 40; t < (1ULL << 40) + 100000; t++) {
        uint64_t ns = tsc_scale_apply(scale, t);

        EXPECT_TRUE(ns >= last);
        last = ns;
    }
}

TEST("dates are the seconds that everybody counts")
{
    static const struct {
        struct rtc_date date;
        uint64_t seconds;
    } cases[] = {
        {{1970, 1, 1, 0, 0, 0}, 0},
        {{1970, 12, 31, 23, 59, 59}, 31535999},
        {{1972, 2, 29, 12, 0, 0}, 68212800},
        {{1999, 12, 31, 23, 59, 59}, 946684799},
        {{2000, 2, 29, 0, 0, 0}, 951782400},
        {{2000, 3, 1, 0, 0, 0}, 951868800},
        {{2020, 1, 1, 0, 0, 0}, 1577836800},
        {{2026, 11, 23, 4, 10, 0}, 1795407000},
        {{2100, 3, 1, 0, 0, 0}, 4107542400},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        EXPECT_EQ(rtc_seconds(&cases[i].date), cases[i].seconds);
}

TEST("a date that does not exist is no date")
{
    static const struct rtc_date bad[] = {
        {1969, 1, 1, 0, 0, 0},  {2020, 0, 1, 0, 0, 0},  {2020, 13, 1, 0, 0, 0},
        {2020, 1, 0, 0, 0, 0},  {2020, 1, 32, 0, 0, 0}, {2020, 1, 1, 24, 0, 0},
        {2020, 1, 1, 0, 60, 0}, {2020, 1, 1, 0, 0, 61},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        EXPECT_EQ(rtc_seconds(&bad[i]), 0);
}
