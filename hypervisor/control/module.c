/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot modules behind the first. */

#include "control/module.h"

#include "arch/x86_64/nospec.h"
#include "core/panic.h"

/* As many as boot/boot_info.h keeps. */
#define MODULES_MAX 64U

static struct module modules[MODULES_MAX];
static uint32_t module_count;

void module_add(gfn_t g, uint64_t bytes, const char *string)
{
    if (module_count == MODULES_MAX)
        panic("more than %u boot modules", MODULES_MAX);
    modules[module_count++] = (struct module){g, bytes, string};
}

const struct module *module_find(uint32_t index)
{
    if (index >= module_count)
        return NULL;
    return &modules[index_nospec(index, module_count)];
}
