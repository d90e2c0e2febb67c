/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 and its many descendants, in CMOS memory. */

#include "core/rtc.h"

#include <stdbool.h>

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/port.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define RTC_SECOND   0x00
#define RTC_MINUTE   0x02
#define RTC_HOUR     0x04
#define RTC_DAY      0x07
#define RTC_MONTH    0x08
#define RTC_YEAR     0x09
#define RTC_STATUS_A 0x0a
#define RTC_STATUS_B 0x0b
#define RTC_CENTURY  0x32

#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOUR_PM           0x80
#define HOUR_MASK         0x7f

/* An update takes 2 ms at most; a port read about 1 us. */
#define WAIT_READS 10000
#define READ_TRIES 5

static uint8_t cmos_read(uint8_t index)
{
    port_write8(CMOS_INDEX, index);
    return port_read8(CMOS_DATA);
}

static void wait_update(void)
{
    for (int i = 0; i < WAIT_READS; i++) {
        if (!(cmos_read(RTC_STATUS_A) & STATUS_A_UPDATING))
            return;
        cpu_relax();
    }
}

static unsigned int decode(uint8_t value, uint8_t status)
{
    return status & STATUS_B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static void read_date(struct rtc_date *d)
{
    uint8_t status = cmos_read(RTC_STATUS_B), hour;
    unsigned int century;

    wait_update();
    d->second = decode(cmos_read(RTC_SECOND), status);
    d->minute = decode(cmos_read(RTC_MINUTE), status);
    hour = cmos_read(RTC_HOUR);
    d->hour = decode(hour & HOUR_MASK, status);
    if (!(status & STATUS_B_24_HOURS))
        d->hour = d->hour % 12 + (hour & HOUR_PM ? 12 : 0);
    d->day = decode(cmos_read(RTC_DAY), status);
    d->month = decode(cmos_read(RTC_MONTH), status);
    century = decode(cmos_read(RTC_CENTURY), status);
    if (century < 19 || century > 99)
        century = 20;
    d->year = century * 100 + decode(cmos_read(RTC_YEAR), status);
}

static bool same_date(const struct rtc_date *a, const struct rtc_date *b)
{
    return a->second == b->second && a->minute == b->minute &&
           a->hour == b->hour && a->day == b->day && a->month == b->month &&
           a->year == b->year;
}

uint64_t rtc_read(void)
{
    struct rtc_date now, again;

    /* Twice the same: no update came in between. */
    read_date(&now);
    for (int i = 0; i < READ_TRIES; i++) {
        read_date(&again);
        if (same_date(&now, &again))
            return rtc_seconds(&now);
        now = again;
    }
    return 0;
}

uint64_t rtc_seconds(const struct rtc_date *d)
{
    static const uint16_t days_before[] = {0,   31,  59,  90,  120, 151,
                                           181, 212, 243, 273, 304, 334};
    uint64_t days, leaps;

    if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12 ||
        d->day < 1 || d->day > 31 || d->hour > 23 || d->minute > 59 ||
        d->second > 60)
        return 0;
    /* Leap days before this year, and this year's if it is past February. */
    leaps = d->year - (d->month <= 2);
    leaps = leaps / 4 - leaps / 100 + leaps / 400;
    days = (d->year - 1970) * 365UL + leaps - 477 /* up to 1969 */ +
           days_before[d->month - 1] + d->day - 1;
    return ((days * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}
