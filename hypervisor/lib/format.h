/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Formatting, with what Cairn itself writes: %d %u %x %p %s %c %%, a width with
 * the flags 0 and #, %.*s, and the lengths l, ll and z.
 */

#pragma once

#include <stdarg.h>

/* As C's vsnprintf: the length the whole text needs, at most size - 1 written.
 */
int vsnprintf(char *buffer, size_t size, const char *fmt, va_list args)
    __printf(3, 0);
int snprintf(char *buffer, size_t size, const char *fmt, ...) __printf(3, 4);
