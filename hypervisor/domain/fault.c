/* SPDX-License-Identifier: BSD-2-Clause */
/* Page faults that the hypervisor resolves, and waiting for memory. */

#include "domain/fault.h"

#include "arch/x86_64/upcalls.h"
#include "domain/domain.h"
#include "domain/upcalls.h"
#include "domain/vcpu.h"
#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/list.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "memory/upcalls.h"

/* Bits of a page fault's error code (SDM volume 3, 4.7). */
#define PF_WRITE 0x02U
#define PF_FETCH 0x10U

/* The vCPUs of this CPU that wait, and whether they should look again. */
static DEFINE_PER_CPU(struct list, memory_waiters);
static DEFINE_PER_CPU(bool, memory_came_free);

static enum light_access access_of(uint32_t error_code)
{
    if (error_code & PF_FETCH)
        return LIGHT_EXECUTE;
    return error_code & PF_WRITE ? LIGHT_WRITE : LIGHT_READ;
}

/* Look again once the wish is known: no freed frame goes unnoticed. */
static int resolve_or_wait(struct vcpu *v, uint64_t cr2, uint32_t error_code)
{
    int rc;

    atomic_write(&frames_wanted, true);
    rc = light_fault(v->domain->space, cr2, access_of(error_code));
    v->wants_memory = v->repeat = rc == -ENOMEM;
    if (v->repeat)
        return_slowly();
    return rc;
}

static inline int resolve(uint64_t cr2, uint32_t error_code)
{
    struct vcpu *v = current;
    int rc;

    if (unlikely(!v))
        return -EFAULT;
    rc = light_fault(v->domain->space, cr2, access_of(error_code));
    return likely(rc != -ENOMEM) ? rc : resolve_or_wait(v, cr2, error_code);
}

bool fault_resolve(uint64_t cr2, uint32_t error_code)
{
    return resolve(cr2, error_code) != -EFAULT;
}

void fault_repeat_call(gfn_t g)
{
    (void)resolve(light_va(current->domain->space, g), 0);
    vcpu_repeat(current);
}

/* In a copy routine: one that finds no memory fails, and its caller repeats. */
bool upcall_guest_page_fault(uint64_t cr2, uint32_t error_code)
{
    return resolve(cr2, error_code) == 0;
}

void fault_wait_for_memory(void)
{
    struct list *waiters = &this_cpu(memory_waiters);
    struct vcpu *v = current;

    if (!waiters->next)
        list_init(waiters);

    fault_do_not_wait();
    list_del(&v->memory_waiter); /* An event may have woken it last time. */
    list_add_tail(waiters, &v->memory_waiter);
    vcpu_block(v);
    upcall_memory_wanted();
}

void fault_stop_waiting(struct vcpu *v)
{
    list_del(&v->memory_waiter);
}

void fault_wake_waiters(void)
{
    struct list *waiters = &this_cpu(memory_waiters);

    if (!this_cpu(memory_came_free))
        return;
    this_cpu(memory_came_free) = false;

    while (waiters->next && !list_empty(waiters)) {
        struct vcpu *v = list_first(waiters, struct vcpu, memory_waiter);

        list_del(&v->memory_waiter);
        vcpu_wake(v);
    }
}

/* Any lock may be held here: leave the work to the way out of the hypervisor.
 */
void upcall_frames_free(void)
{
    this_cpu(memory_came_free) = true;
    cpu_resched(this_cpu(cpu_id));
}
