/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving the CPU to whom the scheduler chose, or idling until there is one. */

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/entry.h"
#include "domain/context.h"
#include "domain/fault.h"
#include "domain/sched.h"
#include "domain/upcalls.h"
#include "domain/vcpu.h"
#include "lib/atomic.h"

static struct vcpu *choose_or_idle(void)
{
    struct vcpu *v;

    for (;;) {
        this_cpu(need_resched) = false;
        fault_wake_waiters();
        upcall_raise_late();
        v = sched_choose();
        if (v)
            return v;

        /* Interrupts, and the timers they run, come in here only. */
        while (!sched_steal() && !atomic_read(&this_cpu(need_resched)))
            cpu_idle();
    }
}

void schedule(void)
{
    while (this_cpu(need_resched)) {
        context_load(choose_or_idle());
        if (sched_evict())
            continue;
        sched_balance();
        vcpu_tick(current);
    }
}

void sched_start(void)
{
    cpu_resched(this_cpu(cpu_id));
    enter_guest();
}
