/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving the CPU to whom the scheduler chose, or idling until there is one. */

#include "arch/x86_64/cpu.h"
#include "arch/x86_64/entry.h"
#include "domain/context.h"
#include "domain/fault.h"
#include "domain/sched.h"
#include "domain/vcpu.h"
#include "lib/atomic.h"

static struct vcpu *choose_or_idle(void)
{
    struct vcpu *v;

    for (;;) {
        this_cpu(need_resched) = false;
        fault_wake_waiters();
        v = sched_choose();
        if (v)
            return v;

        /* Interrupts, and the timers they run, come in here only. */
        while (!sched_steal() && !atomic_read(&this_cpu(need_resched)))
            cpu_idle();
    }
}

/* One that may no longer run here wakes on another CPU. */
static void send_away(struct vcpu *v)
{
    bool runs = v->state == VCPU_RUNNING;

    vcpu_block(v);
    sched_forget_current();
    context_drop();
    if (runs)
        vcpu_wake(v);
}

static bool may_run_here(const struct vcpu *v)
{
    return v->affinity >> this_cpu(cpu_id) & 1;
}

void schedule(void)
{
    while (this_cpu(need_resched)) {
        if (current && unlikely(!may_run_here(current)))
            send_away(current);
        context_load(choose_or_idle());
        sched_balance();
        vcpu_tick(current);
        if (unlikely(!may_run_here(current)))
            this_cpu(need_resched) = true;
    }
}

void sched_start(void)
{
    cpu_resched(this_cpu(cpu_id));
    enter_guest();
}
