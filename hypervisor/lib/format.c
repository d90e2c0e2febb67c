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

/* @prefix and the @n bytes at @text, filled up to the width. */
static void put_field(struct sink *s, const struct spec *spec,
                      const char *prefix, const char *text, size_t n)
{
    size_t used = strlen(prefix) + n;

    for (; spec->fill == ' ' && used < spec->width; used++)
        put(s, ' ');
    while (*prefix)
        put(s, *prefix++);
    for (; used < spec->width; used++)
        put(s, '0');
    while (n--)
        put(s, *text++);
}

static void put_number(struct sink *s, const struct spec *spec,
                       const char *prefix, uint64_t value, unsigned int base)
{
    char text[20]; /* The longest is decimal. */
    size_t at = sizeof(text);

    do
        text[--at] = "0123456789abcdef"[value % base];
    while (value /= base);
    put_field(s, spec, prefix, text + at, sizeof(text) - at);
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
    const char *text;
    uint64_t value;

    fmt = parse_spec(fmt, &spec, args);
    switch (*fmt) {
    case 'd':
        value = spec.is_long ? va_arg(*args, uint64_t)
                             : (uint64_t)(int64_t)va_arg(*args, int);
        if ((int64_t)value < 0)
            put_number(s, &spec, "-", -value, 10);
        else
            put_number(s, &spec, "", value, 10);
        break;
    case 'p':
        spec.alternate = spec.is_long = true;
        /* fall through */
    case 'u':
    case 'x':
        value = spec.is_long ? va_arg(*args, uint64_t)
                             : va_arg(*args, unsigned int);
        put_number(s, &spec, spec.alternate && value ? "0x" : "", value,
                   *fmt == 'u' ? 10 : 16);
        break;
    case 's':
        text = va_arg(*args, const char *) ?: "(null)";
        put_field(s, &spec, "", text, strnlen(text, spec.precision));
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
