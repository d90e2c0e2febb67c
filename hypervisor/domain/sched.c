/* SPDX-License-Identifier: BSD-2-Clause */
/* Start-time fair queueing: which vCPU runs next, and for how long. */

#include "domain/sched.h"

#include "core/time.h"
#include "domain/context.h"
#include "domain/domain.h"
#include "domain/runstate.h"
#include "domain/vcpu.h"
#include "lib/assert.h"

DEFINE_PER_CPU(struct vcpu *, current_vcpu);
DEFINE_PER_CPU(bool, need_resched);
DEFINE_PER_CPU(struct run_queue, run_queue);

/* The weight at which virtual time is time. */
#define WEIGHT_ONE 256U

static struct run_queue *queue_of(const struct vcpu *v)
{
    return &per_cpu(run_queue, v->cpu);
}

/* Move @v's virtual time up to @now; it runs. */
static void charge(struct vcpu *v, uint64_t now)
{
    uint64_t ran = now - v->ran_since;

    v->ran_since = now;
    v->vtime += (uint64_t)((unsigned __int128)ran * v->vtime_rate >> 24);
}

/* The queue's virtual time follows the least of those that can run. */
static void advance_queue(struct run_queue *q, const struct vcpu *running)
{
    const struct heap_node *first = heap_min(&q->heap);
    uint64_t least;

    if (!first && !running)
        return;
    least = first ? first->key : running->vtime;
    if (running && running->vtime < least)
        least = running->vtime;
    if (least > q->vtime)
        q->vtime = least;
}

static void enqueue(struct run_queue *q, struct vcpu *v)
{
    assert(!v->queued);
    heap_insert(&q->heap, &v->run, v->vtime);
    v->queued = true;
    q->length++;
}

static void dequeue(struct run_queue *q, struct vcpu *v)
{
    if (!v->queued)
        return;
    heap_remove(&q->heap, &v->run);
    v->queued = false;
    q->length--;
}

/* Somebody waits now: the running vCPU's time is limited from here. */
static void arm_slice(struct run_queue *q, uint64_t now)
{
    if (q->slice_armed)
        return;
    q->slice_armed = true;
    timer_set(&q->slice, now + SCHED_SLICE_NS);
}

static void slice_expired(struct timer *t)
{
    struct run_queue *q = container_of(t, struct run_queue, slice);

    q->slice_armed = false;
    cpu_resched(this_cpu(cpu_id));
}

/* @v, RUNNABLE and not held, comes back from where it used no CPU. */
static void join_queue(struct run_queue *q, struct vcpu *v, uint64_t now)
{
    struct vcpu *running = per_cpu(current_vcpu, v->cpu);
    uint64_t earliest;

    if (running && running->state != VCPU_RUNNING)
        running = NULL; /* About to go: the CPU chooses again anyway. */
    if (running)
        charge(running, now);
    advance_queue(q, running);

    /* Time spent asleep is not saved up. */
    earliest = q->vtime > SCHED_CREDIT_NS ? q->vtime - SCHED_CREDIT_NS : 0;
    if (v->vtime < earliest)
        v->vtime = earliest;
    enqueue(q, v);

    /* Shall it run at once, or when the slice ends? */
    if (!running || v->vtime + SCHED_GRANULARITY_NS < running->vtime)
        cpu_resched(v->cpu);
    else
        arm_slice(q, now);
}

