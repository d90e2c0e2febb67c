/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot modules behind the first. */

#include "control/control.h"

/* As many as boot/boot_info.h keeps. */
#define MODULES_MAX 64U

static struct {
    gfn_t gfn;
    uint64_t bytes;
    const char *string;
} modules[MODULES_MAX];
static uint32_t module_count;

void module_add(gfn_t g, uint64_t bytes, const char *string)
{
    if (module_count == MODULES_MAX)
        panic("more than %u boot modules", MODULES_MAX);
    modules[module_count].gfn = g;
    modules[module_count].bytes = bytes;
    modules[module_count++].string = string;
}

int control_module(struct control_module *op)
{
    uint64_t n = index_nospec(op->index, MODULES_MAX);
    char string[CONTROL_MODULE_STRING] = {0};

    if (op->index >= module_count)
        return -ENOENT;
    string_copy(string, modules[n].string, sizeof(string));
    if (copy_to_guest(guest_ptr(op->string), string, sizeof(string)))
        return -EFAULT;
    op->gfn = (uint32_t)modules[n].gfn.raw;
    op->bytes = modules[n].bytes;
    return 0;
}
