/* SPDX-License-Identifier: BSD-2-Clause */
/* Parsing the command line: words between blanks. */

extern const struct boot_option boot_options_start[], boot_options_end[];

static unsigned int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned int)(c - '0');
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? (unsigned int)(c - 'a' + 10) : 16;
}

/* Decimal or 0x..., then at most one of K, M and G. */
static bool parse_number(struct text text, uint64_t *number)
{
    unsigned int base = 10, shift = 0;
    const char *at = text.at, *end = at + text.bytes;
    uint64_t value = 0;

    if (text.bytes > 2 && at[0] == '0' && (at[1] | 0x20) == 'x') {
        base = 16;
        at += 2;
    }
    if (at < end) {
        shift = end[-1] == 'K' ? 10 : end[-1] == 'M' ? 20 : 0;
        shift = end[-1] == 'G' ? 30 : shift;
        end -= shift != 0;
    }
    if (at == end)
        return false;
    for (; at < end; at++)
        if (digit_of(*at) >= base ||
            __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit_of(*at), &value))
            return false;
    *number = value << shift;
    return *number >> shift == value;
}

/* @value.at is NULL where the word has no '='. */
static bool set(const struct boot_option *o, struct text value)
{
    uint64_t number;

    if (o->flag) {
        *o->flag = !value.at || text_is(value, "on") || text_is(value, "yes");
        return *o->flag || text_is(value, "off") || text_is(value, "no");
    }
    if (!value.at)
        return false;
    if (o->parse)
        return o->parse(value);
    if (!parse_number(value, &number))
        return false;
    *o->number = number;
    return true;
}

static bool apply(struct text name, struct text value)
{
    for (const struct boot_option *o = boot_options_start; o < boot_options_end;
         o++) {
        if (!text_is(name, o->name))
            continue;
        if (set(o, value))
            return true;
        log_error("option %s: it means \"%s\", which \"%.*s\" is not", o->name,
                  o->help, (int)value.bytes, value.at ? value.at : "");
        return false;
    }
    log_error("there is no option \"%.*s\"", (int)name.bytes, name.at);
    return false;
}

bool options_parse(const char *line)
{
    bool ok = true;

    for (;;) {
        struct text name, value = {0};

        while (*line == ' ' || *line == '\t')
            line++;
        if (!*line)
            return ok;
        for (name.at = line; *line && *line != ' ' && *line != '\t'; line++)
            if (*line == '=' && !value.at)
                value.at = line + 1;
        name.bytes = (size_t)((value.at ? value.at - 1 : line) - name.at);
        if (value.at)
            value.bytes = (size_t)(line - value.at);
        ok &= apply(name, value);
    }
}
