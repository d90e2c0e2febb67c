/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting: %d %i %u %x %X %p %s %c %% with flags 0 - #, width, .precision,
 * and the lengths hh h l ll z t. */

#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

#include "lib/compiler.h"

/* As C's vsnprintf: the length the whole text needs, at most size - 1 written.
 */
int vsnprintf(char *buffer, size_t size, const char *fmt, va_list args)
    __printf(3, 0);
int snprintf(char *buffer, size_t size, const char *fmt, ...) __printf(3, 4);

#endif /* LIB_FORMAT_H */
