/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's own table of exception handlers, in groups made when needed. */

#include "pv/traps.h"

#include "domain/pv_vcpu.h"
#include "memory/frame.h"

int trap_set(struct vcpu *v, uint8_t vector, uint8_t flags, uint64_t address)
{
    struct trap_entry **group = &v->traps[vector / TRAP_GROUP];
    struct trap_entry trap = {address, flags};

    if (!is_canonical(address))
        return -EINVAL;
    if (v->pv && vector == VECTOR_PF) {
        v->pv->page_fault = trap;
        return 0;
    }
    if (*group == trap_none) {
        struct trap_entry *made = pool_alloc(sizeof(trap_none));

        if (!made)
            return -ENOMEM;
        *group = made;
    }
    (*group)[vector % TRAP_GROUP] = trap;
    return 0;
}

void trap_clear_all(struct vcpu *v)
{
    if (v->pv)
        v->pv->page_fault.address = 0;
    for (unsigned int i = 0; i < TRAP_GROUPS; i++)
        if (v->traps[i] != trap_none)
            memset(v->traps[i], 0, sizeof(trap_none));
}
