/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PM timer (ACPI 6.4, 4.8.2.1) has at least 24 bits, and those begin again
 * every 4.7 s.  How often they did the TSC tells, as long as the two are apart
 * by less than half of that since the last comparison.
 */

#include "core/drift.h"

#include "core/acpi.h"
#include "core/time.h"

#define PM_TIMER_HZ   3579545UL
#define PM_TIMER_BITS 24

/* Twice what NTP is made to correct, and far beyond an error of start-up's. */
#define DRIFT_PPM_MAX 1000

/* Between comparisons, and before there is anything to report. */
#define CHECK_SECONDS  60UL
#define REPORT_SECONDS 10UL

/* Beyond it a drift that matters could be off by a turn of the PM timer. */
#define GAP_NS_MAX 1000000000000UL

uint64_t drift_due;
static uint64_t last_tsc;
static struct drift drift;

void drift_add(struct drift *d, uint64_t ns, uint32_t ticks)
{
    const int unused = 64 - PM_TIMER_BITS;

    if (ns <= GAP_NS_MAX) {
        uint64_t expected = ns * PM_TIMER_HZ / 1000000000;
        uint64_t ahead = ticks - d->ticks - expected;

        d->ahead += (int64_t)(ahead << unused) >> unused;
        d->ns += ns;
    }
    d->ticks = ticks;
}

int64_t drift_ppm(const struct drift *d)
{
    int64_t expected = (int64_t)(d->ns / 1000000 * PM_TIMER_HZ / 1000);

    return expected ? d->ahead * 1000000 / expected : 0;
}

/* The one CPU that moves the due time on compares. */
void drift_compare(void)
{
    static bool reported;
    uint64_t due = atomic_read(&drift_due), now = rdtsc();
    uint32_t ticks;
    int64_t ppm;

    if ((int64_t)(now - due) < 0 ||
        !atomic_cmpxchg(&drift_due, &due,
                        now + CHECK_SECONDS * 1000 * tsc_khz) ||
        !acpi.pm_timer)
        return;
    now = rdtsc();
    ticks = port_read32(acpi.pm_timer);
    if (last_tsc)
        drift_add(&drift, tsc_scale_apply(tsc_scale, now - last_tsc), ticks);
    drift.ticks = ticks;
    last_tsc = now;
    ppm = drift_ppm(&drift);
    if (!reported && drift.ns >= REPORT_SECONDS * 1000000000 &&
        (ppm > DRIFT_PPM_MAX || ppm < -DRIFT_PPM_MAX)) {
        reported = true;
        log_warning("time: the PM timer gains %ld ppm on the TSC", ppm);
    }
}

static void print_drift(void)
{
    atomic_write(&drift_due, rdtsc());
    drift_compare();
    log_info("system time is the TSC's; in %lu s the PM timer%s gained %ld ppm",
             drift.ns / 1000000000, acpi.pm_timer ? "" : " (missing)",
             drift_ppm(&drift));
}
DEBUG_KEY('c', "clocks", print_drift);