/* @v can run: from @from, where it used no CPU. */
static void start(struct vcpu *v, enum vcpu_state from)
{
    struct run_queue *q = queue_of(v);
    uint64_t now = time_now();

    spin_lock(&q->lock);
    if (v->state == from) {
        v->state = VCPU_RUNNABLE;
        runstate_set(v, v->held ? RUNSTATE_offline : RUNSTATE_runnable, now);
        if (!v->held)
            join_queue(q, v, now);
    }
    spin_unlock(&q->lock);
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
static void leave(struct run_queue *q, struct vcpu *v, enum vcpu_state state,
                  uint8_t runstate)
{
    uint64_t now = time_now();

    if (v->state == VCPU_RUNNING) {
        charge(v, now);
        advance_queue(q, v);
        cpu_resched(v->cpu);
    }
    dequeue(q, v);
    v->state = state;
    runstate_set(v, runstate, now);
}

void vcpu_down(struct vcpu *v)
{
    struct run_queue *q = queue_of(v);

    spin_lock(&q->lock);
    if (v->state != VCPU_OFFLINE)
        leave(q, v, VCPU_OFFLINE, RUNSTATE_offline);
    spin_unlock(&q->lock);
}

void vcpu_block(struct vcpu *v)
{
    struct run_queue *q = queue_of(v);

    spin_lock(&q->lock);
    if (v->state == VCPU_RUNNING)
        leave(q, v, VCPU_BLOCKED, RUNSTATE_blocked);
    spin_unlock(&q->lock);
}

void vcpu_yield(struct vcpu *v)
{
    struct run_queue *q = queue_of(v);
    const struct heap_node *first;

    spin_lock(&q->lock);
    first = heap_min(&q->heap);
    if (first && v->state == VCPU_RUNNING) {
        charge(v, time_now());
        if (v->vtime <= first->key)
            v->vtime = first->key + 1;
        cpu_resched(v->cpu);
    }
    spin_unlock(&q->lock);
}

void vcpu_set_weight(struct vcpu *v, uint32_t weight)
{
    struct run_queue *q = queue_of(v);

    spin_lock(&q->lock);
    if (v->state == VCPU_RUNNING)
        charge(v, time_now());
    v->weight = weight;
    v->vtime_rate = ((uint64_t)WEIGHT_ONE << 24) / weight;
    spin_unlock(&q->lock);
}

static void hold(struct vcpu *v)
{
    struct run_queue *q = queue_of(v);

    spin_lock(&q->lock);
    v->held = true;
    if (v->state == VCPU_RUNNING || v->state == VCPU_RUNNABLE)
        leave(q, v, VCPU_RUNNABLE, RUNSTATE_offline);
    spin_unlock(&q->lock);
}

static void release(struct vcpu *v)
{
    struct run_queue *q = queue_of(v);
    uint64_t now = time_now();

    spin_lock(&q->lock);
    if (v->held) {
        v->held = false;
        if (v->state == VCPU_RUNNABLE) {
            runstate_set(v, RUNSTATE_runnable, now);
            join_queue(q, v, now);
        }
    }
    spin_unlock(&q->lock);
}

void domain_hold_vcpus(struct domain *d)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        hold(d->vcpu[i]);
}

void domain_release_vcpus(struct domain *d)
{
    for (uint32_t i = 0; i < d->vcpu_count; i++)
        release(d->vcpu[i]);
}

void vcpu_notify(struct vcpu *v)
{
    /*
     * One that runs looks at its events on its way out of the hypervisor,
     * and one that is runnable will when its turn comes.
     */
    if (v->state == VCPU_BLOCKED)
        vcpu_wake(v);
}

/* The least virtual time runs; the one that ran competes with the rest. */
struct vcpu *sched_choose(void)
{
    struct run_queue *q = &this_cpu(run_queue);
    struct vcpu *ran = current, *next = NULL;
    uint64_t now = time_now();
    struct heap_node *first;

    spin_lock(&q->lock);
    if (ran && ran->state == VCPU_RUNNING) {
        charge(ran, now);
        ran->state = VCPU_RUNNABLE;
        enqueue(q, ran);
    }
    first = heap_min(&q->heap);
    if (first) {
        next = container_of(first, struct vcpu, run);
        dequeue(q, next);
        next->state = VCPU_RUNNING;
        next->ran_since = now;
        advance_queue(q, next);
        if (ran && ran != next && ran->queued)
            runstate_set(ran, RUNSTATE_runnable, now);
        if (q->length)
            arm_slice(q, now);
    }
    if (q->slice_armed && !q->length) {
        q->slice_armed = false;
        timer_cancel(&q->slice);
    }
    current = next;
    if (next)
        runstate_set(next, RUNSTATE_running, now);
    spin_unlock(&q->lock);
    return next;
}

void sched_init(void)
{
    struct run_queue *q = &this_cpu(run_queue);

    spin_lock_init(&q->lock, LOCK_runqueue);
    timer_init(&q->slice, slice_expired);
}
