/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-time fair queueing: which vCPU runs next, and for how long. */

#include "domain/sched.h"

DEFINE_PER_CPU(struct vcpu *, current_vcpu);
DEFINE_PER_CPU(bool, need_resched);

/*
 * Virtual times begin so high that nothing below is ever beyond 0, a vCPU's
 * first one, 0, is long ago, and so is any key of one who is owed time.
 */
DEFINE_PER_CPU(struct run_queue, run_queue) = {
    .lock = SPINLOCK_INIT(LOCK_runqueue), .vtime = 1ULL << 40};

/* From system time to a key less than any virtual time, for two years. */
#define OWED_SHIFT 16

/* The weight at which virtual time is time. */
#define WEIGHT_ONE 256U

/* Most that are put elsewhere in one choice: all of a domain. */
#define STALE_QUANTUM DOMAIN_VCPUS_MAX

struct run_queue *queue_lock(const struct vcpu *v) __lock_primitive
{
    for (;;) {
        uint8_t cpu = atomic_read(&v->cpu);
        struct run_queue *q = &per_cpu(run_queue, cpu);

        spin_lock(&q->lock);
        if (likely(atomic_read(&v->cpu) == cpu))
            return q;
        spin_unlock(&q->lock);
    }
}

/* Move @v's virtual time up to @now; it runs. */
static void charge(struct vcpu *v, uint64_t now)
{
    uint64_t ran = now - v->ran_since;

    if (unlikely((int64_t)ran <= 0))
        return; /* Another CPU's clock, a moment behind. */
    v->ran_since = now;
    v->vtime += sched_weigh(v, ran);
    if (unlikely(v->domain->metered))
        share_charge(v->domain, now, ran);
}

struct vcpu *sched_running(unsigned int cpu, uint64_t now)
{
    struct vcpu *v = per_cpu(current_vcpu, cpu);

    if (!v || v->state != VCPU_RUNNING)
        return NULL; /* About to go: the CPU chooses again anyway. */
    charge(v, now);
    return v;
}

/* The queue's virtual time follows the least of those that can run. */
static void advance_queue(struct run_queue *q, const struct vcpu *running)
{
    const struct heap_node *first = heap_min(&q->heap);
    uint64_t waits = first ? first->key : UINT64_MAX;
    uint64_t runs = running ? running->vtime : UINT64_MAX;

    if (first || running)
        q->vtime = MAX(q->vtime, MIN(waits, runs));
}

/* The alarm is this CPU's: whoever wants it earlier elsewhere kicks. */
static void set_alarm(struct run_queue *q, uint64_t when)
{
    if (q->alarm_at && q->alarm_at <= when)
        return;
    if (q == &this_cpu(run_queue)) {
        q->alarm_at = when;
        timer_set(&q->alarm, when);
    } else {
        cpu_resched(q->cpu);
    }
}

static void alarm_expired(struct timer *t)
{
    struct run_queue *q = container_of(t, struct run_queue, alarm);

    q->alarm_at = 0;
    q->slice_ended = true;
    cpu_resched(q->cpu);
}

/* Into the heap, or off the CPUs until its domain's cap allows more. */
static void enqueue(struct run_queue *q, struct vcpu *v, uint64_t now)
{
    const struct domain *d = v->domain;
    uint64_t key = v->vtime, until = 0;

    assert(!v->in_run && !v->in_later);
    v->in_run = true;
    if (unlikely(d->metered) && d->reserved.percent) {
        /* What it ran on its reservation is no debt to the others. */
        v->vtime = MIN(v->vtime, q->vtime + sched_lag(v));
        until = MAX(atomic_read(&d->reserved.paid_until),
                    v->runstate_since + SHARE_PATIENCE_NS);
        key = until <= now ? until >> OWED_SHIFT : v->vtime;
    }
    if (unlikely(d->metered) && share_capped(d, now)) {
        v->in_run = false;
        until = atomic_read(&d->cap.paid_until);
        set_alarm(q, until);
    }
    v->in_later = until > now;
    if (v->in_later)
        heap_insert(&q->later, &v->later, until);
    if (v->in_run) {
        heap_insert(&q->heap, &v->run, key);
        atomic_write(&q->length, q->length + 1);
    }
}

static void dequeue(struct run_queue *q, struct vcpu *v)
{
    if (v->in_run) {
        heap_remove(&q->heap, &v->run);
        atomic_write(&q->length, q->length - 1);
    }
    if (unlikely(v->in_later))
        heap_remove(&q->later, &v->later);
    v->in_run = v->in_later = false;
}

/* Time spent asleep is not saved up. */
static void forget_sleep(const struct run_queue *q, struct vcpu *v)
{
    v->vtime = MAX(v->vtime, q->vtime - SCHED_CREDIT_NS);
}

/* From the scale of all CPUs to the queue's own, near those that are there. */
static void settle(struct run_queue *q, struct vcpu *v, bool alone)
{
    uint64_t lag = sched_lag(v);

    if (alone)
        q->base = v->vtime - q->vtime;
    v->vtime -= q->base;
    if ((int64_t)(v->vtime - (q->vtime - lag)) < 0)
        v->vtime = q->vtime - lag;
    if ((int64_t)(v->vtime - (q->vtime + lag)) > 0)
        v->vtime = q->vtime + lag;
}

