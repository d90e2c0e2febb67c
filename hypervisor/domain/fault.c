/* SPDX-License-Identifier: BSD-2-Clause */
/* Page faults that the hypervisor resolves, and waiting for memory. */

#include "arch/x86_64/upcalls.h"
#include "domain/upcalls.h"
#include "memory/light.h"
#include "memory/upcalls.h"

/* Most that are let go at once; the next choice of a vCPU goes on. */
#define WAKE_QUANTUM 16U

static struct spinlock waiters_lock = SPINLOCK_INIT(LOCK_waiters);
static struct list waiters = {&waiters, &waiters}; /* frames_wanted of them */

__in_place int fault_resolve(uint64_t cr2, uint32_t error_code)
{
    struct vcpu *v = current;
    enum light_access access = error_code & PF_FETCH   ? LIGHT_EXECUTE
                               : error_code & PF_WRITE ? LIGHT_WRITE
                                                       : LIGHT_READ;
    int rc;

    if (unlikely(!v))
        return -EFAULT;
    rc = light_fault(v->domain->space, cr2, access);
    if (unlikely(rc == -ENOMEM)) {
        v->wants_memory = true;
        vcpu_repeat(v);
    }
    return rc;
}

void fault_repeat_call(gfn_t g)
{
    (void)fault_resolve(light_va(current->domain->space, g), 0);
    vcpu_repeat(current);
}

/* In a copy routine: one that finds no memory fails, and its caller repeats. */
bool upcall_guest_page_fault(uint64_t cr2, uint32_t error_code)
{
    return fault_resolve(cr2, error_code) == 0;
}

/* If it waits; one that has gone down meanwhile does not wake. */
static void let_go(struct vcpu *v) __must_hold(waiters_lock)
{
    if (list_empty(&v->memory_waiter))
        return;
    list_del(&v->memory_waiter);
    (void)atomic_sub(&frames_wanted, 1);
    vcpu_wake(v);
}

/*
 * Blocked first, queued then, so that who finds it there can wake it; and last
 * a look at what may have come free before.  Of frames for everybody,
 * schedule() has that look.
 */
void fault_wait_for_memory(void)
{
    struct vcpu *v = current;
    bool first = false;

    fault_do_not_wait();
    vcpu_block(v);
    spin_lock(&waiters_lock);
    /* One that an event has woken meanwhile keeps its place. */
    if (list_empty(&v->memory_waiter)) {
        list_add_tail(&waiters, &v->memory_waiter);
        first = atomic_add(&frames_wanted, 1) == 1;
    }
    if (atomic_read(&v->domain->space->reserve_left))
        let_go(v);
    spin_unlock(&waiters_lock);
    if (first)
        upcall_raise_global(VIRQ_ENOMEM);
}

void fault_stop_waiting(struct vcpu *v)
{
    SPIN_GUARD(&waiters_lock);
    let_go(v);
}

void fault_wake_waiters(void)
{
    uint64_t left;

    if (likely(!atomic_read(&frames_wanted)))
        return;
    left = frame_totals().unreserved;
    SPIN_GUARD(&waiters_lock);
    for (unsigned int i = 0; i < WAKE_QUANTUM && left && !list_empty(&waiters);
         i++) {
        struct vcpu *v = list_first(&waiters, struct vcpu, memory_waiter);

        /* One that an event has woken takes no frame, unless it asks again. */
        left -= atomic_read(&v->state) == VCPU_BLOCKED;
        let_go(v);
    }
}

/* Any lock may be held here: leave the work to the way out of the hypervisor.
 */
void upcall_frames_free(void)
{
    cpu_resched(this_cpu(cpu_id));
}

/* A domain gives back its own pages, so it is the one that runs here. */
void upcall_promise_refilled(const struct light_space *s)
{
    struct domain *d = current ? current->domain : NULL;

    if (!d || d->space != s)
        return; /* By its builder, before any of its vCPUs ran. */
    SPIN_GUARD(&waiters_lock);
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        let_go(d->vcpu[i]);
}

bool upcall_cpu_privileged(void)
{
    return !current || policy_allows(current->domain, POLICY_last_memory);
}

bool upcall_cpu_idles(void)
{
    return !current;
}
