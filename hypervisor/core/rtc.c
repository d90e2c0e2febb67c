/* SPDX-License-Identifier: BSD-2-Clause */
/* The MC146818 and its many descendants, in CMOS memory. */

#include "core/time.h"

#include "arch/x86_64/cpu.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA  0x71

#define RTC_STATUS_A 0x0a

#define STATUS_A_UPDATING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOUR_PM           0x80
#define HOUR_MASK         0x7f

/* An update takes 2 ms at most; a port read about 1 us. */
#define WAIT_READS 10000
#define READ_TRIES 5

/* From March 1st of the year 0. */
#define DAYS_TO_1970 719468

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

/* In the order of enum: what is read, as it is. */
enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, CENTURY, STATUS_B, BYTES };

static void read_bytes(uint8_t *bytes)
{
    static const uint8_t index[BYTES] = {0, 2, 4, 7, 8, 9, 0x32, 0x0b};

    wait_update();
    for (int i = 0; i < BYTES; i++)
        bytes[i] = cmos_read(index[i]);
}

static uint64_t seconds_of(const uint8_t *bytes)
{
    unsigned int value[BYTES];

    for (int i = 0; i < BYTES; i++)
        value[i] = decode(i == HOUR ? bytes[i] & HOUR_MASK : bytes[i],
                          bytes[STATUS_B]);
    if (!(bytes[STATUS_B] & STATUS_B_24_HOURS))
        value[HOUR] = value[HOUR] % 12 + (bytes[HOUR] & HOUR_PM ? 12 : 0);
    if (value[CENTURY] < 19 || value[CENTURY] > 99)
        value[CENTURY] = 20;
    return rtc_seconds(&(struct rtc_date){value[CENTURY] * 100 + value[YEAR],
                                          value[MONTH], value[DAY], value[HOUR],
                                          value[MINUTE], value[SECOND]});
}

uint64_t rtc_read(void)
{
    uint8_t now[BYTES], again[BYTES];

    /* Twice the same: no update came in between. */
    read_bytes(now);
    for (int i = 0; i < READ_TRIES; i++) {
        read_bytes(again);
        if (!memcmp(now, again, BYTES))
            return seconds_of(now);
        memcpy(now, again, BYTES);
    }
    return 0;
}

uint64_t rtc_seconds(const struct rtc_date *d)
{
    /* A year from March on, so that a leap day is its last. */
    uint64_t year = d->year - (d->month <= 2), month = (d->month + 9) % 12;
    uint64_t days = year * 365 + year / 4 - year / 100 + year / 400 +
                    (month * 306 + 5) / 10 + d->day - 1;

    if (d->year < 1970 || d->year > 9999 || d->month < 1 || d->month > 12 ||
        d->day < 1 || d->day > 31 || d->hour > 23 || d->minute > 59 ||
        d->second > 60)
        return 0;
    days -= DAYS_TO_1970;
    return ((days * 24 + d->hour) * 60 + d->minute) * 60 + d->second;
}
