/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every room may say, and how each may end the run.  The core room makes
 * both, as it makes assert_failed().
 *
 * The log takes whole lines, to the console and into a ring that can be read
 * later (control_op log_read).
 */

#pragma once

enum log_level {
    LOG_ERROR,   /* the machine or Cairn is broken */
    LOG_WARNING, /* works, but somebody should look */
    LOG_INFO,    /* an operator wants to know */
    LOG_GUEST,   /* provoked by a guest: limited in rate */
    LOG_DEBUG,   /* for us */
};

/* A line (without its newline). */
void log_line(enum log_level level, const char *fmt, ...) __printf(2, 3);

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_guest(...)   log_line(LOG_GUEST, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * Copy at most @size bytes of the log from *@position on, moving it up to
 * the oldest byte held first, and then past what was copied.
 */
size_t log_read(uint64_t *position, char *buffer, size_t size);

/*
 * The end: the hypervisor's own invariant is broken and going on could leak
 * or corrupt.  Prints the reason, registers and a symbolised backtrace on the
 * console, then halts or reboots as the option noreboot says.
 */
void __noreturn panic(const char *fmt, ...) __printf(1, 2);
