/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: a ring of bytes, and the console.  Positions count bytes since
 * boot, so that a reader finds out by itself what it has missed.
 */

#include "core/console.h"
#include "core/lock.h"
#include "core/time.h"
#include "core/upcalls.h"
#include "lib/format.h"

#define LOG_RING_SIZE 0x10000U /* a power of two */
#define LOG_LINE_MAX  256

/* What guests provoke: so many lines at once, and so many a second. */
#define GUEST_BURST_NS (20 * GUEST_LINE_NS)
#define GUEST_LINE_NS  100000000UL

static char ring[LOG_RING_SIZE];
static uint64_t ring_end; /* position of the next byte */
static struct spinlock log_lock = SPINLOCK_INIT(LOCK_log);

static uint64_t guest_lines_paid_until = -GUEST_BURST_NS;
static unsigned int suppressed;

#ifdef NDEBUG
static uint64_t log_level = LOG_GUEST;
#else
static uint64_t log_level = LOG_DEBUG;
#endif
BOOT_OPTION(loglevel, "loglevel",
            "0 errors, 1 warnings, 2 information, 3 about guests, 4 all", NULL,
            &log_level);

static void write_line(const char *line, size_t size) __must_hold(log_lock)
{
    for (size_t i = 0; i < size; i++)
        ring[ring_end++ % LOG_RING_SIZE] = line[i];
    console_write(line, size);
}

static size_t __printf(3, 0)
    format_line(char *line, enum log_level level, const char *fmt, va_list args)
{
    uint64_t us = time_now() / 1000;
    size_t at = (size_t)snprintf(line, LOG_LINE_MAX, "[%5lu.%06lu] %s",
                                 us / 1000000, us % 1000000,
                                 level == LOG_ERROR     ? "error: "
                                 : level == LOG_WARNING ? "warning: "
                                                        : "");

    at += (size_t)vsnprintf(line + at, LOG_LINE_MAX - at, fmt, args);
    at = MIN(at, LOG_LINE_MAX - 2); /* It may have been cut. */
    line[at++] = '\n';
    return at;
}

/* The line that says how many are missing, when lines flow again. */
static void write_suppressed(void) __must_hold(log_lock)
{
    char line[64];
    int size;

    if (!suppressed)
        return;
    size = snprintf(line, sizeof(line), "(%u lines about guests left out)\n",
                    suppressed);
    suppressed = 0;
    write_line(line, (size_t)size);
}

void log_line(enum log_level level, const char *fmt, ...)
{
    char line[LOG_LINE_MAX];
    va_list args;
    size_t size;

    if (level > log_level)
        return;
    spin_lock(&log_lock); /* Lines stand in the order of their times. */
    va_start(args, fmt);
    size = format_line(line, level, fmt, args);
    va_end(args);
    if (level != LOG_GUEST ||
        time_pays(&guest_lines_paid_until, GUEST_LINE_NS, GUEST_BURST_NS)) {
        write_suppressed();
        write_line(line, size);
    } else {
        suppressed++;
    }
    spin_unlock(&log_lock);
    upcall_log_grew();
}

size_t log_read(uint64_t *position, char *buffer, size_t size)
{
    size_t count = 0;

    SPIN_GUARD(&log_lock);
    if (ring_end > LOG_RING_SIZE && *position < ring_end - LOG_RING_SIZE)
        *position = ring_end - LOG_RING_SIZE;
    *position = MIN(*position, ring_end);
    while (count < size && *position < ring_end)
        buffer[count++] = ring[(*position)++ % LOG_RING_SIZE];
    return count;
}
