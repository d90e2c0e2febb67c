/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock that runs while the machine is off. */

#ifndef CORE_RTC_H
#define CORE_RTC_H

#include <stdint.h>

struct rtc_date {
    unsigned int year, month, day, hour, minute, second;
};

/* Seconds since 1970, taking the clock to hold UTC; 0 if it makes no sense. */
uint64_t rtc_read(void);

/* The same of a date; 0 for one that does not exist. */
uint64_t rtc_seconds(const struct rtc_date *date);

#endif /* CORE_RTC_H */
