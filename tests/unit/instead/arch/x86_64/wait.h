/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor's wait.h says, as far as tests go through it.  A CPU that
 * waits is a thread here, and there may be fewer processors.
 */

#pragma once

int sched_yield(void);

static inline void cpu_relax(void)
{
    (void)sched_yield();
}

static inline void __noreturn cpu_halt(void)
{
    __builtin_trap();
}
