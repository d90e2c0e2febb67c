/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypervisor's command line: words, "name" or "name=value".  The file that
 * wants an option registers it; an unknown or malformed one is reported on
 * the console and ignored.
 */

#ifndef CORE_OPTIONS_H
#define CORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/compiler.h"

struct boot_option {
    const char *name;
    const char *help;
    bool *flag;       /* set by "name", "name=on/off"; or NULL */
    uint64_t *number; /* set by "name=N", with suffix K, M or G; or NULL */
};

#define BOOT_OPTION(var, name_, help_, flag_, number_)                         \
    static const struct boot_option boot_option_##var __element(               \
        ".boot_options", struct boot_option) = {(name_), (help_), (flag_),     \
                                                (number_)}

void options_parse(const char *command_line);

#endif /* CORE_OPTIONS_H */
