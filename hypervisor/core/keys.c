/* SPDX-License-Identifier: BSD-2-Clause */
/* The debug keys, as the linker has gathered them. */

#include "core/keys.h"

#include "core/log.h"

extern const struct debug_key debug_keys_start[], debug_keys_end[];

static void print_help(void)
{
    for (const struct debug_key *k = debug_keys_start; k < debug_keys_end; k++)
        log_info("  %c  %s", k->key, k->help);
}
DEBUG_KEY('?', "this list", print_help);

void debug_key_press(char key)
{
    for (const struct debug_key *k = debug_keys_start; k < debug_keys_end; k++)
        if (k->key == key) {
            log_info("debug key %c: %s", key, k->help);
            k->print();
            return;
        }
    if (key > ' ' && key < 0x7f)
        log_info("no debug key %c; ? lists them", key);
}
