/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults that are resolved, and waiting for memory when there is none. */

/* LINK: hypervisor/domain/fault.c */
/* LINK: tests/unit/doubles/smp.c */

#include "domain/vcpu.h"

#include "arch/x86_64/upcalls.h"
#include "domain/domain.h"
#include "domain/upcalls.h"
#include "lib/errno.h"
#include "memory/frame.h"
#include "memory/light.h"
#include "memory/upcalls.h"
#include "unit/test.h"

struct vcpu *percpu_current_vcpu;
bool percpu_need_resched, percpu_slow_return;
const uint8_t *percpu_upcall_bytes;
const uint8_t upcall_due[2];
unsigned int percpu_cpu_id;
uint32_t frames_wanted;

static struct domain domain;
static struct light_space space;
static struct vcpu vcpu[3];
static struct vcpu *vcpus[] = {&vcpu[0], &vcpu[1]};
static struct domain other;
static struct light_space other_space;

/* What light_fault() answers, call by call, and what it was asked. */
static int answers[4];
static unsigned int asked, wanted_calls, wakes[3];
static uint64_t unreserved;
static enum light_access last_access;

int light_fault(struct light_space *s, vaddr_t va, enum light_access access)
{
    EXPECT_PTR(s, &space);
    (void)va;
    last_access = access;
    return answers[asked++ % 4];
}

struct frame_totals frame_totals(void)
{
    return (struct frame_totals){.unreserved = unreserved};
}

/* As a double only: nobody contends. */
void spin_lock(struct spinlock *lock) __lock_primitive
{
    EXPECT_EQ(lock->next, lock->serving);
    EXPECT_EQ(lock->rank, LOCK_waiters);
    lock->next++;
}

void spin_unlock(struct spinlock *lock) __lock_primitive
{
    lock->serving++;
}

void upcall_raise_global(uint32_t virq)
{
    EXPECT_EQ(virq, VIRQ_ENOMEM);
    wanted_calls++;
}

void vcpu_block(struct vcpu *v)
{
    v->state = VCPU_BLOCKED;
}

void vcpu_wake(struct vcpu *v)
{
    if (v->state != VCPU_BLOCKED)
        return;
    wakes[v - vcpu]++;
    v->state = VCPU_RUNNABLE;
}

void setup(void)
{
    memset(vcpu, 0, sizeof(vcpu));
    memset(answers, 0, sizeof(answers));
    memset(wakes, 0, sizeof(wakes));
    domain.space = &space;
    for (int i = 0; i < 3; i++) {
        vcpu[i].domain = &domain;
        list_init(&vcpu[i].memory_waiter);
    }
    percpu_current_vcpu = &vcpu[0];
    percpu_need_resched = percpu_slow_return = false;
    EXPECT_EQ(frames_wanted, 0);
    asked = wanted_calls = 0;
    domain.vcpu = vcpus;
    domain.vcpu_count = 2; /* the third is of another domain */
    vcpu[2].domain = &other;
    other.space = &other_space;
    unreserved = 0;
    space.reserve_left = 0;
}

/* All who still wait are let go, so that the next test begins with nobody. */
void teardown(void)
{
    unreserved = 3;
    fault_wake_waiters();
}

static void wait(unsigned int i)
{
    percpu_current_vcpu = &vcpu[i];
    vcpu[i].wants_memory = vcpu[i].repeat = true;
    fault_wait_for_memory();
    EXPECT_EQ(vcpu[i].state, VCPU_BLOCKED);
    EXPECT_FALSE(vcpu[i].wants_memory);
    EXPECT_FALSE(vcpu[i].repeat);
}

TEST("a fault is asked about by its kind of access")
{
    EXPECT_EQ(fault_resolve(0x1000, 0x4), 0);
    EXPECT_EQ(last_access, LIGHT_READ);
    EXPECT_EQ(fault_resolve(0x1000, 0x6), 0);
    EXPECT_EQ(last_access, LIGHT_WRITE);
    EXPECT_EQ(fault_resolve(0x1000, 0x14), 0);
    EXPECT_EQ(last_access, LIGHT_EXECUTE);
    EXPECT_FALSE(vcpu[0].wants_memory);
    EXPECT_EQ(frames_wanted, 0);
}

TEST("the guest's own fault is not resolved, nor is one of nobody")
{
    answers[0] = -EFAULT;
    EXPECT_EQ(fault_resolve(0x1000, 0x6), -EFAULT);
    percpu_current_vcpu = NULL;
    EXPECT_FALSE(upcall_guest_page_fault(0x1000, 0));
}

