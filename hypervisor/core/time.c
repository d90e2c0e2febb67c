/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System time.  At start-up the TSC and the local APIC's timer are compared
 * with the PIT, whose frequency every PC shares.
 */

#include "core/time.h"

#include "arch/x86_64/apic.h"
#include "arch/x86_64/cpu.h"

#define PIT_HZ        1193182UL
#define PIT_CHANNEL2  0x42
#define PIT_COMMAND   0x43
#define PIT_GATE_PORT 0x61
#define PIT_GATE      0x01 /* channel 2 counts */
#define PIT_SPEAKER   0x02

#define PIT_MODE0_WORD 0xb0 /* channel 2, low then high byte, mode 0 */
#define PIT_LATCH      0x80 /* of channel 2 */

/* 50 ms: one part in 10^5. */
#define CALIBRATION_TICKS 59659U

/* The best of so many: a host that takes its CPU away spoils a few. */
#define CALIBRATION_TRIES 3

/* What a counter that stands still must not make us wait for. */
#define CALIBRATION_READS 50000000UL

/* How far each clock went in the same time; how long reading them took. */
struct clocks {
    uint64_t pit, tsc, lapic, slack;
};

struct tsc_scale tsc_scale;
uint32_t tsc_khz, lapic_timer_khz;
uint64_t tsc_at_boot, wallclock_at_boot;

struct tsc_scale tsc_scale_for(uint64_t hz)
{
    struct tsc_scale scale = {0};
    uint64_t mul;

    /* Bring the frequency into (10^9, 2 * 10^9], where mul gets its bit 31. */
    while (hz <= 1000000000UL) {
        hz <<= 1;
        scale.shift++;
    }
    while (hz > 2000000000UL) {
        hz >>= 1;
        scale.shift--;
    }
    mul = (1000000000UL << 32) / hz;
    /* Halving may have cut hz to 10^9, one too low by less than it shows. */
    scale.mul = (uint32_t)MIN(mul, UINT32_MAX);
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
 * Wait until the counter has gone @ticks on from *@count, which is then where
 * it is; *@tsc is the time right before it was read.  Returns how far it went.
 * It begins again at 65535 every 55 ms, so nobody must hold us up that long:
 * *@gap becomes the longest time between two readings, if it was shorter.
 */
static uint64_t pit_wait(uint64_t ticks, uint16_t *count, uint64_t *tsc,
                         uint64_t *gap)
{
    uint64_t gone = 0, before = rdtsc();

    for (uint64_t reads = 0; reads < CALIBRATION_READS; reads++) {
        uint16_t last = *count;

        *tsc = rdtsc();
        *count = pit_read();
        *gap = MAX(*gap, *tsc - before);
        before = *tsc;
        gone += (uint16_t)(last - *count);
        if (gone >= ticks)
            return gone;
    }
    panic("the timer (PIT, channel 2) does not count");
}

static void measure(struct clocks *c)
{
    uint64_t start, end, gap = 0;
    uint16_t count;

    pit_start();
    count = pit_read();
    /* Begin at a change, so that both ends are equally late. */
    (void)pit_wait(2, &count, &start, &gap);
    lapic_timer_set(UINT32_MAX);
    c->slack = rdtsc() - start;
    c->pit = pit_wait(CALIBRATION_TICKS, &count, &end, &gap);
    c->lapic = UINT32_MAX - lapic_timer_count();
    c->slack += rdtsc() - end;
    c->tsc = end - start;
    if (gap > c->tsc / 2)
        c->slack = UINT64_MAX;
    lapic_timer_set(0);
}

/* @ticks while the PIT went @pit, as ticks a second. */
static uint64_t frequency(uint64_t ticks, uint64_t pit)
{
    return ticks * PIT_HZ / pit; /* no overflow below 10^13 ticks */
}

void time_init(void)
{
    uint64_t tsc_hz, lapic_hz;
    struct clocks c, next;

    /* Of several measurements, the one whose ends are known best. */
    measure(&c);
    for (int i = 1; i < CALIBRATION_TRIES; i++) {
        measure(&next);
        if (next.slack < c.slack)
            c = next;
    }
    tsc_hz = frequency(c.tsc, c.pit);
    lapic_hz = frequency(c.lapic, c.pit);
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
