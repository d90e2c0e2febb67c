/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What any file may register, in tables that the linker gathers: options of the
 * command line, and debug keys.  The core room reads them.
 */

#pragma once

/*
 * The hypervisor's command line: words, "name" or "name=value".  The file that
 * wants an option registers it; an unknown or malformed one is reported on
 * the console, and Cairn does not start: a typing error in one that protects
 * must not go unnoticed.
 */

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

/*
 * Debug keys on the machine's console.  The file that owns the data registers
 * its key; '?' lists them.
 */
struct debug_key {
    char key;
    const char *help; /* "d  domains and their vCPUs" without the key */
    void (*print)(void);
};

/* Placed by the linker into one table. */
#define DEBUG_KEY(key_, help_, print_)                                         \
    static const struct debug_key debug_key_##print_ __element(                \
        ".debug_keys", struct debug_key) = {(key_), (help_), (print_)}

/* Run @key's function; says so when there is none. */
void debug_key_press(char key);
