/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run queues, shares and switching, for the files that make up the scheduler.
 *
 * Start-time fair queueing on each CPU: a vCPU's virtual time advances by
 * (ns run) * 256 / weight, the queue's is the least virtual time of all that
 * can run, and never goes back.  Whoever runs has been taken out of the heap.
 * Who is owed some of a reservation has a key there, a system time, that is
 * less than any virtual time.
 *
 * Between CPUs: virtual time plus the queue's base is on one scale.  When a
 * slice ends and the first that waits is more than a slice of its own behind
 * what runs on another CPU, it goes there and keeps its place on the scale, so
 * that in the long run all advance alike wherever they run.  A CPU whose only
 * vCPU may not or cannot run slower drifts away from the others; the drift
 * means nothing, and a queue moves its base to keep it to a few slices.
 *
 * One queue's lock is held at a time: a vCPU that moves is in no queue for a
 * moment, RUNNABLE, with its virtual time on the common scale.
 *
 * Tickless: the alarm is set only while somebody waits or has a cap.
 */

#pragma once

#include "domain/vcpu.h"

/* Longest time a vCPU keeps the CPU while another one waits. */
#define SCHED_SLICE_NS 5000000ULL

/*
 * How far a vCPU that wakes may start behind the queue's virtual time.  It is
 * what one loses in the worst case by sleeping for a moment, when another takes
 * a slice meanwhile; and the longest that one who slept for ever has
 * precedence.
 */
#define SCHED_CREDIT_NS SCHED_SLICE_NS

/* Slices of its own that one who moves may be behind or ahead of others. */
#define SCHED_LAG_SLICES 4

/*
 * One that wakes preempts only if it is further behind than this, else a pair
 * that wakes each other would switch at every event.
 */
#define SCHED_GRANULARITY_NS 50000ULL

struct run_queue {
    struct spinlock lock;
    struct heap heap;  /* of vcpu.run, those that can run */
    struct heap later; /* of vcpu.later, by when its meters say otherwise */
    uint64_t vtime;    /* of the queue */
    uint64_t base;     /* what to add for the scale of all CPUs */
    uint32_t length;   /* vCPUs in the heap */
    uint8_t cpu;
    bool slice_ended;   /* look whether one that waits is due elsewhere */
    struct timer alarm; /* choose again, then */
    uint64_t alarm_at;  /* 0: not set */
};

DECLARE_PER_CPU(struct run_queue, run_queue);

/* CPUs that found nothing to do. */
extern uint64_t idle_cpus;

/* The queue @v belongs to, locked; it stays there until that is unlocked. */
struct run_queue *queue_lock(const struct vcpu *v) __lock_primitive;

static inline void queue_unlock(struct run_queue **q) __lock_primitive
{
    spin_unlock(&(*q)->lock);
}

/* A struct run_queue * of this is locked, until its block ends. */
#define __queue_guard __attribute__((cleanup(queue_unlock), unused))

/* The virtual time of @ns. */
static inline uint64_t sched_weigh(const struct vcpu *v, uint64_t ns)
{
    return (uint64_t)((unsigned __int128)ns * v->vtime_rate >> 24);
}

/* How far one that moves may be behind or ahead of others. */
static inline uint64_t sched_lag(const struct vcpu *v)
{
    return SCHED_LAG_SLICES * sched_weigh(v, SCHED_SLICE_NS);
}

/* Who runs on @cpu, charged up to @now; NULL: nobody.  Its queue is locked. */
struct vcpu *sched_running(unsigned int cpu, uint64_t now);

/* @v leaves @q, its own, which is locked, for that of @cpu ... */
void sched_depart(struct run_queue *q, struct vcpu *v, unsigned int cpu);

/* ... and waits there from now on, unless it may no longer; none is locked. */
void sched_arrive(struct vcpu *v);

/*
 * Who runs now on this CPU: it becomes current and RUNNING.  NULL: nobody can.
 */
struct vcpu *sched_choose(void);

/* The current vCPU may not run here: it wakes elsewhere.  False: it may. */
bool sched_evict(void);

/* Where @v, which begins to wait, should; @anew: it never ran or was away. */
unsigned int sched_place(const struct vcpu *v, bool anew);

/* Take over one that waits on another CPU; false: there is none. */
bool sched_steal(void);

/* Let another CPU have one that waits here, where that is fair. */
void sched_balance(void);

/*
 * A domain's processor time is bounded by its weight among the others, a cap
 * above and a reservation below.
 *
 * A meter knows until when the time a domain has used is paid for, at so many
 * percent of one CPU: for the cap, it must wait until then; for the
 * reservation, it is owed time from then on, and goes before those that are
 * not.
 */

/* A capped domain runs for its percentage of this at a time. */
#define SHARE_PERIOD_NS 10000000ULL

/* What it was owed and could not be given, or did not want, is kept so long. */
#define SHARE_WINDOW_NS 100000000ULL

/*
 * Who is owed time goes first only after it has waited so long: one that serves
 * others finds the more to do at a time the later it runs.
 */
#define SHARE_PATIENCE_NS 1000000ULL

/* Of each CPU, at most so many percent are reserved: the rest is weight's. */
#define SHARE_RESERVABLE 90U

/* @d has run for @ran ns up to @now. */
void share_charge(struct domain *d, uint64_t now, uint64_t ran);

/* Its cap keeps it off the CPUs. */
static inline bool share_capped(const struct domain *d, uint64_t now)
{
    return d->cap.percent && atomic_read(&d->cap.paid_until) > now;
}

static inline bool share_owed(const struct domain *d, uint64_t now)
{
    return d->reserved.percent && atomic_read(&d->reserved.paid_until) <= now;
}

/* How long it may run at once, at most SCHED_SLICE_NS. */
static inline uint64_t share_slice(const struct domain *d)
{
    uint64_t slice = d->cap.percent * (SHARE_PERIOD_NS / 100);

    return slice && slice < SCHED_SLICE_NS ? slice : SCHED_SLICE_NS;
}

/* Its vCPUs that are up, so many, share its weight; its lock is held. */
uint32_t share_divide(struct domain *d);

/* It ends: what was reserved for it is others'. */
void share_give_back(struct domain *d);

/*
 * Whose state the processor holds.  It stays after its vCPU blocked, while the
 * CPU idles: when the same vCPU is the next to run, as that of a lone busy
 * domain is, nothing is moved.
 */

/* Save what it holds, which is somebody's: that vCPU goes elsewhere. */
void context_drop(void);

/* @v, which runs nowhere, ends: no processor holds anything of it then. */
void context_forget(struct vcpu *v);

/* @v's runstate follows its state from @now on; its run queue is locked. */
void runstate_follow(struct vcpu *v, uint64_t now);
