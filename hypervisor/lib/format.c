/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatting of text, for the log and for what domains read. */

#include "lib/format.h"

/* Where text goes: counted to the end, stored while there is room. */
struct sink {
    char *buffer;
    size_t size, length;
};

/* What stands between a % and its letter. */
struct spec {
    bool alternate, is_long;
    char fill;
    size_t width, precision;
};

static void put(struct sink *s, char c)
{
    if (s->length + 1 < s->size)
        s->buffer[s->length] = c;
    s->length++;
}

static void put_fill(struct sink *s, char c, size_t width, size_t used)
{
    for (; used < width; used++)
        put(s, c);
}

static void put_text(struct sink *s, const struct spec *spec, const char *text)
{
    size_t n;

    if (!text)
        text = "(null)";
    n = strnlen(text, spec->precision);
    put_fill(s, ' ', spec->width, n);
    for (size_t i = 0; i < n; i++)
        put(s, text[i]);
}

static void put_number(struct sink *s, const struct spec *spec, uint64_t value,
                       const char *prefix, unsigned int base)
{
    char text[20]; /* The longest is decimal; last digit first. */
    size_t n = 0, used;

    do
        text[n++] = "0123456789abcdef"[value % base];
    while (value /= base);
    used = n + strlen(prefix);
    if (spec->fill == ' ')
        put_fill(s, ' ', spec->width, used);
    while (*prefix)
        put(s, *prefix++);
    if (spec->fill == '0')
        put_fill(s, '0', spec->width, used);
    while (n)
        put(s, text[--n]);
}

static const char *parse_spec(const char *fmt, struct spec *spec, va_list *args)
{
    *spec = (struct spec){.fill = ' ', .precision = SIZE_MAX};
    for (; *fmt == '0' || *fmt == '#'; fmt++) {
        spec->alternate |= *fmt == '#';
        spec->fill = *fmt == '0' ? '0' : spec->fill;
    }
    for (; *fmt >= '0' && *fmt <= '9'; fmt++)
        spec->width = spec->width * 10 + (size_t)(*fmt - '0');
    if (fmt[0] == '.' && fmt[1] == '*') {
        spec->precision = (size_t)va_arg(*args, int);
        fmt += 2;
    }
    for (; *fmt == 'l' || *fmt == 'z'; fmt++)
        spec->is_long = true;
    return fmt;
}

/* One conversion, @fmt just behind its %; returns what follows it. */
static const char *convert(struct sink *s, const char *fmt, va_list *args)
{
    struct spec spec;
    uint64_t value;

    fmt = parse_spec(fmt, &spec, args);
    switch (*fmt) {
    case 'd':
        value = spec.is_long ? va_arg(*args, uint64_t)
                             : (uint64_t)(int64_t)va_arg(*args, int);
        if ((int64_t)value < 0)
            put_number(s, &spec, -value, "-", 10);
        else
            put_number(s, &spec, value, "", 10);
        break;
    case 'u':
    case 'x':
        value = spec.is_long ? va_arg(*args, uint64_t)
                             : va_arg(*args, unsigned int);
        put_number(s, &spec, value, spec.alternate && value ? "0x" : "",
                   *fmt == 'u' ? 10 : 16);
        break;
    case 'p':
        put_number(s, &spec, (uintptr_t)va_arg(*args, void *), "0x", 16);
        break;
    case 's':
        put_text(s, &spec, va_arg(*args, const char *));
        break;
    case 'c':
        put(s, (char)va_arg(*args, int));
        break;
    case '\0':
        return fmt;
    default: /* Shown as it stands: an unknown argument cannot be skipped. */
        put(s, '%');
        /* fall through */
    case '%':
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
