/* SPDX-License-Identifier: BSD-2-Clause */
/* Printing without a C library's stdio: to the hypervisor's console. */

#ifndef FRAMEWORK_PRINT_H
#define FRAMEWORK_PRINT_H

#include <stdarg.h>
#include <stddef.h>

/* %s %c %d %u %x with l for 64 bits, %%.  Whole lines are written at once. */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void print_list(const char *format, va_list list);

/* Where finished lines go; NULL: the hypervisor's console. */
extern void (*print_sink)(const char *text, size_t size);

#endif /* FRAMEWORK_PRINT_H */
