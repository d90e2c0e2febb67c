/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The run queue, for the files that make up the scheduler.
 *
 * Virtual time: a vCPU's advances by (ns run) * 256 / weight, the queue's is
 * the least virtual time of all that can run, and never goes back.  Whoever
 * runs has been taken out of the heap.
 *
 * Tickless: the slice timer is armed only while somebody else waits.
 */

#ifndef DOMAIN_SCHED_H
#define DOMAIN_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#include "arch/x86_64/percpu.h"
#include "core/lock.h"
#include "core/timer.h"
#include "lib/heap.h"

struct vcpu;

/* Longest time a vCPU keeps the CPU while another one waits. */
#define SCHED_SLICE_NS 5000000ULL

/*
 * How far a vCPU that wakes may start behind the queue's virtual time.  It is
 * what one loses in the worst case by sleeping for a moment, when another takes
 * a slice meanwhile; and the longest that one who slept for ever has
 * precedence.
 */
#define SCHED_CREDIT_NS SCHED_SLICE_NS

/*
 * One that wakes preempts only if it is further behind than this, else a pair
 * that wakes each other would switch at every event.
 */
#define SCHED_GRANULARITY_NS 50000ULL

struct run_queue {
    struct spinlock lock;
    struct heap heap;   /* of vcpu.run */
    uint64_t vtime;     /* of the queue */
    uint32_t length;    /* vCPUs in the heap */
    struct timer slice; /* end of the running one's slice */
    bool slice_armed;
};

DECLARE_PER_CPU(struct run_queue, run_queue);

/*
 * Who runs now on this CPU: it becomes current and RUNNING.  NULL: nobody can.
 */
struct vcpu *sched_choose(void);

#endif /* DOMAIN_SCHED_H */