TEST("a fault without memory is the guest's to repeat, a copy fails")
{
    answers[0] = answers[1] = answers[2] = answers[3] = -ENOMEM;
    EXPECT_EQ(fault_resolve(0x1000, 0x6), -ENOMEM);
    EXPECT_TRUE(vcpu[0].wants_memory);
    EXPECT_TRUE(vcpu[0].repeat);
    EXPECT_TRUE(percpu_slow_return);

    fault_do_not_wait();
    EXPECT_FALSE(upcall_guest_page_fault(0x1000, 0x2));
    EXPECT_TRUE(vcpu[0].wants_memory);
    fault_do_not_wait();
}

TEST("as many are woken as memory can serve, first come first served")
{
    wait(2);
    wait(0);
    wait(1);
    EXPECT_EQ(frames_wanted, 3);
    fault_wake_waiters();
    EXPECT_EQ(wakes[0] + wakes[1] + wakes[2], 0);

    upcall_frames_free();
    EXPECT_TRUE(percpu_need_resched);
    unreserved = 2;
    fault_wake_waiters();
    EXPECT_EQ(wakes[2], 1);
    EXPECT_EQ(wakes[0], 1);
    EXPECT_EQ(wakes[1], 0);
    EXPECT_EQ(frames_wanted, 1);

    /* Whoever was woken may be paused: the next choice looks again. */
    fault_wake_waiters();
    EXPECT_EQ(wakes[1], 1);
    EXPECT_EQ(frames_wanted, 0);
    fault_wake_waiters();
    EXPECT_EQ(wakes[0] + wakes[1] + wakes[2], 3);
}

TEST("the control domain is told once for each shortage")
{
    wait(0);
    wait(1);
    EXPECT_EQ(wanted_calls, 1);
    unreserved = 1;
    fault_wake_waiters();
    wait(2);
    EXPECT_EQ(wanted_calls, 1);
    unreserved = 3;
    fault_wake_waiters();
    wait(0);
    EXPECT_EQ(wanted_calls, 2);
}

TEST("one that an event woke, and that waits again, is woken once")
{
    wait(0);
    vcpu[0].state = VCPU_RUNNING;
    wait(1);
    wait(0);
    unreserved = 9;
    fault_wake_waiters();
    EXPECT_EQ(wakes[0], 1);
    EXPECT_EQ(wakes[1], 1);
}

TEST("one that an event woke takes no frame from those who still wait")
{
    wait(0);
    wait(1);
    vcpu[0].state = VCPU_RUNNING;
    unreserved = 1;
    fault_wake_waiters();
    EXPECT_EQ(wakes[1], 1);
    EXPECT_EQ(frames_wanted, 0);
}

TEST("one that ends does not wait any longer")
{
    wait(0);
    wait(1);
    wait(2);
    vcpu[1].state = VCPU_OFFLINE;
    fault_stop_waiting(&vcpu[1]);
    fault_stop_waiting(&vcpu[1]);
    unreserved = 9;
    fault_wake_waiters();
    EXPECT_EQ(wakes[0], 1);
    EXPECT_EQ(wakes[1], 0);
    EXPECT_EQ(wakes[2], 1);
}

TEST("what a domain gives back to its own promise wakes its own vCPUs only")
{
    wait(1);
    wait(2);
    percpu_current_vcpu = &vcpu[0];
    upcall_promise_refilled(&other_space); /* by its builder */
    EXPECT_EQ(wakes[1] + wakes[2], 0);
    upcall_promise_refilled(&space);
    EXPECT_EQ(wakes[1], 1);
    EXPECT_EQ(wakes[2], 0);
    EXPECT_EQ(frames_wanted, 1);
}

TEST("a promise refilled while a vCPU was about to wait is not overlooked")
{
    percpu_current_vcpu = &vcpu[0];
    vcpu[0].wants_memory = vcpu[0].repeat = true;
    space.reserve_left = 1;
    fault_wait_for_memory();
    EXPECT_EQ(wakes[0], 1);
    EXPECT_EQ(frames_wanted, 0);
}

TEST("only a domain that controls others asks with privilege")
{
    EXPECT_FALSE(upcall_cpu_privileged());
    domain.rights = DOMAIN_RIGHT_CONTROL;
    EXPECT_TRUE(upcall_cpu_privileged());
    domain.rights = 0;
    percpu_current_vcpu = NULL;
    EXPECT_TRUE(upcall_cpu_privileged());
}

TEST("only a CPU without a vCPU idles")
{
    EXPECT_FALSE(upcall_cpu_idles());
    percpu_current_vcpu = NULL;
    EXPECT_TRUE(upcall_cpu_idles());
}
