/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot modules behind the first, as the initial domain finds them. */

#ifndef CONTROL_MODULE_H
#define CONTROL_MODULE_H

#include <stdint.h>

#include <abi/control.h>

#include "lib/compiler.h"
#include "lib/frame_number.h"

/* At start-up: the next module lies at @g; @string stays where it is. */
void module_add(gfn_t g, uint64_t bytes, const char *string);

/* NULL: no such module. */
struct module {
    gfn_t gfn;
    uint64_t bytes;
    const char *string;
};
const struct module *module_find(uint32_t index);

#endif /* CONTROL_MODULE_H */
