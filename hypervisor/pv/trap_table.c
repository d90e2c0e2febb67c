/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's own table of exception handlers, in groups made when needed. */

#include "pv/trap_table.h"

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/entry.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pool.h"

#define GROUP_BYTES (TRAP_GROUP * sizeof(struct trap_entry))

int trap_set(struct vcpu *v, uint8_t vector, uint8_t flags, uint64_t address)
{
    struct trap_entry **group = &v->traps[vector / TRAP_GROUP];

    if (!is_canonical(address))
        return -EINVAL;
    if (!*group)
        *group = pool_alloc(GROUP_BYTES);
    if (!*group)
        return -ENOMEM;
    (*group)[vector % TRAP_GROUP] = (struct trap_entry){address, flags};
    return 0;
}

void trap_clear_all(struct vcpu *v)
{
    for (unsigned int i = 0; i < TRAP_GROUPS; i++)
        if (v->traps[i])
            memset(v->traps[i], 0, GROUP_BYTES);
}

const char *trap_name(uint8_t vector)
{
    const char *name = exception_name(vector);

    return name ? name : "software interrupt";
}
