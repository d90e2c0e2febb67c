/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's own table of exception handlers, in groups made when needed. */

#include "pv/traps.h"

#include "memory/frame.h"

int trap_set(struct vcpu *v, uint8_t vector, uint8_t flags, uint64_t address)
{
    struct trap_entry **group = &v->traps[vector / TRAP_GROUP];

    if (!is_canonical(address))
        return -EINVAL;
    if (*group == trap_none) {
        struct trap_entry *made = pool_alloc(sizeof(trap_none));

        if (!made)
            return -ENOMEM;
        *group = made;
    }
    (*group)[vector % TRAP_GROUP] = (struct trap_entry){address, flags};
    return 0;
}

void trap_clear_all(struct vcpu *v)
{
    for (unsigned int i = 0; i < TRAP_GROUPS; i++)
        if (v->traps[i] != trap_none)
            memset(v->traps[i], 0, sizeof(trap_none));
}
