/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot modules behind the first. */

#include "control/module.h"

#include "control/control.h"

struct boot_module boot_modules[BOOT_MODULES_MAX];
unsigned int boot_module_count;

int control_module(struct control_module *op)
{
    uint64_t n = op->index + 1UL;
    const struct boot_module *m =
        &boot_modules[index_nospec(n, BOOT_MODULES_MAX)];

    if (n >= boot_module_count || !m->gfn)
        return -ENOENT;
    if (copy_to_guest(guest_ptr(op->string), m->string, sizeof(m->string)))
        return -EFAULT;
    op->gfn = (uint32_t)m->gfn;
    op->bytes = m->bytes;
    return 0;
}
