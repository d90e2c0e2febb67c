/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving the CPU to whom the scheduler chose, or idling until there is one. */

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/entry.h"
#include "core/timer.h"
#include "domain/context.h"
#include "domain/fault.h"
#include "domain/sched.h"
#include "domain/vcpu.h"

/*
 * Interrupts are on in the HLT only.  Its tail has done what the interrupt
 * itself wanted; timers run here as on the way back to a guest.
 */
static void idle_once(void)
{
    cpu_idle();
    if (this_cpu(timer_pending))
        timer_run();
}

static struct vcpu *choose_or_idle(void)
{
    struct vcpu *v;

    for (;;) {
        this_cpu(need_resched) = false;
        fault_wake_waiters();
        v = sched_choose();
        if (v)
            return v;
        while (!this_cpu(need_resched))
            idle_once();
    }
}

void schedule(void)
{
    while (this_cpu(need_resched))
        context_load(choose_or_idle());
}

void sched_start(void)
{
    this_cpu(need_resched) = true;
    enter_guest();
}
