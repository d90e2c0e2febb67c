/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting of text, for the log and for what domains read. */

#include "lib/format.h"

#include <stdbool.h>
#include <stdint.h>

#include "lib/string.h"

/* Where text goes: counted to the end, stored while there is room. */
struct sink {
    char *buffer;
    size_t size, length;
};

struct spec {
    bool zero, left, alternate, upper, is_signed;
    int width, precision; /* -1: none */
    unsigned int base;
};

static void put(struct sink *s, char c)
{
    if (s->length + 1 < s->size)
        s->buffer[s->length] = c;
    s->length++;
}

static void put_times(struct sink *s, char c, int times)
{
    while (times-- > 0)
        put(s, c);
}

static void put_text(struct sink *s, const struct spec *spec, const char *text)
{
    size_t max = spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision;
    size_t n;
    int pad;

    if (!text)
        text = "(null)";
    n = strnlen(text, max);
    pad = spec->width - (int)n;
    if (!spec->left)
        put_times(s, ' ', pad);
    for (size_t i = 0; i < n; i++)
        put(s, text[i]);
    if (spec->left)
        put_times(s, ' ', pad);
}

static void put_number(struct sink *s, const struct spec *spec, uint64_t value)
{
    const char *digits = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
    bool negative = spec->is_signed && (int64_t)value < 0;
    char text[24]; /* The longest is 20 decimal digits, last one first. */
    const char *prefix = "";
    int n = 0, zeros, pad;

    if (negative)
        value = -value;
    if (spec->alternate && value && spec->base == 16)
        prefix = spec->upper ? "0X" : "0x";
    for (; value; value /= spec->base)
        text[n++] = digits[value % spec->base];
    if (!n && spec->precision)
        text[n++] = '0';

    zeros = spec->precision - n;
    if (zeros < 0)
        zeros = 0;
    pad = spec->width - n - zeros - negative - (int)strlen(prefix);
    if (spec->zero && !spec->left && spec->precision < 0 && pad > 0) {
        zeros = pad;
        pad = 0;
    }
    if (!spec->left)
        put_times(s, ' ', pad);
    if (negative)
        put(s, '-');
    while (*prefix)
        put(s, *prefix++);
    put_times(s, '0', zeros);
    while (n)
        put(s, text[--n]);
    if (spec->left)
        put_times(s, ' ', pad);
}

static const char *parse_flags(const char *fmt, struct spec *spec)
{
    for (;; fmt++) {
        if (*fmt == '0')
            spec->zero = true;
        else if (*fmt == '-')
            spec->left = true;
        else if (*fmt == '#')
            spec->alternate = true;
        else
            return fmt;
    }
}

/* A number; or *, which takes one from the arguments. */
static const char *parse_count(const char *fmt, int *count, va_list *args)
{
    if (*fmt == '*') {
        *count = va_arg(*args, int);
        return fmt + 1;
    }
    for (*count = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
        if (*count < 10000) /* longer than any text of ours */
            *count = *count * 10 + (*fmt - '0');
    return fmt;
}

/* The argument in its size in bytes: 1, 2, 4 or 8. */
static uint64_t number_argument(va_list *args, int bytes, bool is_signed)
{
    uint64_t value = bytes == 8 ? va_arg(*args, uint64_t)
                                : (uint64_t)va_arg(*args, unsigned int);
    int unused = 64 - bytes * 8;

    value <<= unused;
    return is_signed ? (uint64_t)((int64_t)value >> unused) : value >> unused;
}

static const char *parse_length(const char *fmt, int *bytes)
{
    *bytes = 4;
    if (fmt[0] == 'h') {
        *bytes = fmt[1] == 'h' ? 1 : 2;
        return fmt + (fmt[1] == 'h' ? 2 : 1);
    }
    if (fmt[0] == 'l' || fmt[0] == 'z' || fmt[0] == 't') {
        *bytes = 8;
        return fmt + (fmt[0] == 'l' && fmt[1] == 'l' ? 2 : 1);
    }
    return fmt;
}

/* One conversion, @fmt just behind its %; returns what follows it. */
static const char *convert(struct sink *s, const char *fmt, va_list *args)
{
    struct spec spec = {.precision = -1, .base = 10};
    char character[2] = "";
    int bytes;

    fmt = parse_flags(fmt, &spec);
    fmt = parse_count(fmt, &spec.width, args);
    if (spec.width < 0) {
        spec.left = true;
        spec.width = -spec.width;
    }
    if (*fmt == '.')
        fmt = parse_count(fmt + 1, &spec.precision, args);
    fmt = parse_length(fmt, &bytes);

    switch (*fmt) {
    case 'd':
    case 'i':
        spec.is_signed = true;
        put_number(s, &spec, number_argument(args, bytes, true));
        break;
    case 'u':
        put_number(s, &spec, number_argument(args, bytes, false));
        break;
    case 'X':
        spec.upper = true;
        /* fall through */
    case 'x':
        spec.base = 16;
        put_number(s, &spec, number_argument(args, bytes, false));
        break;
    case 'p':
        spec.base = 16;
        spec.alternate = true;
        put_number(s, &spec, (uintptr_t)va_arg(*args, void *));
        break;
    case 's':
        put_text(s, &spec, va_arg(*args, const char *));
        break;
    case 'c':
        character[0] = (char)va_arg(*args, int);
        spec.precision = -1;
        put_text(s, &spec, character);
        break;
    case '%':
        put(s, '%');
        break;
    case '\0':
        return fmt;
    default: /* Shown as it stands: an unknown argument cannot be skipped. */
        put(s, '%');
        put(s, *fmt);
        break;
    }
    return fmt + 1;
}

int vsnprintf(char *buffer, size_t size, const char *fmt, va_list args)
{
    struct sink s = {.buffer = buffer, .size = size};
    va_list list;

    va_copy(list, args);
    while (*fmt) {
        if (*fmt == '%')
            fmt = convert(&s, fmt + 1, &list);
        else
            put(&s, *fmt++);
    }
    va_end(list);
    if (size)
        buffer[s.length < size ? s.length : size - 1] = '\0';
    return (int)s.length;
}

int snprintf(char *buffer, size_t size, const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vsnprintf(buffer, size, fmt, args);
    va_end(args);
    return length;
}
