/* SPDX-License-Identifier: BSD-2-Clause */
/* LINK: hypervisor/core/drift.c hypervisor/core/time.c */
/* The TSC against a PM timer of 24 bits, over seconds and over years. */

#include "core/drift.h"

#include "arch/x86_64/apic.h"
#include "core/acpi.h"
#include "lib/log.h"
#include "core/time.h"
#include "unit/test.h"

#define SECOND 1000000000UL

struct acpi_info acpi;
static struct drift d;
static double pm_timer; /* ticks, never beginning again */

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

void lapic_timer_set(uint32_t count)
{
    (void)count;
}

uint32_t lapic_timer_count(void)
{
    return 0;
}

uint64_t rtc_read(void)
{
    return 0;
}

void setup(void)
{
    memset(&d, 0, sizeof(d));
    pm_timer = 12345678;
    d.ticks = (uint32_t)pm_timer & 0xffffff;
}

/* @ns of a TSC that is @ppm too slow, and as much of the PM timer as is due. */
static void pass(uint64_t ns, double ppm)
{
    pm_timer += (double)ns * 3.579545e-3 * (1 + ppm / 1e6);
    drift_add(&d, ns, (uint32_t)((uint64_t)pm_timer & 0xffffff));
}

static void expect_ppm(int64_t ppm)
{
    EXPECT_TRUE(drift_ppm(&d) >= ppm - 1);
    EXPECT_TRUE(drift_ppm(&d) <= ppm + 1);
}

TEST("nothing has drifted before a comparison")
{
    EXPECT_EQ(drift_ppm(&d), 0);
}

TEST("a good TSC does not drift, however far comparisons are apart")
{
    static const uint64_t gaps[] = {1, 3, 4, 5, 60, 61, 500, 999, 1000};

    for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
        for (int n = 0; n < 100; n++) {
            pass(gaps[i] * SECOND + 12345, 0);
            expect_ppm(0);
        }
}

TEST("a slow and a fast TSC are found out, over turns of the PM timer")
{
    static const int ppm[] = {20, -20, 1000, -1000, 2000, -2000};

    for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
        setup();
        for (int n = 0; n < 50; n++) {
            pass(60 * SECOND, ppm[i]);
            expect_ppm(ppm[i]);
        }
        pass(1000 * SECOND, ppm[i]);
        expect_ppm(ppm[i]);
    }
}

TEST("a jump counts for what it is in the whole time")
{
    pass(100 * SECOND, 0);
    pass(100 * SECOND, 1000);
    expect_ppm(500);
}

TEST("what is not known after a long sleep is left out")
{
    pass(100 * SECOND, 300);
    pass(100000 * SECOND, 300);
    expect_ppm(300);
    EXPECT_EQ(d.ns, 100 * SECOND);
    pass(100 * SECOND, 100);
    expect_ppm(200);
}

TEST("a PM timer of 32 bits is as good")
{
    d.ticks = 0xfffffff0;
    drift_add(&d, 60 * SECOND, (uint32_t)(0xfffffff0 + 60 * 3579545UL));
    EXPECT_EQ(drift_ppm(&d), 0);
}

TEST("ten years of comparisons overflow nothing")
{
    for (int n = 0; n < 315569; n++)
        pass(1000 * SECOND, -100);
    expect_ppm(-100);
}
