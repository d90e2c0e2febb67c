/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Boot modules: the files that came with the machine, kernels of guests and
 * configurations.  A module is named by the last part of its path.
 */

#ifndef DOMAIN_MODULES_H
#define DOMAIN_MODULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <abi/control.h>

struct module {
    char name[CONTROL_MODULE_STRING];
    const void *data;
    size_t size;
};

/* Module @index, from 0; false: there are not so many. */
bool module_get(uint32_t index, struct module *module);

bool module_find(const char *name, struct module *module);

/* Names of all of them, separated by ", ", for messages. */
void module_names(char *out, size_t room);

#endif /* DOMAIN_MODULES_H */
