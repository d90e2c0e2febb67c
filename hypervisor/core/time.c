/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time.  At start-up the TSC and the local APIC's timer are compared
 * with the PIT, whose frequency every PC shares.
 */

#include "core/time.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"
#include "arch/x86_64/port.h"
#include "core/log.h"
#include "core/panic.h"
#include "core/rtc.h"

#define PIT_HZ        1193182UL
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_GATE_PORT 0x61
#define PIT_GATE      0x01 /* channel 2 counts */
#define PIT_SPEAKER   0x02

#define PIT_MODE0_WORD 0xb0 /* channel 2, low then high byte, mode 0 */
#define PIT_LATCH      0x80 /* of channel 2 */

/* 50 ms: one part in 10^5, and less than the 16 bits of the counter. */
#define CALIBRATION_TICKS 59659U

/* What a counter that stands still must not make us wait for. */
#define CALIBRATION_READS 50000000UL

struct tsc_scale tsc_scale;
uint32_t tsc_khz;
uint64_t tsc_at_boot;
uint64_t wallclock_at_boot;
uint32_t lapic_timer_khz;

struct tsc_scale tsc_scale_for(uint64_t hz)
{
    struct tsc_scale scale = {0};

    /* Bring the frequency into (10^9, 2 * 10^9], where mul gets its bit 31. */
    while (hz <= 1000000000UL) {
        hz <<= 1;
        scale.shift++;
    }
    while (hz > 2000000000UL) {
        hz >>= 1;
        scale.shift--;
    }
    scale.mul = (uint32_t)((1000000000UL << 32) / hz);
    return scale;
}

uint64_t tsc_scale_apply(struct tsc_scale scale, uint64_t ticks)
{
    if (scale.shift >= 0)
        ticks <<= scale.shift;
    else
        ticks >>= -scale.shift;
    return (uint64_t)((unsigned __int128)ticks * scale.mul >> 32);
}

uint64_t time_now(void)
{
    return tsc_scale_apply(tsc_scale, rdtsc() - tsc_at_boot);
}

static uint16_t pit_read(void)
{
    uint8_t low;

    port_write8(PIT_COMMAND, PIT_LATCH);
    low = port_read8(PIT_CHANNEL2);
    return (uint16_t)(low | port_read8(PIT_CHANNEL2) << 8);
}

/* Count down from 65535 without a sound. */
static void pit_start(void)
{
    uint8_t gate = port_read8(PIT_GATE_PORT) & ~(PIT_GATE | PIT_SPEAKER);

    port_write8(PIT_GATE_PORT, gate);
    port_write8(PIT_COMMAND, PIT_MODE0_WORD);
    port_write8(PIT_CHANNEL2, 0xff);
    port_write8(PIT_CHANNEL2, 0xff);
    port_write8(PIT_GATE_PORT, gate | PIT_GATE);
}

/*
 * Wait until the counter has reached @until or passed it, and return the
 * count; *@tsc is the time right after it changed to that.
 */
static uint16_t pit_wait(uint16_t until, uint64_t *tsc)
{
    for (uint64_t reads = 0; reads < CALIBRATION_READS; reads++) {
        uint16_t count = pit_read();

        *tsc = rdtsc();
        if (count <= until)
            return count;
    }
    panic("the timer (PIT, channel 2) does not count");
}

/* Ticks of the TSC and of the LAPIC's timer in the time of @pit_ticks. */
static uint32_t measure(uint64_t *tsc_ticks, uint32_t *lapic_ticks)
{
    uint64_t tsc_start, tsc_end;
    uint16_t start, end;

    pit_start();
    /* Begin at a change, so that both ends are equally late. */
    start = pit_wait((uint16_t)(pit_read() - 2), &tsc_start);
    lapic_timer_set(UINT32_MAX);
    end = pit_wait((uint16_t)(start - CALIBRATION_TICKS), &tsc_end);
    *lapic_ticks = UINT32_MAX - lapic_timer_count();
    lapic_timer_set(0);
    *tsc_ticks = tsc_end - tsc_start;
    return (uint32_t)(start - end);
}

/* @ticks in the time of @pit_ticks, as ticks a second. */
static uint64_t frequency(uint64_t ticks, uint32_t pit_ticks)
{
    return ticks * PIT_HZ / pit_ticks; /* no overflow below 10^13 ticks */
}

void time_init(void)
{
    uint64_t tsc_ticks, tsc_hz, lapic_hz;
    uint32_t lapic_ticks, pit_ticks;

    pit_ticks = measure(&tsc_ticks, &lapic_ticks);
    tsc_hz = frequency(tsc_ticks, pit_ticks);
    lapic_hz = frequency(lapic_ticks, pit_ticks);
    if (tsc_hz < 1000000 || lapic_hz < 100000)
        panic("clocks are too slow: TSC %lu Hz, APIC timer %lu Hz", tsc_hz,
              lapic_hz);

    tsc_khz = (uint32_t)((tsc_hz + 500) / 1000);
    lapic_timer_khz = (uint32_t)((lapic_hz + 500) / 1000);
    tsc_at_boot = rdtsc();
    tsc_scale = tsc_scale_for(tsc_hz);
    wallclock_at_boot = rtc_read();
    log_info("time: TSC %u.%03u MHz, APIC timer %u.%03u MHz", tsc_khz / 1000,
             tsc_khz % 1000, lapic_timer_khz / 1000, lapic_timer_khz % 1000);
}