/* @v, RUNNABLE and not held, begins to wait in @q. */
static void join(struct run_queue *q, struct vcpu *v, uint64_t now)
{
    const struct vcpu *running = sched_running(q->cpu, now);
    uint64_t slice_end = now + SCHED_SLICE_NS;

    advance_queue(q, running);
    if (v->travels)
        settle(q, v, !running && !heap_min(&q->heap));
    else
        forget_sleep(q, v);
    v->travels = false;
    enqueue(q, v, now);

    /* Shall it run at once, when it is owed time, or when the slice ends? */
    if (!running || v->vtime + SCHED_GRANULARITY_NS < running->vtime ||
        (v->in_run && v->run.key != v->vtime))
        cpu_resched(q->cpu);
    else
        set_alarm(q, v->in_later ? MIN(v->later.key, slice_end) : slice_end);
}

void sched_depart(struct run_queue *q, struct vcpu *v, unsigned int cpu)
{
    dequeue(q, v);
    v->vtime += q->base;
    v->travels = true;
    atomic_write(&v->cpu, (uint8_t)cpu);
}

void sched_arrive(struct vcpu *v)
{
    struct run_queue *q __queue_guard = queue_lock(v);

    if (v->state == VCPU_RUNNABLE && !v->held) {
        join(q, v, time_now());
    } else {
        v->vtime -= q->base;
        v->travels = false;
        cpu_resched(q->cpu); /* It may be spoken for, in vain. */
    }
}

/* @v waits here from now on; or true: it is on its way to another CPU. */
static bool enter(struct run_queue *q, struct vcpu *v, bool anew, uint64_t now)
{
    unsigned int cpu = sched_place(v, anew);

    if (cpu == q->cpu) {
        join(q, v, now);
        return false;
    }
    advance_queue(q, sched_running(q->cpu, now));
    forget_sleep(q, v);
    sched_depart(q, v, cpu);
    return true;
}

/* @v can run: from @from, where it used no CPU. */
static void start(struct vcpu *v, enum vcpu_state from)
{
    struct run_queue *q = queue_lock(v);
    uint64_t now = time_now();
    bool departs = false;

    if (v->state == from) {
        v->state = VCPU_RUNNABLE;
        runstate_follow(v, now);
        if (!v->held && !v->travels)
            departs = enter(q, v, from == VCPU_OFFLINE, now);
    }
    queue_unlock(&q);
    if (departs)
        sched_arrive(v);
}

void vcpu_wake(struct vcpu *v)
{
    start(v, VCPU_BLOCKED);
}

void vcpu_up(struct vcpu *v)
{
    start(v, VCPU_OFFLINE);
}

/* Take @v off the queue or the CPU, into @state. */
static void leave(struct run_queue *q, struct vcpu *v, enum vcpu_state state)
{
    uint64_t now = time_now();

    if (v->state == VCPU_RUNNING) {
        charge(v, now);
        advance_queue(q, v);
        cpu_resched(q->cpu);
    }
    dequeue(q, v);
    /* A full barrier: who blocks looks for events after this. */
    (void)atomic_exchange(&v->state, state);
    runstate_follow(v, now);
}

void vcpu_down(struct vcpu *v)
{
    struct run_queue *q __queue_guard = queue_lock(v);

    if (v->state != VCPU_OFFLINE)
        leave(q, v, VCPU_OFFLINE);
}

void vcpu_block(struct vcpu *v)
{
    struct run_queue *q __queue_guard = queue_lock(v);

    if (v->state == VCPU_RUNNING)
        leave(q, v, VCPU_BLOCKED);
}

void vcpu_yield(struct vcpu *v)
{
    struct run_queue *q __queue_guard = queue_lock(v);
    const struct heap_node *first = heap_min(&q->heap);

    if (first && v->state == VCPU_RUNNING) {
        charge(v, time_now());
        v->vtime = MAX(v->vtime, first->key + 1);
        cpu_resched(q->cpu);
    }
}

void vcpu_set_weight(struct vcpu *v, uint32_t weight, uint32_t parts)
{
    struct run_queue *q __queue_guard = queue_lock(v);

    if (v->state == VCPU_RUNNING)
        charge(v, time_now());
    v->vtime_rate = ((uint64_t)WEIGHT_ONE << 24) * parts / weight;
}

void vcpu_set_affinity(struct vcpu *v, uint64_t cpus)
{
    struct run_queue *q __queue_guard = queue_lock(v);

    v->affinity = cpus;
    if (v->in_run || v->in_later) {
        dequeue(q, v);
        enqueue(q, v, time_now());
    }
    /* One that waits on a wrong CPU goes on when its turn comes. */
    cpu_resched(q->cpu);
}

