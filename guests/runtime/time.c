/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, from the time the hypervisor keeps in shared_info. */

#include <rt/time.h>

#include <abi/shared_info.h>

#include "internal.h"

static uint64_t start_ns;

/* lfence: not read before what precedes it in the program. */
static uint64_t read_tsc(void)
{
    uint32_t low, high;

    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

/* (a * b) >> 32, exact; the 128-bit product needs no library. */
static uint64_t scale(uint64_t a, uint32_t b)
{
    return (uint64_t)(((unsigned __int128)a * b) >> 32);
}

uint64_t rt_now_ns(void)
{
    const volatile struct vcpu_time_info *t =
        &rt_shared_info->vcpu_info[0].time;
    static uint64_t last;
    uint32_t version;
    uint64_t now, delta;

    do {
        version = t->version & ~1U; /* Odd: being written. */
        __asm__ volatile("" : : : "memory");
        delta = read_tsc() - t->tsc_timestamp;
        if (t->tsc_shift < 0)
            delta >>= -t->tsc_shift;
        else
            delta <<= t->tsc_shift;
        now = t->system_time + scale(delta, t->tsc_to_system_mul);
        __asm__ volatile("" : : : "memory");
    } while (version != t->version);

    /* A move to another processor may show an earlier TSC. */
    if (now > last)
        last = now;
    return last;
}

uint64_t rt_start_ns(void)
{
    return start_ns;
}

uint64_t rt_wall_ns(void)
{
    const volatile struct shared_info *s = rt_shared_info;
    uint64_t seconds, ns;
    uint32_t version;

    do {
        version = s->wc_version & ~1U;
        __asm__ volatile("" : : : "memory");
        seconds = (uint64_t)s->wc_sec_hi << 32 | s->wc_sec;
        ns = s->wc_nsec;
        __asm__ volatile("" : : : "memory");
    } while (version != s->wc_version);

    return seconds * RT_NS_PER_S + ns + rt_now_ns();
}

void rt_time_init(void)
{
    start_ns = rt_now_ns();
}
