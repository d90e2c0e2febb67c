/* SPDX-License-Identifier: BSD-2-Clause */
/* SANITIZE: thread */
/* LINK: hypervisor/core/timer.c hypervisor/core/lock.c hypervisor/lib/heap.c */
/* LINK: hypervisor/arch/x86_64/smp.c tests/unit/doubles/cpus.c */
/* Timers that several CPUs set, move and cancel at once. */

#include <pthread.h>

#include "arch/x86_64/apic.h"
#include "core/drift.h"
#include "core/time.h"
#include "doubles/cpus.h"
#include "lib/atomic.h"
#include "unit/test.h"

#define TIMERS 6
#define ROUNDS 10000

uint32_t lapic_timer_khz = 62500;

static uint64_t now;

uint64_t drift_due = UINT64_MAX / 2; /* never */

void drift_compare(void)
{
}

uint64_t time_now(void)
{
    return atomic_read(&now);
}

void lapic_timer_set(uint32_t count)
{
    (void)count;
}

/*
 * @mutex orders those who set and cancel one timer; its function does not take
 * it, so it may run while somebody has it.
 */
struct subject {
    struct timer timer;
    pthread_mutex_t mutex;
    uint64_t sets, fired; /* since it was last known to be still */
    uint64_t again;       /* times that it sets itself anew */
    unsigned int running; /* CPUs that are in its function */
};
static struct subject subjects[TIMERS];
static unsigned int failures;

static void fail_if(bool wrong)
{
    if (wrong)
        atomic_add(&failures, 1);
}

static void expired(struct timer *t)
{
    struct subject *s = container_of(t, struct subject, timer);

    atomic_add(&s->running, 1);
    atomic_add(&s->fired, 1);
    if (cpu_random(4) == 0)
        sched_yield();
    if (atomic_read(&s->again)) {
        atomic_sub(&s->again, 1);
        timer_set(t, time_now() + cpu_random(3));
    }
    atomic_sub(&s->running, 1);
}

void setup(void)
{
    failures = 0;
    now = 1000;
    for (int i = 0; i < TIMERS; i++) {
        subjects[i] = (struct subject){.mutex = PTHREAD_MUTEX_INITIALIZER};
        timer_init(&subjects[i].timer, expired);
    }
}

/* Each CPU runs out what it has. */
static void drain(unsigned int me)
{
    (void)me;
    for (int i = 0; i < 100; i++) {
        atomic_add(&now, 10);
        timer_run();
    }
}

/* No timer of this test is in a queue when the next makes them anew. */
void teardown(void)
{
    for (int i = 0; i < TIMERS; i++)
        subjects[i].again = 0;
    cpus_go(drain);
}

static void pass(void)
{
    atomic_add(&now, cpu_random(3));
    timer_run();
    cpu_lets_in();
}

/* It has not run more often than it was set, and now does not run at all. */
static void cancel_and_look(struct subject *s)
{
    uint64_t fired;

    timer_cancel_wait(&s->timer);
    fired = atomic_read(&s->fired);
    fail_if(atomic_read(&s->running) || s->timer.armed);
    fail_if(fired > s->sets);
    atomic_add(&now, 10);
    timer_run();
    sched_yield();
    fail_if(atomic_read(&s->fired) != fired);
    s->sets = 0;
    atomic_write(&s->fired, 0);
}

static void set_and_cancel(unsigned int me)
{
    (void)me;
    for (int i = 0; i < ROUNDS; i++) {
        struct subject *s = &subjects[cpu_random(TIMERS)];

        if (!pthread_mutex_trylock(&s->mutex)) {
            if (cpu_random(3)) {
                s->sets++;
                timer_set(&s->timer, time_now() + cpu_random(5));
            } else {
                cancel_and_look(s);
            }
            pthread_mutex_unlock(&s->mutex);
        }
        pass();
    }
}

TEST(
    "what is cancelled everywhere does not run, nor more often than it was set")
{
    cpus_go(set_and_cancel);
    EXPECT_EQ(failures, 0);
}

static void set_with_others(unsigned int me)
{
    (void)me;
    for (int i = 0; i < ROUNDS; i++) {
        struct timer *t = &subjects[cpu_random(TIMERS)].timer;

        if (cpu_random(4))
            timer_set(t, time_now() + cpu_random(5));
        else
            timer_cancel(t);
        pass();
    }
}

TEST(
    "set and cancelled at once by all CPUs, a timer is in one queue or in none")
{
    cpus_go(set_with_others);
    cpus_go(drain);
    for (int i = 0; i < TIMERS; i++) {
        EXPECT_FALSE(subjects[i].timer.armed);
        subjects[i].fired = 0;
        timer_set(&subjects[i].timer, now);
    }
    cpus_go(drain);
    for (int i = 0; i < TIMERS; i++)
        EXPECT_EQ(subjects[i].fired, 1);
}

/* Set by one CPU each, run there. */
static void set_own(unsigned int me)
{
    struct subject *s = &subjects[me];

    for (int i = 0; i < ROUNDS; i++) {
        if (atomic_read(&s->fired) == s->sets) {
            s->sets++;
            timer_set(&s->timer, time_now() + cpu_random(50));
        }
        pass();
    }
}

TEST("each set that nobody cancels runs once")
{
    cpus_go(set_own);
    cpus_go(drain);
    for (unsigned int cpu = 0; cpu < CPUS; cpu++)
        EXPECT_EQ(subjects[cpu].fired, subjects[cpu].sets);
}

static void stop_what_goes_on(unsigned int me)
{
    for (int i = 0; i < ROUNDS / 10; i++) {
        struct subject *s = &subjects[cpu_random(TIMERS)];

        if (me && !pthread_mutex_trylock(&s->mutex)) {
            atomic_write(&s->again, 1000);
            timer_set(&s->timer, time_now());
            for (int j = 0; j < 5; j++)
                pass();
            atomic_write(&s->again, 1000);
            s->sets = UINT64_MAX;
            cancel_and_look(s);
            atomic_write(&s->again, 0);
            pthread_mutex_unlock(&s->mutex);
        }
        pass();
    }
}

TEST("one that sets itself again and again is stopped for good")
{
    cpus_go(stop_what_goes_on);
    EXPECT_EQ(failures, 0);
}
