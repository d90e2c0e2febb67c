/* SPDX-License-Identifier: BSD-2-Clause */
/* Printing: see print.h. */

#include "framework/print.h"

#include <stdbool.h>
#include <stdint.h>

#include <rt/hypercall.h>

#define LINE_BYTES 1024U

void (*print_sink)(const char *text, size_t size);

static char line[LINE_BYTES];
static size_t used;

static void flush(void)
{
    if (print_sink)
        print_sink(line, used);
    else
        hypercall_console_io(CONSOLEIO_write, (unsigned int)used, line);
    used = 0;
}

static void put(char c)
{
    line[used++] = c;
    if (c == '\n' || used == sizeof(line))
        flush();
}

static void put_text(const char *text)
{
    while (*text)
        put(*text++);
}

static void put_number(uint64_t value, unsigned int base)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    while (count > 0)
        put(digits[--count]);
}

static void put_signed(int64_t value)
{
    if (value < 0) {
        put('-');
        put_number(-(uint64_t)value, 10);
        return;
    }
    put_number((uint64_t)value, 10);
}

static void put_argument(char kind, bool is_long, va_list list)
{
    switch (kind) {
    case 's':
        put_text(va_arg(list, const char *));
        break;
    case 'c':
        put((char)va_arg(list, int));
        break;
    case 'd':
        put_signed(is_long ? va_arg(list, long) : va_arg(list, int));
        break;
    case 'u':
        put_number(is_long ? va_arg(list, unsigned long)
                           : va_arg(list, unsigned int),
                   10);
        break;
    case 'x':
        put_text("0x");
        put_number(is_long ? va_arg(list, unsigned long)
                           : va_arg(list, unsigned int),
                   16);
        break;
    default:
        put(kind);
        break;
    }
}

void print_list(const char *format, va_list list)
{
    va_list copy;

    va_copy(copy, list);
    for (; *format; format++) {
        bool is_long = false;

        if (*format != '%') {
            put(*format);
            continue;
        }
        format++;
        while (*format == 'l') {
            is_long = true;
            format++;
        }
        put_argument(*format, is_long, copy);
    }
    va_end(copy);
}

void print(const char *format, ...)
{
    va_list list;

    va_start(list, format);
    print_list(format, list);
    va_end(list);
}
