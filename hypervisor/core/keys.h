/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debug keys on the machine's console.  The file that owns the data registers
 * its key; '?' lists them.
 */

#pragma once

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
