/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Timers: a heap a CPU, and the local APIC's one-shot set to the least of it.
 * An empty heap sets nothing, so an idle CPU sleeps.
 */

#include "arch/x86_64/apic.h"
#include "arch/x86_64/upcalls.h"
#include "core/drift.h"
#include "core/lock.h"
#include "core/time.h"

/* Timers that expire before others get their turn: each may wake a vCPU. */
#define RUN_QUANTUM 24U

struct timer_queue {
    struct spinlock lock;
    struct heap heap;
    const struct timer *running; /* whose function is being called */
    uint32_t count;
    uint64_t expired; /* since boot */
};

static DEFINE_PER_CPU(struct timer_queue,
                      timer_queue) = {.lock = SPINLOCK_INIT(LOCK_timer)};

/* Let the hardware strike at the first deadline; it may strike too early. */
static void program(const struct timer_queue *q) __must_hold(q->lock)
{
    const struct heap_node *first = heap_min(&q->heap);
    uint64_t now, ticks;

    if (!first) {
        lapic_timer_set(0);
        return;
    }
    now = time_now();
    ticks = 1; /* 0 would stop it. */
    if (first->key > now) {
        uint64_t ns = first->key - now;

        /* A far deadline is reached in several steps. */
        if (__builtin_mul_overflow(ns, lapic_timer_khz, &ticks) ||
            (ticks = ticks / 1000000 + 1) > UINT32_MAX)
            ticks = UINT32_MAX;
    }
    lapic_timer_set((uint32_t)ticks);
}

void timer_init(struct timer *t, void (*expired)(struct timer *t))
{
    *t = (struct timer){.expired = expired};
}

/* With what was done to @t under the lock of the queue that it left. */
static struct timer_queue *queue_of(const struct timer *t)
{
    uint8_t cpu = __atomic_load_n(&t->cpu, __ATOMIC_ACQUIRE);

    return &per_cpu(timer_queue, cpu);
}

/* Lock @q if @t belongs to it; until then it may move. */
static bool lock_if_its(struct timer_queue *q, const struct timer *t)
    __try_acquires(q->lock)
{
    spin_lock(&q->lock);
    if (likely(queue_of(t) == q))
        return true;
    spin_unlock(&q->lock);
    return false;
}

/* The hardware may strike for nothing, once: cheaper than setting it. */
static void disarm(struct timer_queue *q, struct timer *t) __must_hold(q->lock)
{
    if (!t->armed)
        return;
    heap_remove(&q->heap, &t->node);
    q->count--;
    t->armed = false;
}

void timer_cancel(struct timer *t)
{
    struct timer_queue *q;

    do
        q = queue_of(t);
    while (!lock_if_its(q, t));
    disarm(q, t);
    __atomic_store_n(&t->cpu, (uint8_t)this_cpu(cpu_id), __ATOMIC_RELEASE);
    spin_unlock(&q->lock);
}

/* Whether another CPU was calling its function, which has returned now. */
static bool wait_returned(const struct timer *t)
{
    bool waited = false;

    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        const struct timer_queue *q = &per_cpu(timer_queue, cpu);

        if (cpu == this_cpu(cpu_id))
            continue;
        while (__atomic_load_n(&q->running, __ATOMIC_ACQUIRE) == t) {
            waited = true;
            cpus_serve();
            cpu_relax();
        }
    }
    return waited;
}

/*
 * Who takes it out of a heap has noted it as running before giving back the
 * lock, so what the cancelling does not find there is seen to run.
 */
void timer_cancel_wait(struct timer *t)
{
    spin_locks_assert_none();
    do
        timer_cancel(t);
    while (wait_returned(t));
}

static __noinline void set_among_others(struct timer *t, uint64_t deadline)
{
    struct timer_queue *q = &this_cpu(timer_queue);

    while (unlikely(!lock_if_its(q, t)))
        timer_cancel(t);
    disarm(q, t);
    q->count++;
    t->armed = true;
    heap_insert(&q->heap, &t->node, deadline);
    if (heap_min(&q->heap) == &t->node)
        program(q);
    spin_unlock(&q->lock);
}

/* The only one of this CPU just gets another deadline, as is usual. */
void timer_set(struct timer *t, uint64_t deadline)
{
    struct timer_queue *q = &this_cpu(timer_queue);

    spin_lock(&q->lock);
    if (unlikely(!heap_is_alone(&q->heap, &t->node))) {
        spin_unlock(&q->lock);
        set_among_others(t, deadline);
        return;
    }
    t->node.key = deadline;
    program(q);
    spin_unlock(&q->lock);
}

/* Take the first timer out of the heap if it is due. */
static struct timer *take_due(struct timer_queue *q)
{
    struct heap_node *first;
    struct timer *t;

    SPIN_GUARD(&q->lock);
    first = heap_min(&q->heap);
    if (!first || first->key > time_now()) {
        program(q);
        return NULL;
    }
    t = container_of(first, struct timer, node);
    disarm(q, t);
    q->expired++;
    atomic_write(&q->running, t);
    return t;
}

/* Thousands of guests may want to wake at one moment: the rest strikes anew. */
void timer_run(void)
{
    struct timer_queue *q = &this_cpu(timer_queue);
    struct timer *t;

    for (unsigned int n = 0; n < RUN_QUANTUM; n++) {
        t = take_due(q);
        if (!t)
            return;
        t->expired(t);
        __atomic_store_n(&q->running, NULL, __ATOMIC_RELEASE);
    }
    SPIN_GUARD(&q->lock);
    program(q);
}

void upcall_timer_interrupt(void)
{
    drift_check();
    timer_run();
}

static void print_timers(void)
{
    for (unsigned int cpu = 0; cpu < cpu_count; cpu++) {
        struct timer_queue *q = &per_cpu(timer_queue, cpu);
        const struct heap_node *first;
        uint64_t due;

        spin_lock(&q->lock);
        first = heap_min(&q->heap);
        due = first ? first->key : 0;
        spin_unlock(&q->lock);
        log_info("CPU %u: %u timers set, %lu expired since boot", cpu, q->count,
                 q->expired);
        if (due)
            log_info("  the first is due in %ld us",
                     (int64_t)(due - time_now()) / 1000);
    }
}
DEBUG_KEY('t', "timers", print_timers);
