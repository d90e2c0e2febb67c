/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's command line: words, "name" or "name=value".  The file that
 * wants an option registers it; an unknown or malformed one is reported on
 * the console, and Cairn does not start: a typing error in one that protects
 * must not go unnoticed.
 */

#pragma once

/* A part of the command line: it does not end by a NUL. */
struct text {
    const char *at;
    size_t bytes;
};

static inline bool text_is(struct text text, const char *want)
{
    return strlen(want) == text.bytes && !memcmp(text.at, want, text.bytes);
}

struct boot_option {
    const char *name;
    const char *help;
    bool *flag;       /* set by "name", "name=on/off"; or NULL */
    uint64_t *number; /* set by "name=N", with suffix K, M or G; or NULL */

    /* What is behind '='; false: it makes no sense.  Or NULL. */
    bool (*parse)(struct text text);
};

#define BOOT_OPTION_(var, ...)                                                 \
    static const struct boot_option boot_option_##var __element(               \
        ".boot_options", struct boot_option) = {__VA_ARGS__}
#define BOOT_OPTION(var, name, help, flag, number)                             \
    BOOT_OPTION_(var, (name), (help), (flag), (number), NULL)
#define BOOT_OPTION_PARSED(var, name, help, parse)                             \
    BOOT_OPTION_(var, (name), (help), NULL, NULL, (parse))

/* All words are read and each wrong one is reported; false: there was one. */
bool options_parse(const char *command_line);
