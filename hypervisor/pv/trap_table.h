/* SPDX-License-Identifier: BSD-2-Clause */
/* A vCPU's own table of exception handlers. */

#pragma once

#include "domain/vcpu.h"

/*
 * NULL: no handler.  That of #PF in class pv is pv_vcpu.page_fault, and this
 * says none: so the short way of class light ends where it looks anyway.
 */
static inline const struct trap_entry *trap_get(const struct vcpu *v,
                                                uint8_t vector)
{
    const struct trap_entry *trap =
        &v->traps[vector / TRAP_GROUP][vector % TRAP_GROUP];

    return likely(trap->address) ? trap : NULL;
}

/* -ENOMEM; -EINVAL: @address is not canonical. */
int __must_check trap_set(struct vcpu *v, uint8_t vector, uint8_t flags,
                          uint64_t address);
void trap_clear_all(struct vcpu *v);