void vcpu_hold(struct vcpu *v, bool held)
{
    struct run_queue *q __queue_guard = queue_lock(v);
    uint64_t now = time_now();

    if (v->held == held)
        return;
    v->held = held;
    if (held && (v->state == VCPU_RUNNING || v->state == VCPU_RUNNABLE))
        leave(q, v, VCPU_RUNNABLE);
    runstate_follow(v, now);
    if (!held && v->state == VCPU_RUNNABLE && !v->travels)
        join(q, v, now);
}

bool vcpu_is_off(const struct vcpu *v)
{
    return !atomic_read(&v->travels) &&
           __atomic_load_n(&per_cpu(current_vcpu, atomic_read(&v->cpu)),
                           __ATOMIC_ACQUIRE) != v;
}

/*
 * What the vCPU finds pending when it leaves the hypervisor it does not miss,
 * nor when its turn comes; elsewhere its CPU has to be told.
 */
void vcpu_notify(struct vcpu *v)
{
    uint8_t state = atomic_read(&v->state);

    if (state == VCPU_BLOCKED)
        vcpu_wake(v);
    else if (state == VCPU_RUNNING && v != current)
        cpu_kick(atomic_read(&v->cpu));
}

/* Those whose cap allows more, or who are owed some of their reservation. */
static void look_again(struct run_queue *q, uint64_t now)
{
    struct heap_node *first;

    while ((first = heap_min(&q->later)) && first->key <= now) {
        struct vcpu *v = container_of(first, struct vcpu, later);

        dequeue(q, v);
        forget_sleep(q, v);
        enqueue(q, v, now);
    }
}

/*
 * Another vCPU of its domain has run meanwhile: it is over its cap, or owed
 * nothing any more, but has the key of one that is.
 */
static bool is_stale(const struct vcpu *v, uint64_t now)
{
    return share_capped(v->domain, now) ||
           (v->run.key != v->vtime && !share_owed(v->domain, now));
}

/* Out of the heap with the next one. */
static struct vcpu *take_next(struct run_queue *q, uint64_t now)
{
    struct heap_node *first;

    for (uint32_t i = 0; (first = heap_min(&q->heap)); i++) {
        struct vcpu *v = container_of(first, struct vcpu, run);

        dequeue(q, v);
        if (likely(!v->domain->metered) || i == STALE_QUANTUM ||
            !is_stale(v, now))
            return v;
        enqueue(q, v, now);
    }
    return NULL;
}

/* When this CPU must choose again although nothing happens. */
static void plan(struct run_queue *q, const struct vcpu *next, uint64_t now)
{
    const struct heap_node *later = heap_min(&q->later);
    uint64_t when = UINT64_MAX;

    if (later)
        when = MAX(later->key, now + SCHED_GRANULARITY_NS);
    if (next && (q->length || next->domain->cap.percent))
        when = MIN(when, now + share_slice(next->domain));

    if (when != UINT64_MAX) {
        set_alarm(q, when);
    } else if (q->alarm_at) {
        q->alarm_at = 0;
        timer_cancel(&q->alarm);
    }
}

static void set_idle(const struct run_queue *q, bool idle)
{
    uint64_t bit = 1ULL << q->cpu;

    if (idle)
        atomic_or(&idle_cpus, bit);
    else if (atomic_read(&idle_cpus) & bit)
        atomic_and(&idle_cpus, ~bit);
}

/* The least virtual time runs; the one that ran competes with the rest. */
struct vcpu *sched_choose(void)
{
    struct run_queue *q = &this_cpu(run_queue);
    struct vcpu *ran = current, *next;
    uint64_t now = time_now();

    spin_lock(&q->lock);
    look_again(q, now);
    if (ran && ran->state == VCPU_RUNNING) {
        charge(ran, now);
        ran->state = VCPU_RUNNABLE;
        enqueue(q, ran, now);
    }
    next = take_next(q, now);
    if (next) {
        assert(!next->held && (!next->loaded || next->cpu == q->cpu));
        next->ran_since = now;
        next->loaded = true;
        /* A full barrier: its events are looked for after this. */
        (void)atomic_exchange(&next->state, VCPU_RUNNING);
        advance_queue(q, next);
        runstate_follow(next, now);
    }
    if (ran)
        runstate_follow(ran, now);
    plan(q, next, now);
    __atomic_store_n(&current, next, __ATOMIC_RELEASE);
    set_idle(q, !next);
    spin_unlock(&q->lock);
    return next;
}

bool sched_evict(void)
{
    struct vcpu *v = current;
    struct run_queue *q = &this_cpu(run_queue);

    if (likely(v->affinity >> q->cpu & 1))
        return false;
    vcpu_block(v); /* which chooses anew */
    /* Once it is neither current nor loaded, its domain may end elsewhere. */
    domain_hold(v->domain);
    spin_lock(&q->lock);
    current = NULL;
    spin_unlock(&q->lock);
    context_drop();
    vcpu_wake(v);
    domain_put(v->domain);
    return true;
}

void sched_init(void)
{
    struct run_queue *q = &this_cpu(run_queue);

    q->cpu = (uint8_t)this_cpu(cpu_id);
    timer_init(&q->alarm, alarm_expired);
}
