/* SPDX-License-Identifier: BSD-2-Clause */
/* System time: nanoseconds since boot, from the TSC; and what waits for it. */

#pragma once

#include "lib/heap.h"

/* ns = (ticks << shift or >> -shift) * mul >> 32; mul has bit 31 set. */
struct tsc_scale {
    uint32_t mul;
    int8_t shift;
};

extern struct tsc_scale tsc_scale; /* constant after time_init() */
extern uint32_t tsc_khz;           /* the same */
extern uint64_t tsc_at_boot;       /* the TSC at system time 0; the same */

/* Seconds since 1970, UTC, at system time 0. */
extern uint64_t wallclock_at_boot;

uint64_t time_now(void);

/*
 * Whether something that takes @cost of time allowed may be done now, and if
 * so it is counted: time is paid with, and what is not spent is kept up to
 * @burst.  *@paid_until is its state; -@burst: all of a burst is there.
 */
static inline bool time_pays(uint64_t *paid_until, uint64_t cost,
                             uint64_t burst)
{
    uint64_t now = time_now();

    if (now - *paid_until > burst)
        *paid_until = now - burst;
    if (now - *paid_until < cost)
        return false;
    *paid_until += cost;
    return true;
}

/* Ticks of the local APIC's timer in a millisecond; after time_init(). */
extern uint32_t lapic_timer_khz;

/* Needs the local APIC. */
void time_init(void);

/* The scale of a clock of @hz, at least 1 MHz, and its use. */
struct tsc_scale tsc_scale_for(uint64_t hz);
uint64_t tsc_scale_apply(struct tsc_scale scale, uint64_t ticks);

/* --- The clock that runs while the machine is off (rtc.c) ---------------- */

struct rtc_date {
    unsigned int year, month, day, hour, minute, second;
};

/* Seconds since 1970, taking the clock to hold UTC; 0 if it makes no sense. */
uint64_t rtc_read(void);

/* The same of a date; 0 for one that does not exist. */
uint64_t rtc_seconds(const struct rtc_date *date);

/* --- Timers (timer.c) ----------------------------------------------------- */

/*
 * One-shot timers.  A timer belongs to the CPU it was last set or cancelled on;
 * its function runs there, from the timer interrupt's tail on the way back to a
 * guest, with no lock held.  No timer set means no interrupt at all.
 */

struct timer {
    struct heap_node node; /* key: deadline, ns of system time */
    void (*expired)(struct timer *t);
    bool armed;  /* guarded, as the node, by the lock of cpu's queue */
    uint8_t cpu; /* changes only with the lock of the queue it is left for */
};

void timer_init(struct timer *t, void (*expired)(struct timer *t));

/*
 * Arm @t here, or move it here, to @deadline; one in the past fires at once.
 * Its function may still be running elsewhere for an earlier one.
 */
void timer_set(struct timer *t, uint64_t deadline);

/*
 * Harmless when not armed.  Its function may be running on another CPU still,
 * or about to.
 */
void timer_cancel(struct timer *t);

/*
 * The same, and it runs on no other CPU on return, even if it sets itself
 * again.  No lock is held, because its function may want it.
 */
void timer_cancel_wait(struct timer *t);

/* Run a quantum of what is due here and set the hardware to what is next. */
void timer_run(void);
