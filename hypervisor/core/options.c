/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsing the command line.  The boot loader's text is trusted to be meant
 * well, not to be right: what is wrong is said, and the rest still counts.
 */

#include "core/options.h"

#include <stddef.h>

#include "core/log.h"
#include "lib/string.h"

extern const struct boot_option boot_options_start[], boot_options_end[];

/* A word of the command line: the text before and behind its first '='. */
struct word {
    const char *name, *value; /* value: NULL without '=' */
    size_t name_bytes, value_bytes;
};

static bool text_is(const char *text, size_t bytes, const char *want)
{
    return strlen(want) == bytes && !memcmp(text, want, bytes);
}

/* Decimal or 0x..., then at most one of K, M and G. */
static bool parse_number(const char *text, size_t bytes, uint64_t *number)
{
    unsigned int base = 10, shift = 0;
    uint64_t value = 0;

    if (bytes > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text += 2;
        bytes -= 2;
    }
    if (bytes) {
        char unit = text[bytes - 1];

        shift = unit == 'K' ? 10 : unit == 'M' ? 20 : unit == 'G' ? 30 : 0;
        if (shift)
            bytes--;
    }
    if (!bytes)
        return false;
    for (size_t i = 0; i < bytes; i++) {
        char c = (char)(text[i] | 0x20);
        unsigned int digit = c >= 'a' && c <= 'f'
                                 ? (unsigned int)(c - 'a' + 10)
                                 : (unsigned int)(text[i] - '0');

        if (digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return false;
    }
    if (value << shift >> shift != value)
        return false;
    *number = value << shift;
    return true;
}

static bool parse_flag(const struct word *w, bool *flag)
{
    if (!w->value || text_is(w->value, w->value_bytes, "on") ||
        text_is(w->value, w->value_bytes, "yes"))
        *flag = true;
    else if (text_is(w->value, w->value_bytes, "off") ||
             text_is(w->value, w->value_bytes, "no"))
        *flag = false;
    else
        return false;
    return true;
}

static void apply(const struct word *w)
{
    for (const struct boot_option *o = boot_options_start; o < boot_options_end;
         o++) {
        bool ok = true;

        if (!text_is(w->name, w->name_bytes, o->name))
            continue;
        if (o->flag)
            ok = parse_flag(w, o->flag);
        else if (o->parse)
            ok = w->value && o->parse(w->value, w->value_bytes);
        else if (o->number)
            ok = w->value && parse_number(w->value, w->value_bytes, o->number);
        if (!ok)
            log_warning("option %s: it means \"%s\"; \"%.*s\" is ignored",
                        o->name, o->help, (int)w->value_bytes,
                        w->value ? w->value : "");
        return;
    }
    log_warning("unknown option \"%.*s\" is ignored", (int)w->name_bytes,
                w->name);
}

static const char *next_word(const char *text, struct word *w)
{
    while (*text == ' ' || *text == '\t')
        text++;
    *w = (struct word){.name = text};
    for (; *text && *text != ' ' && *text != '\t'; text++) {
        if (*text == '=' && !w->value)
            w->value = text + 1;
        else if (w->value)
            w->value_bytes++;
        else
            w->name_bytes++;
    }
    return text;
}

void options_parse(const char *command_line)
{
    struct word w;

    for (;;) {
        command_line = next_word(command_line, &w);
        if (!w.name_bytes && !w.value)
            return;
        apply(&w);
    }
}
